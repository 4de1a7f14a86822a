"""Learning on one device: a network that predicts and learns sample by sample."""

from __future__ import annotations

from shoal.learn.calibration import quantize
from shoal.learn.footprint import Footprint
from shoal.learn.learner import Learner
from shoal.learn.optimizers import SGD, Adam, Momentum, Optimizer

__all__ = ["Adam", "Footprint", "Learner", "Momentum", "Optimizer", "SGD", "quantize"]

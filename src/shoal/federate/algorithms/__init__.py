"""Algorithms, one in each file."""

from __future__ import annotations

from shoal.federate.algorithms.base import Algorithm
from shoal.federate.algorithms.controls import Control, FromScratch, NoAdaptation
from shoal.federate.algorithms.fed_avg import FedAvg
from shoal.federate.algorithms.fed_prox import FedProx
from shoal.federate.algorithms.fed_sgd import FedSGD
from shoal.federate.algorithms.joint_training import JointTraining
from shoal.federate.algorithms.per_fed_avg import PerFedAvg
from shoal.federate.algorithms.reptile import Reptile
from shoal.federate.algorithms.tiny_meta_fed import TinyMetaFed
from shoal.federate.algorithms.tiny_reptile import TinyReptile

__all__ = [
    "Algorithm",
    "Control",
    "FedAvg",
    "FedProx",
    "FedSGD",
    "FromScratch",
    "JointTraining",
    "NoAdaptation",
    "PerFedAvg",
    "Reptile",
    "TinyMetaFed",
    "TinyReptile",
]

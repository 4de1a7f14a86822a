"""Federated meta-learning: algorithms, cohorts of clients, and runs that can be resumed."""

from __future__ import annotations

from shoal.federate import codecs
from shoal.federate.adapt import adapt
from shoal.federate.adaptation import Adaptation, combine
from shoal.federate.algorithms import (
    Algorithm,
    FedAvg,
    FedProx,
    FedSGD,
    FromScratch,
    JointTraining,
    NoAdaptation,
    PerFedAvg,
    Reptile,
    TinyMetaFed,
    TinyReptile,
)
from shoal.federate.cohort import Cohort, SerialCohort, Served
from shoal.federate.config import Experiment, load_experiment
from shoal.federate.evaluation import Evaluation, evaluate
from shoal.federate.history import Evaluated, Failure, History, Row
from shoal.federate.local import LocalPlan, Update
from shoal.federate.run import Run
from shoal.federate.schedules import Constant, Cosine, Linear, Rate, Schedule
from shoal.federate.simulated import SimulatedCohort

__all__ = [
    "Adaptation",
    "Algorithm",
    "Cohort",
    "Constant",
    "Cosine",
    "Evaluated",
    "Evaluation",
    "Experiment",
    "Failure",
    "FedAvg",
    "FedProx",
    "FedSGD",
    "FromScratch",
    "History",
    "JointTraining",
    "Linear",
    "LocalPlan",
    "NoAdaptation",
    "PerFedAvg",
    "Rate",
    "Reptile",
    "Row",
    "Run",
    "Schedule",
    "SerialCohort",
    "Served",
    "SimulatedCohort",
    "TinyMetaFed",
    "TinyReptile",
    "Update",
    "adapt",
    "codecs",
    "combine",
    "evaluate",
    "load_experiment",
]

"""Task families and real data sets: what a federated run draws its devices from."""

from __future__ import annotations

from shoal.datasets.by_group import Grouped, by_group
from shoal.datasets.digits import digits
from shoal.datasets.download import fetch
from shoal.datasets.few_shot import FewShot, few_shot
from shoal.datasets.keywords import keywords
from shoal.datasets.log_mel import log_mel
from shoal.datasets.omniglot import omniglot
from shoal.datasets.sine import Sine, sine
from shoal.datasets.task import Task, TaskBatch, TaskFamily

__all__ = [
    "FewShot",
    "Grouped",
    "Sine",
    "Task",
    "TaskBatch",
    "TaskFamily",
    "by_group",
    "digits",
    "fetch",
    "few_shot",
    "keywords",
    "log_mel",
    "omniglot",
    "sine",
]

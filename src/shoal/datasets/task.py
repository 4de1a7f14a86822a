"""What a device learns from: one task, a batch of tasks, and the family that they are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Kind = Literal["regression", "classification"]
Split = Literal["train", "test"]


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """The data of one device: a support set to adapt on and a query set to judge by.

    Parameters
    ----------
    support_x
        Support inputs (S, *shape), in the order in which a device sees them.
    support_y
        Support targets: (S, outputs) for regression, class numbers (S,) for classification.
    query_x
        Query inputs (Q, *shape), disjoint from the support inputs.
    query_y
        Query targets, shaped like `support_y`.
    name
        The device behind the task, for instance a speaker; empty for a synthetic one.
    """

    support_x: NDArray[np.float32]
    support_y: NDArray[np.float32]
    query_x: NDArray[np.float32]
    query_y: NDArray[np.float32]
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class TaskBatch:
    """Many tasks over one store of samples, which they refer to by row.

    A family that holds a data set hands out the data set itself as `x`: drawing tasks copies no sample.

    Parameters
    ----------
    x
        The store (N, *shape), C-contiguous.
    support
        Rows of `x` (tasks, S).
    support_y
        Targets (tasks, S, targets): the outputs of a regression, or one class number.
    query
        Rows of `x` (tasks, Q).
    query_y
        Targets (tasks, Q, targets).
    kind
        What the targets are, which settles the shape of `Task.support_y`.
    names
        One name per task, or nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from shoal import datasets
    >>> batch = datasets.sine(shots=4, queries=2).sample(0, np.arange(3, dtype=np.uint64))
    >>> len(batch), batch.x.shape, batch.support.tolist()
    (3, (18, 1), [[0, 1, 2, 3], [6, 7, 8, 9], [12, 13, 14, 15]])
    >>> batch[1].support_y.shape
    (4, 1)
    """

    x: NDArray[np.float32]
    support: NDArray[np.uint32]
    support_y: NDArray[np.float32]
    query: NDArray[np.uint32]
    query_y: NDArray[np.float32]
    kind: Kind = "regression"
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.support)

    def __getitem__(self, index: int) -> Task:
        support_y, query_y = self.support_y[index], self.query_y[index]
        if self.kind == "classification":
            support_y, query_y = support_y[:, 0], query_y[:, 0]
        return Task(
            self.x[self.support[index]],
            support_y.copy(),
            self.x[self.query[index]],
            query_y.copy(),
            self.names[index] if self.names else "",
        )


@runtime_checkable
class TaskFamily(Protocol):
    """What a federated run draws its devices from.

    A task depends on `(seed, id)` alone, never on the batch that it is drawn in.
    """

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input."""

    @property
    def outputs(self) -> int:
        """Outputs that a network needs: values of a regression, classes of a classification."""

    @property
    def kind(self) -> Kind:
        """What the targets are."""

    @property
    def split(self) -> Split:
        """Whether these are the tasks to train on or the unseen ones."""

    @property
    def clients(self) -> int | None:
        """Number of distinct devices; None where every id is another one."""

    def sample(self, seed: int, ids: NDArray[np.uint64]) -> TaskBatch:
        """Tasks with these ids."""

    def held_out(self) -> TaskFamily:
        """Family of unseen tasks for evaluation; a test family answers with itself."""

"""A federated run: rounds of clients that learn and a server that follows."""

from __future__ import annotations

import logging
import math
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import ConfigError, InputError
from shoal.federate import check
from shoal.federate.algorithms import Algorithm
from shoal.federate.codecs import Dense
from shoal.federate.cohort import Cohort, SerialCohort
from shoal.federate.describe import describe
from shoal.federate.evaluation import Evaluation, check_tasks, evaluate
from shoal.federate.history import Evaluated, Failure, History, Row
from shoal.federate.journal import Journal
from shoal.federate.progress import Bar
from shoal.federate.simulated import SimulatedCohort
from shoal.federate.update import Mean, moved

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from shoal.datasets import TaskFamily
    from shoal.federate.local import LocalPlan, Update
    from shoal.nn import Network

__all__ = ["Run"]

# Rounds between two looks at the progress bar.
SPAN = 512

logger = logging.getLogger(__name__)


class Run:
    """Rounds of an algorithm over a cohort of clients, deterministic from the seed.

    Parameters
    ----------
    network
        Where the run starts; it is not changed.
    tasks
        Family that clients are drawn from, and whose held-out part is evaluated on.
    algorithm
        What clients compute and how the server follows.
    rounds
        How many.
    seed
        Draws clients, their samples and everything else that is random, 0 to 2**64 - 1.
    cohort
        Who computes; None for a `SimulatedCohort` over `tasks`.
    folder
        Keeps metrics, checkpoints and the final network there, so that the run can be resumed; None: nowhere.
    evaluate_every
        Evaluates before the first round, after every so many, and after the last; None: never.
    evaluation
        How to evaluate.
    checkpoint_every
        Rounds between checkpoints.

    Attributes
    ----------
    network : Network
        With what was learnt so far.
    history : History
        What happened so far.

    Raises
    ------
    ConfigError
        For a parameter out of range, or parts that do not fit each other.

    Examples
    --------
    >>> from shoal import datasets, federate, nn
    >>> net = nn.Network([nn.Dense(8, "tanh"), nn.Dense(1)], input_shape=(1,), loss="mse", seed=0)
    >>> run = federate.Run(net, datasets.sine(), federate.TinyReptile(local_lr=0.02), rounds=100)
    >>> history = run.execute(progress=False)
    >>> len(history.rows), history.total("bytes_up")
    (100, 10600)
    """

    def __init__(
        self,
        network: Network,
        tasks: TaskFamily,
        algorithm: Algorithm,
        rounds: int,
        seed: int = 0,
        *,
        cohort: Cohort | None = None,
        folder: str | os.PathLike[str] | None = None,
        evaluate_every: int | None = None,
        evaluation: Evaluation | None = None,
        checkpoint_every: int = 1000,
    ) -> None:
        check_tasks(network, tasks)
        check.instance(algorithm, "algorithm", (Algorithm,))
        if cohort is not None:
            check.instance(cohort, "cohort", (Cohort,))
        if evaluation is not None:
            check.instance(evaluation, "evaluation", (Evaluation,))
        if evaluate_every is not None:
            check.whole(evaluate_every, "evaluate_every")
        if tasks.clients is not None and algorithm.clients > tasks.clients:
            raise ConfigError(
                f"{algorithm.clients} clients in each round, the tasks have {tasks.clients}",
                where="clients",
                hint=f"clients: at most {tasks.clients}",
            )
        self.network = network
        self.tasks = tasks
        self.algorithm = algorithm
        self.rounds = check.whole(rounds, "rounds")
        self.seed = check.seed(seed)
        self.cohort: Cohort = SimulatedCohort(tasks, seed=seed) if cohort is None else cohort
        self.folder = None if folder is None else Path(folder)
        self.evaluate_every = evaluate_every
        self.evaluation = Evaluation() if evaluation is None else evaluation
        self.checkpoint_every = check.whole(checkpoint_every, "checkpoint_every")
        self.history = History()
        self._initial = network
        self._plan = algorithm.plan(network)
        self._image = self._plan.image()
        self._steady: LocalPlan | None = None

    def execute(self, resume: bool = False, progress: bool = True) -> History:
        """Run all rounds.

        Parameters
        ----------
        resume
            Goes on with the run that the folder holds, from its last checkpoint; begins where there is none.
        progress
            Shows a bar on stderr where that is a terminal.

        Returns
        -------
        History
            What happened, from the first round on.

        Raises
        ------
        StateError
            Where the folder holds another run or is damaged.
        StorageError
            Where it cannot be written; the last checkpoint is intact.
        """
        if resume and self.folder is None:
            raise ConfigError(
                "a run without a folder cannot be resumed", where="resume", hint="folder='runs/first'"
            )
        round, parameters, self.history = 0, self._initial.parameters, History()
        with ExitStack() as stack:
            journal = None if self.folder is None else stack.enter_context(Journal(self.folder))
            if journal is not None and resume:
                checkpoint, self.history = journal.resume(self._config(), parameters.size)
                if checkpoint is not None:
                    round, parameters = checkpoint.round, checkpoint.parameters
            elif journal is not None:
                journal.start(self._config())
            bar = stack.enter_context(Bar(self.rounds, shown=progress))
            if round == 0 and self.evaluate_every is not None:
                self._record([self._evaluated(0, parameters)], journal)
            while round < self.rounds:
                stop = self._next_stop(round)
                self._record(self._train(parameters, range(round, stop)), journal)
                round = stop
                if self._due(round, self.evaluate_every):
                    self._record([self._evaluated(round, parameters)], journal)
                if journal is not None and self._due(round, self.checkpoint_every):
                    journal.checkpoint(round, parameters)
                bar.show(self.history)
            self.network = self._initial.with_parameters(parameters)
            if journal is not None:
                journal.finish(self.network, self.algorithm.plan(self.network).image())
        return self.history

    def _train(self, parameters: NDArray[np.float32], rounds: range) -> list[Row | Failure]:
        """Take some rounds; `parameters` are changed in place."""
        if self.algorithm.serial and self.algorithm.steady and isinstance(self.cohort, SerialCohort):
            plan = self._local(rounds.start)
            if plan.shared is None and plan.upload == plan.download == Dense():
                rates = np.array([self.algorithm.server_rate(r, self.rounds) for r in rounds], np.float32)
                served = self.cohort.serve(plan, parameters, rounds, rates)
                if served is not None:
                    up, down = plan.upload.size(parameters.size), plan.download.size(parameters.size)
                    columns = zip(
                        rounds, served.loss, served.clients.tolist(), served.failed.tolist(), strict=True
                    )
                    dropped = [Failure(r + 1, client, reason) for r, client, reason in served.failures]
                    warn(dropped)
                    return [Row(r + 1, x, up * n, down * (n + f), n, f) for r, x, n, f in columns] + dropped
        return [entry for round in rounds for entry in self._round(parameters, round)]

    def _round(self, parameters: NDArray[np.float32], round: int) -> Iterator[Row | Failure]:
        """Take one round; `parameters` are changed in place."""
        plan = self._local(round)
        rate = self.algorithm.server_rate(round, self.rounds)
        count = parameters.size if plan.shared is None else plan.shared.size
        places = range(plan.clients)
        losses: list[float] = []
        dropped: list[Failure] = []
        up = down = failed = 0
        for part in [range(i, i + 1) for i in places] if self.algorithm.serial else [places]:
            mean, arrived = Mean(count), []
            for update in self.cohort.visit(plan, parameters, round, part):
                up, down = up + update.bytes_up, down + update.bytes_down
                if update.failure == "lost":
                    failed += 1
                    continue
                try:
                    change, weight = opened(update, plan, count)
                except InputError as error:
                    dropped.append(Failure(round + 1, update.client, error.what))
                    continue
                mean.add(change, weight)
                arrived.append((update.client, update.loss))
            step = mean.value()
            if step is not None and not moved(parameters, plan.shared, step, rate):
                dropped += [
                    Failure(round + 1, client, "diverged: the server would not be finite")
                    for client, _ in arrived
                ]
            elif step is not None:
                losses += [loss for _, loss in arrived]
        warn(dropped)
        loss = math.fsum(losses) / len(losses) if losses else None
        yield Row(round + 1, loss, up, down, len(losses), failed + len(dropped))
        yield from dropped

    def _local(self, round: int) -> LocalPlan:
        """Return what each client of a round does."""
        if self._steady is not None:
            return self._steady
        plan = self.algorithm.local(self._plan, self._image, self.cohort.support, round, self.rounds)
        if self.algorithm.steady:
            self._steady = plan
        return plan

    def _evaluated(self, round: int, parameters: NDArray[np.float32]) -> Evaluated:
        how = self.evaluation
        adaptation = evaluate(
            self._initial.with_parameters(parameters),
            self.tasks,
            steps=how.steps,
            optimizer=self.algorithm.local_optimizer if how.optimizer is None else how.optimizer,
            tasks_count=how.tasks_count,
            seed=how.seed,
            batch=how.batch,
            threads=self.cohort.threads if isinstance(self.cohort, SimulatedCohort) else 1,
        )
        return Evaluated(round, adaptation)

    def _record(self, entries: list[Row | Failure] | list[Evaluated], journal: Journal | None) -> None:
        self.history.add(entries)
        if journal is not None:
            journal.write(entries)

    def _due(self, round: int, every: int | None) -> bool:
        return every is not None and (round % every == 0 or round == self.rounds)

    def _next_stop(self, round: int) -> int:
        """Return the next round after which there is something to do."""
        every = [SPAN, self.evaluate_every, self.checkpoint_every if self.folder is not None else None]
        return min(self.rounds, *(round - round % n + n for n in every if n is not None))

    def _config(self) -> dict[str, object]:
        """Return what decides the run's bits."""
        return {
            "network": describe(self._initial),
            "tasks": describe(self.tasks),
            "algorithm": describe(self.algorithm),
            "rounds": self.rounds,
            "seed": self.seed,
            "cohort": describe(getattr(self.cohort, "description", None)),
            "evaluate_every": self.evaluate_every,
            "evaluation": describe(self.evaluation),
        }


def opened(update: Update, plan: LocalPlan, count: int) -> tuple[NDArray[np.float32], float]:
    """Return the change that a client sends and its weight.

    Raises
    ------
    InputError
        Where there is none, or one that must not enter the mean.
    """
    if update.payload is None:
        raise InputError(update.failure)
    if not 0 < update.samples <= plan.samples:
        raise InputError(f"claims {update.samples} samples of {plan.samples}")
    return plan.upload.decode(update.payload, count), update.samples / plan.samples


def warn(dropped: list[Failure]) -> None:
    """Log the clients that were dropped."""
    for failure in dropped:
        logger.warning("round %d: client %d is dropped: %s", failure.round, failure.client, failure.failure)

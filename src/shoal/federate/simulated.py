"""Simulated clients: devices in the lanes and threads of the runtime."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum
from typing import TYPE_CHECKING

import numpy as np

from shoal import runtime
from shoal.datasets import TaskFamily
from shoal.datasets.random import bits, choose, uniform
from shoal.errors import ConfigError, DivergedError
from shoal.federate import check
from shoal.federate.cohort import Served
from shoal.federate.local import LocalPlan, Update
from shoal.federate.streams import stream_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["SimulatedCohort"]

# Streams of the random numbers of a run, see streams.py.
CHOICE, REACHED, LOST, CODEC = range((1 << 34) + 16, (1 << 34) + 20)
# At most so many samples are drawn, and so many values of parameters are held, at a time.
SAMPLES, VALUES = 1 << 20, 1 << 24
FEW = 2
OK, LABEL = 0, -10
FAILURES = {LABEL: "a label names no class", -9: "diverged: a loss is not finite"}


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The clients of some rounds and their data; `visits` = rounds * clients.

    Attributes
    ----------
    rounds
        Their numbers.
    ids
        Of the clients (visits,).
    reached, lost
        Whom the server reaches, and whose update gets lost (visits,).
    seeds
        Of the codecs (visits,).
    x, row, targets
        Samples as the runtime takes them: the store, (visits, samples), (visits, samples, targets).
    """

    rounds: range
    ids: NDArray[np.uint64]
    reached: NDArray[np.bool_]
    lost: NDArray[np.bool_]
    seeds: NDArray[np.uint64]
    x: NDArray[np.float32]
    row: NDArray[np.uint32]
    targets: NDArray[np.float32]


class SimulatedCohort:
    """Clients whose data come from a task family, computed many at a time.

    `width`, `threads` and `chunk` change the speed and no bit of the result.

    Parameters
    ----------
    tasks
        Family that clients are drawn from: without replacement within a round where it has a fixed number of
        them.
    width
        Devices side by side in vector lanes: 1, 8 or 16; None for the fastest.
    threads
        Threads; None for one.
    availability
        Share of the chosen clients that can be reached, above 0 to 1. The others get nothing, and nothing is
        counted.
    drop_out
        Share of the reached clients whose update is lost: bytes down are counted, none up.
    seed
        Draws clients, their tasks and what goes wrong, from 0 to 2**64 - 1.
    chunk
        Rounds whose data are drawn at a time.

    Examples
    --------
    >>> from shoal import datasets
    >>> SimulatedCohort(datasets.sine(shots=32), drop_out=0.1).support
    32
    """

    def __init__(
        self,
        tasks: TaskFamily,
        *,
        width: int | None = None,
        threads: int | None = None,
        availability: float = 1.0,
        drop_out: float = 0.0,
        seed: int = 0,
        chunk: int = 512,
    ) -> None:
        check.instance(tasks, "tasks", (TaskFamily,))
        if width not in (None, 1, 8, 16):
            raise ConfigError(f"width is {width!r}", where="width", hint="width: 1, 8 or 16")
        self.tasks = tasks
        self.width = width
        self.threads = 1 if threads is None else check.whole(threads, "threads")
        self.availability = check.share(availability, "availability", above=0)
        self.drop_out = check.share(drop_out, "drop_out")
        self.seed = check.seed(seed)
        self.chunk = check.whole(chunk, "chunk")
        self._support = 0
        self._block: tuple[tuple[int, int, int], Block] | None = None

    @property
    def description(self) -> dict[str, object]:
        """What decides the cohort's bits, for the record of a run."""
        return {
            "type": type(self).__name__,
            "tasks": self.tasks,
            "availability": self.availability,
            "drop_out": self.drop_out,
            "seed": self.seed,
        }

    @property
    def support(self) -> int:
        """Samples that each client has."""
        if self._support == 0:
            self._support = self.tasks.sample(self.seed, np.zeros(1, np.uint64)).support.shape[1]
        return self._support

    def visit(
        self, plan: LocalPlan, parameters: NDArray[np.float32], round: int, places: range
    ) -> Iterator[Update]:
        """Let clients of a round learn; yields one update for each that was reached, in order."""
        block = self._block_of(plan, round)
        first = block.rounds.index(round) * plan.clients
        if plan.pooled:
            span = slice(first, first + plan.clients)
            if (block.reached[span] & ~block.lost[span]).any():
                yield self._pooled(plan, parameters, block, first)
                for visit in range(first, first + plan.clients):
                    if block.reached[visit] and block.lost[visit]:
                        yield Update(
                            client=int(block.ids[visit]),
                            payload=None,
                            samples=plan.samples,
                            loss=float("nan"),
                            bytes_down=0,
                            bytes_up=0,
                            failure="lost",
                        )
            return
        visits = np.array([first + place for place in places if block.reached[first + place]], np.intp)
        start, bytes_down = receive(plan, parameters, int(bits(self.seed, one(round), CODEC, 1)[0, 0]))
        group = max(1, VALUES // max(1, parameters.size))
        for part in (visits[i : i + group] for i in range(0, len(visits), group)):
            delta, loss, status = self._learn(plan, start, block, part)
            for i, visit in enumerate(part):
                client = int(block.ids[visit])
                payload, failure = None, ""
                if block.lost[visit]:
                    failure = "lost"
                elif status[i] != OK:
                    failure = FAILURES.get(int(status[i]), f"status {status[i]}")
                else:
                    try:
                        payload = plan.upload.encode(sent(plan, delta[i]), int(block.seeds[visit]))
                    except DivergedError as error:
                        failure = f"diverged: {error.what}"
                yield Update(
                    client=client,
                    payload=payload,
                    samples=plan.samples,
                    loss=float(loss[i]),
                    bytes_down=bytes_down,
                    bytes_up=0 if payload is None else len(payload),
                    failure=failure,
                )

    def serve(
        self, plan: LocalPlan, parameters: NDArray[np.float32], rounds: range, rates: NDArray[np.float32]
    ) -> Served | None:
        """Let all clients of these rounds learn one after the other; None where values stop being finite."""
        before = parameters.copy()
        losses: list[float | None] = []
        served, failed = np.zeros(len(rounds), np.int64), np.zeros(len(rounds), np.int64)
        failures: list[tuple[int, int, str]] = []
        done = 0
        while done < len(rounds):
            block = self._block_of(plan, rounds[done])
            count = min(len(rounds) - done, block.rounds.stop - rounds[done])
            first = block.rounds.index(rounds[done]) * plan.clients
            span = slice(first, first + count * plan.clients)
            part = slice(done, done + count)
            visits = np.flatnonzero(block.reached[span] & ~block.lost[span])
            value, status = np.zeros(count * plan.clients), np.full(count * plan.clients, 1)
            if visits.size:
                every = visits.size == count * plan.clients
                result = runtime.serial(
                    plan.image,
                    x=block.x,
                    row=block.row[span] if every else block.row[span][visits],
                    targets=block.targets[span] if every else block.targets[span][visits],
                    phases=plan.phases,
                    parameters=parameters,
                    server_rate=np.repeat(rates[part], plan.clients)[visits],
                )
                if not np.isfinite(parameters).all():
                    parameters[:] = before
                    return None
                value[visits], status[visits] = result.loss, result.status
                for i in visits[result.status != OK]:
                    reason = FAILURES.get(int(status[i]), f"status {status[i]}")
                    failures.append((rounds[done] + int(i) // plan.clients, int(block.ids[span][i]), reason))
            arrived = (status == OK).reshape(count, -1)
            served[part] = arrived.sum(axis=1)
            failed[part] = block.reached[span].reshape(count, -1).sum(axis=1) - served[part]
            each = np.where(arrived, value.reshape(count, -1), 0)
            total = each[:, 0].tolist() if plan.clients == 1 else [fsum(row) for row in each.tolist()]
            losses += [x / n if n else None for x, n in zip(total, served[part].tolist(), strict=True)]
            done += count
        return Served(losses, served, failed, tuple(failures))

    def _learn(
        self, plan: LocalPlan, start: NDArray[np.float32], block: Block, visits: NDArray[np.intp]
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.int32]]:
        """Return the change of the parameters, the loss and the status of each visit."""
        row, targets = block.row[visits], block.targets[visits]
        n = start.size
        each = sum(phase.samples for phase in plan.phases)
        gradients = plan.gradient is not None
        # A few devices are faster one by one than in lanes that are mostly empty.
        width = 1 if self.width is None and len(visits) <= FEW else self.width
        delta = np.zeros((len(visits), n), np.float32)
        loss, status = np.zeros(len(visits)), np.zeros(len(visits), np.int32)
        for i in range(plan.repeats):
            part = slice(i * each, (i + 1) * each)
            result = runtime.visit(
                plan.image,
                x=block.x,
                row=row[:, part],
                targets=targets[:, part],
                phases=plan.phases,
                start=start if i == 0 else start + delta,
                end_count=2 * n if gradients else n,
                width=width,
                threads=self.threads,
            )
            end = result.end[:, 0]
            # What diverged is refused when it is encoded.
            with np.errstate(over="ignore", invalid="ignore"):
                if plan.gradient is None:
                    delta = end - start
                else:
                    delta -= np.float32(plan.gradient) * end[:, n:]
            loss += result.loss.astype(np.float64) / plan.repeats
            status = np.where(status == OK, result.status, status)
        return delta, loss, status

    def _pooled(self, plan: LocalPlan, parameters: NDArray[np.float32], block: Block, first: int) -> Update:
        """Learn from the samples of all clients of a round that are reached and do not get lost."""
        span = np.arange(first, first + plan.clients)
        span = span[block.reached[span] & ~block.lost[span]]
        row, targets = block.row[span], block.targets[span]
        samples = row.size
        raw = 4 * samples * (int(np.prod(block.x.shape[1:])) + targets.shape[2])
        payload = None
        result = runtime.visit(
            plan.image,
            x=block.x,
            row=row.T.reshape(1, -1),
            targets=targets.transpose(1, 0, 2).reshape(1, samples, -1),
            phases=plan.phases,
            start=parameters,
            width=1,
        )
        loss, failure = float(result.loss[0]), FAILURES.get(int(result.status[0]), "")
        if not failure:
            # What diverged is refused when it is encoded.
            with np.errstate(over="ignore", invalid="ignore"):
                change = result.end[0, 0] - parameters
            try:
                payload = plan.upload.encode(change)
            except DivergedError as error:
                failure = f"diverged: {error.what}"
        return Update(
            client=0,
            payload=payload,
            samples=plan.samples,
            loss=loss,
            bytes_down=0,
            bytes_up=raw,
            failure=failure,
        )

    def _block_of(self, plan: LocalPlan, round: int) -> Block:
        """Return the block with a round, drawn once for all rounds in it."""
        chunk = max(1, min(self.chunk, SAMPLES // (plan.clients * plan.samples)))
        key = (round // chunk, plan.clients, plan.samples)
        if self._block is None or self._block[0] != key:
            first = round // chunk * chunk
            self._block = key, self._draw(range(first, first + chunk), plan.clients, plan.samples)
        return self._block[1]

    def _draw(self, rounds: range, clients: int, samples: int) -> Block:
        """Draw the clients of some rounds and what they meet."""
        numbers = np.arange(rounds.start, rounds.stop, dtype=np.uint64)
        if self.tasks.clients is None:
            ids = bits(self.seed, numbers, CHOICE, clients).reshape(-1)
        elif clients > self.tasks.clients:
            raise ConfigError(
                f"{clients} clients a round, the family has {self.tasks.clients}",
                where="clients",
                hint=f"at most {self.tasks.clients}",
            )
        else:
            ids = (
                choose(self.seed, numbers, CHOICE, self.tasks.clients, clients).astype(np.uint64).reshape(-1)
            )
        batch = self.tasks.sample(self.seed, ids)
        seeds = bits(self.seed, numbers, CODEC, clients + 1)[:, 1:].reshape(-1)
        order = stream_order(self.seed, seeds, batch.support.shape[1], samples)
        row, targets = batch.support[:, :samples], batch.support_y[:, :samples]
        if order is not None:
            row = np.take_along_axis(batch.support, order, axis=1)
            targets = np.take_along_axis(batch.support_y, order[:, :, None], axis=1)
        return Block(
            rounds=rounds,
            ids=ids,
            reached=(uniform(self.seed, numbers, REACHED, clients) < self.availability).reshape(-1),
            lost=(uniform(self.seed, numbers, LOST, clients) < self.drop_out).reshape(-1),
            seeds=seeds,
            x=batch.x,
            row=np.ascontiguousarray(row),
            targets=np.ascontiguousarray(targets),
        )


def one(number: int) -> NDArray[np.uint64]:
    """Return an array of one number."""
    return np.array([number], np.uint64)


def sent(plan: LocalPlan, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the values that travel."""
    return values if plan.shared is None else values[plan.shared]


def receive(plan: LocalPlan, parameters: NDArray[np.float32], seed: int) -> tuple[NDArray[np.float32], int]:
    """Return the parameters as they arrive at a client, and the bytes that travelled."""
    values = sent(plan, parameters)
    payload = plan.download.encode(values, seed)
    arrived = plan.download.decode(payload, values.size)
    if plan.shared is None:
        return arrived, len(payload)
    start = parameters.copy()
    start[plan.shared] = arrived
    return start, len(payload)

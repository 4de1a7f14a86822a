"""The vectors that every build of the runtime must reproduce, read through the Python binding."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from shoal.runtime import Executor, Phase, visit
from tools.make_vectors import NEVER, VECTORS, Stream, Vector, cases, make, read

NAMES = [case.name for case in cases()]


def phase_of(v: Vector) -> Phase:
    rate, momentum, beta1, beta2, epsilon, proximal = v.optimizer
    return Phase(
        rate, 1, v.batch, momentum=momentum, beta1=beta1, beta2=beta2, epsilon=epsilon, proximal=proximal
    )


def opened(v: Vector) -> Executor:
    executor = Executor(v.image)
    executor.set_optimizer(phase_of(v))
    if int.from_bytes(v.image[6:8], "little") & 2:
        executor.set_anchor()
    return executor


def is_near(got: object, want: object, v: Vector) -> bool:
    want = np.asarray(want)
    return bool(np.all(np.abs(np.asarray(got) - want) <= v.tolerance * np.maximum(1, np.abs(want))))


def test_each_case_has_its_file_and_no_other() -> None:
    assert sorted(path.stem for path in VECTORS.glob("*.vec")) == sorted(NAMES)


def test_files_are_small() -> None:
    assert sum(path.stat().st_size for path in VECTORS.glob("*.vec")) < 300_000


@pytest.mark.parametrize("name", NAMES)
def test_answers_losses_and_parameters(name: str) -> None:
    v = read(VECTORS / f"{name}.vec")
    executor = opened(v)
    assert (executor.info.parameters, executor.info.state) == (v.parameters, v.state)
    for i, (x, target) in enumerate(zip(v.x, v.target, strict=True)):
        if i == v.grow:
            executor.grow()
        if not v.targets:
            assert is_near(executor.predict(x), v.y[i], v)
            continue
        y, loss = executor.learn(x, target)
        assert is_near(y, v.y[i], v)
        assert is_near(loss, v.loss[i], v)
        if v.batch > 1 and (i + 1) % v.batch == 0:
            executor.apply()
    assert is_near(executor.parameters, v.end, v)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "answer_only"])
@pytest.mark.parametrize("width", [1, 8, 16])
def test_bits_after_500_steps(name: str, width: int) -> None:
    v = read(VECTORS / f"{name}.vec")
    executor = opened(v)
    labels = next(case for case in cases() if case.name == name).network.loss == "cross_entropy"
    stream = Stream(v.seed, v.inputs, v.targets, labels=labels)
    if width > 1 and v.grow == NEVER:
        samples = [stream.next(executor.info.active) for _ in range(500)]
        visited = visit(
            v.image,
            x=np.array([x for x, _ in samples]),
            row=np.tile(np.arange(500, dtype=np.uint32), (3, 1)),
            targets=np.tile(np.array([target for _, target in samples]), (3, 1, 1)),
            phases=[phase_of(v)],
            start=executor.parameters.copy(),
            end_count=v.state,
            width=width,
        )
        sums = {zlib.crc32(end.tobytes()) for end in visited.end.reshape(3, -1)}
        assert sums == {v.checksums[1]}
        return
    for i in range(500):
        if i == v.grow:
            executor.grow()
        executor.learn(*stream.next(executor.info.active))
        if v.batch > 1 and (i + 1) % v.batch == 0:
            executor.apply()
    assert (executor.checksum(), zlib.crc32(executor.state.tobytes())) == v.checksums[:2]


def test_the_files_are_what_the_tool_writes() -> None:
    case = next(case for case in cases() if case.name == "dense_adam")
    want, got = read(VECTORS / "dense_adam.vec"), make(case)
    assert got.image == want.image
    assert got.checksums == want.checksums
    for field in ("x", "target", "y", "loss", "end"):
        np.testing.assert_allclose(getattr(got, field), getattr(want, field), rtol=1e-6, atol=1e-7)

"""The server of the runtime as a process of this machine, under sanitizers: whatever arrives, it answers."""

from __future__ import annotations

import os
import select
import shutil
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shoal.devices.frames import FrameError, encode
from shoal.devices.link import Link
from shoal.devices.machines import runtime_folder
from shoal.devices.protocol import STATUSES, Request, Status
from shoal.devices.remote import RemoteExecutor
from shoal.errors import DeviceError, ImageError, InputError, ShoalError
from shoal.learn import Learner
from tests.devices import nets

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="sudo apt-get install gcc")


class Process:
    """A process whose input and output are the line."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

    def write(self, data: bytes) -> None:
        try:
            self.process.stdin.write(data)
        except OSError:
            raise DeviceError("the process has ended") from None

    def read(self, seconds: float) -> bytes:
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            return b""
        data = os.read(self.process.stdout.fileno(), 1 << 16)
        if not data:
            raise DeviceError(f"the process has ended with {self.process.wait()}")
        return data

    def close(self) -> None:
        self.process.stdin.close()
        code = self.process.wait(20)
        self.process.stdout.close()
        assert code == 0


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    runtime = runtime_folder()
    folder = tmp_path_factory.mktemp("server")
    sources = [file for file in (runtime / "src").glob("*.c") if file.stem != "cohort"]
    sources += [*(runtime / "ports" / "serial").glob("*.c"), runtime / "ports" / "host" / "main.c"]
    flags = ["-std=c99", "-O1", "-ffp-contract=off", "-fno-math-errno", "-fsanitize=address,undefined"]
    flags += ["-fno-sanitize-recover=all", f"-I{runtime / 'include'}", f"-I{runtime / 'ports' / 'serial'}"]

    def compiled(source: Path) -> str:
        name = str(folder / f"{source.stem}.o")
        subprocess.run(["gcc", *flags, "-c", str(source), "-o", name], check=True)
        return name

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compiled, sources))
    path = str(folder / "server")
    subprocess.run(["gcc", *flags, *objects, "-o", path], check=True)
    return path


@pytest.fixture
def board(program):
    board = RemoteExecutor(Link(Process([program]), "this machine"))
    yield board
    board.link.close()


def opened(board: RemoteExecutor) -> Learner:
    learner = Learner(nets.conv())
    board.open(learner._plan.image())
    board.set_optimizer(learner.optimizer.phase())
    return learner


def test_the_texts_and_numbers_are_those_of_the_header():
    text = (runtime_folder() / "ports" / "serial" / "shoal_serve.h").read_text(encoding="utf-8")
    for status, meaning in STATUSES.items():
        assert f'X(ERROR_{status.name}, {int(status)}, "{meaning}")' in " ".join(text.split())
    names = text.split("enum shoal_serve_request {")[1].split("}")[0].replace("= 1", "").split(",")
    assert [name.strip().removeprefix("SHOAL_SERVE_") for name in names] == [kind.name for kind in Request]
    page = (runtime_folder() / "ports" / "serial" / "PROTOCOL.md").read_text(encoding="utf-8")
    for request in Request:
        assert f"| {int(request)} | {request.name} |" in page
    for status, meaning in STATUSES.items():
        assert f"| {int(status)} | {meaning} |" in page


def test_the_same_bits_as_in_this_process(board):
    learner = opened(board)
    x, y = nets.samples(learner.network, 40)
    assert (board.predict(x) == learner.predict_many(x)).all()
    assert (board.learn(x, y) == learner.learn_many(x, y)).all()
    assert board.checksum() == learner.checksum
    assert board.save() == learner._executor.save()


def test_a_request_that_comes_twice_is_done_once(board):
    learner = opened(board)
    x, y = nets.samples(learner.network, 1)
    body = struct.pack("<I", 1) + y.tobytes() + x.tobytes()
    frame = encode(struct.pack("<BBH", 77, Request.LEARN, 1) + body)
    for _ in range(3):
        board.link._stream.write(frame)
    assert board.info.steps == 1
    board.link.ask(Request.LEARN, body, 1)
    assert board.info.steps == 2


def test_a_damaged_request_is_answered_and_changes_nothing(board):
    learner = opened(board)
    x, y = nets.samples(learner.network, 1)
    frame = bytearray(encode(struct.pack("<BBHI", 5, Request.LEARN, 1, 1) + y.tobytes() + x.tobytes()))
    before = board.checksum()
    for at in range(len(frame) - 1):
        frame[at] ^= 0x10
        board.link._stream.write(bytes(frame))
        with pytest.raises(FrameError, match=r"damaged|zero"):
            board.link._answer()
        frame[at] ^= 0x10
    assert board.info.steps == 0
    assert board.checksum() == before == learner.checksum


@pytest.mark.parametrize(
    ("request_", "body", "number", "status"),
    [
        (Request.OPEN, b"", 0, Status.LENGTH),
        (Request.OPEN, struct.pack("<I", 0), 0, Status.OPEN),
        (Request.WRITE, b"\0\0", 0, Status.LENGTH),
        (Request.WRITE, struct.pack("<I", 0xFFFFFFFF) + b"x", 0, Status.RANGE),
        (Request.READ, struct.pack("<I", 0xFFFFFFF0), 64, Status.RANGE),
        (Request.READ, struct.pack("<I", 0), 0xFFFF, Status.LENGTH),
        (Request.INPUT, struct.pack("<I", 140) + b"12345", 0, Status.RANGE),
        (Request.PREDICT, b"123", 1, Status.LENGTH),
        (Request.PREDICT, b"", 0xFFFF, Status.LENGTH),
        (Request.SCORE, bytes(4 * 36), 1, Status.LENGTH),
        (Request.LEARN, b"", 0, Status.LENGTH),
        (Request.LEARN, struct.pack("<If", 2, 0), 0, Status.LENGTH),
        (Request.OPTIMIZER, b"", 0, Status.LENGTH),
        (Request.TRAINABLE, b"", 0, Status.LENGTH),
        (Request.TRAINABLE, b"\0", 999, -8),
        (Request.ANCHOR, b"", 0, -11),
        (Request.APPLY, b"", 0, -11),
        (Request.GROW, b"", 0, -12),
        (Request.LOAD, struct.pack("<I", 1 << 30), 0, Status.RANGE),
        (Request.LOAD, struct.pack("<I", 8), 0, -13),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(board, request_, body, number, status):
    learner = opened(board)
    assert board.link.try_to(request_, body, number)[0] == status
    assert board.checksum() == learner.checksum
    assert board.info.steps == 0


def test_without_a_network_there_is_nothing_to_ask(board):
    closed = [kind for kind in Request if Request.INPUT <= kind <= Request.LOAD]
    assert {board.link.try_to(kind)[0] for kind in closed} == {Status.CLOSED}
    with pytest.raises(DeviceError, match="no network is open"):
        board.checksum()
    assert board.link.try_to(Request.OPEN, struct.pack("<I", 0))[0] == -2  # nothing in flash
    assert board.stack() == (0, 0)
    assert set(board.counts().values()) == {0}


def test_an_image_that_is_damaged_or_too_large_is_refused(board):
    image = bytearray(Learner(nets.dense())._plan.image())
    image[-1] ^= 1
    with pytest.raises(ShoalError, match="damaged"):
        board.open(bytes(image))
    with pytest.raises(ImageError, match="300,000 B of RAM are needed for the image alone"):
        board.open(bytes(300_000))
    opened(board)


def test_a_sample_that_is_refused_ends_the_request(board):
    learner = opened(board)
    x, y = nets.samples(learner.network, 3)
    y[1] = 7
    body = struct.pack("<I", 1) + y.tobytes() + x.tobytes()
    status, done, answer = board.link.try_to(Request.LEARN, body, 3)
    assert (status, done, len(answer)) == (-10, 1, 4)
    assert struct.unpack("<f", answer)[0] == learner.learn_one(x[0], y[0])
    assert board.checksum() == learner.checksum
    with pytest.raises(InputError, match="class number"):
        board.learn(x, y)


requests = st.tuples(
    st.integers(0, 22),
    st.integers(0, 3) | st.integers(0, 0xFFFF),
    st.binary(max_size=24) | st.binary(max_size=300),
)
noise = st.binary(max_size=40).map(lambda data: data.replace(b"\0", b"\1") + b"\0")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(requests | noise, max_size=12), st.booleans())
def test_whatever_arrives_is_answered(program, messages, with_network):
    board = RemoteExecutor(Link(Process([program]), "this machine", patience=20))
    try:
        if with_network:
            opened(board)
        for message in messages:
            if isinstance(message, bytes):
                board.link._stream.write(message)
            else:
                kind, number, body = message
                # A word that is near the sizes that matter, now and then.
                frame = struct.pack("<BBH", 200, kind, number) + body
                board.link._stream.write(encode(frame))
        assert board._ask_board().title == "this machine"
    finally:
        board.link.close()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(requests, max_size=6))
def test_every_whole_request_has_one_answer(program, messages):
    board = RemoteExecutor(Link(Process([program]), "this machine", patience=20))
    known = {*range(-14, 1), *STATUSES}
    try:
        opened(board)
        for kind, number, body in messages:
            # Not four thousand million passes.
            head = struct.pack("<I", 3) if kind == Request.LEARN and len(body) >= 4 else body[:4]
            assert board.link.try_to(kind, head + body[4:], number)[0] in known
    finally:
        board.link.close()

"""Clients that are slow, silent, many or gone: they cost those who are not nothing."""

from __future__ import annotations

import json
import socket
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from shoal import nn
from shoal.serve.connection import LARGEST_HEAD
from tests.serve.serving import Stream, served, thing, until

SOON = {"head_seconds": 0.4, "body_seconds": 0.4, "stall_seconds": 0.4}
BINARY = "Content-Type: application/octet-stream"


@pytest.fixture(scope="module")
def hasty(tmp_path_factory):
    """A directory that waits for nobody."""
    with served(tmp_path_factory.mktemp("hasty"), settings=SOON) as directory:
        yield directory


def connected(directory, source="127.0.0.1", **options):
    host, port = directory.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), source_address=(source, 0), timeout=20)
    for name, value in options.items():
        connection.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
    return connection


def head(directory, line, *more, role="operator"):
    """The head of a request, without the empty line at its end."""
    lines = [f"{line} HTTP/1.1", "Host: 127.0.0.1", *more]
    if role:
        lines.append(f"Authorization: {directory.of(role)['Authorization']}")
    return "\r\n".join(lines).encode() + b"\r\n"


def rest(connection):
    """What comes until the server ends the connection."""
    parts = []
    try:
        while part := connection.recv(2**20):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def ended(connection, more, seconds=0.0):
    """Whether the server ends a connection on which this is sent again and again."""
    try:
        for _ in range(200):
            connection.sendall(more)
            time.sleep(seconds)
    except (BrokenPipeError, ConnectionResetError):
        return True
    return False


def status(answer):
    return int(answer.split(b" ", 2)[1])


def test_a_head_has_so_many_seconds(hasty):
    with connected(hasty) as connection:
        connection.sendall(head(hasty, "GET /catalog"))
        for _ in range(3):  # what goes on saying a little is no faster
            time.sleep(0.05)
            connection.sendall(b"X-More: 1\r\n")
        answer = rest(connection)
        assert status(answer) == 408
        assert b"content-type: application/problem+json" in answer
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["detail"].startswith("the head of the request")


def test_who_says_nothing_is_not_answered(hasty):
    with connected(hasty) as connection:
        assert rest(connection) == b""


def test_who_is_done_and_says_nothing_that_is_a_request_is_not_kept(hasty):
    with connected(hasty) as connection:
        connection.sendall(head(hasty, "GET /catalog") + b"\r\n")
        until(lambda: connection.recv(65536, socket.MSG_PEEK))
        connection.sendall(b"\r\n")
        assert rest(connection).count(b"HTTP/1.1") == 1


def test_a_body_has_so_many_seconds(hasty):
    with connected(hasty) as connection:
        connection.sendall(head(hasty, "PUT /things/urn:example:1", "Content-Length: 100") + b"\r\n{")
        answer = rest(connection)
        assert status(answer) == 408
        assert b"the body of the request took longer than 0.4 s" in answer


def test_so_it_has_where_nobody_reads_it(hasty):
    with connected(hasty) as connection:
        connection.sendall(head(hasty, "PUT /things/x", "Content-Length: 9999", role=None) + b"\r\n")
        begun = time.monotonic()
        assert status(connection.recv(65536)) == 401
        assert ended(connection, b" ", seconds=0.05)  # a byte now and then does not keep it
        assert time.monotonic() - begun > 0.3


def test_a_head_is_no_larger_than_it_may_be(shared):
    with connected(shared) as connection:
        connection.sendall(head(shared, "GET /catalog") + b"X-Large: ")
        assert ended(connection, b"x" * LARGEST_HEAD)
    with connected(shared) as connection:
        connection.sendall(b"GET /catalog?")
        time.sleep(0.2)  # what comes with the beginning is not counted
        connection.sendall(b"x" * (LARGEST_HEAD + 1))
        assert status(connection.recv(65536)) == 431


def test_a_stream_goes_on_and_a_long_query_too(hasty):
    with Stream(hasty, "/events") as stream:
        time.sleep(1.5)
        hasty.put("followed")
        assert stream.wait(1)[0]["event"] == "thing_created"


def test_who_connects_and_says_nothing_keeps_nobody_out(tmp_path):
    with served(tmp_path, settings={"connections": 8}) as directory, ExitStack() as stack:
        silent = []
        for _ in range(40):
            silent.append(stack.enter_context(connected(directory)))
            silent[-1].sendall(head(directory, "GET /catalog"))
        assert httpx.get(f"{directory.url}/catalog", headers=directory.of("viewer")).status_code == 200
        # Who came last is still there, who came first is not.
        assert rest(silent[0]) == b""
        silent[-1].sendall(b"\r\n")
        assert status(silent[-1].recv(65536)) == 200


def test_one_address_does_not_get_all_connections(tmp_path):
    with served(tmp_path, settings={"connections": 8}) as directory, ExitStack() as stack:
        follow = head(directory, "GET /events") + b"\r\n"
        for _ in range(6):
            one = stack.enter_context(connected(directory))
            one.sendall(follow)
            assert status(one.recv(65536)) == 200
        with connected(directory) as another:
            assert status(rest(another)) == 503
        with connected(directory, source="127.0.0.2") as elsewhere:
            elsewhere.sendall(head(directory, "GET /catalog") + b"\r\n")
            assert status(elsewhere.recv(65536)) == 200


@pytest.fixture(scope="module")
def large(hasty):
    """The path of a file of 16 MiB."""
    network = nn.Network([nn.Dense(2048)], input_shape=(2048,), loss="mse", seed=0)
    with tempfile.TemporaryDirectory() as folder:
        network.save(Path(folder) / "large.shoal")
        hasty.catalog.add_model(Path(folder) / "large.shoal", name="large")
    return "/models/large/file"


def test_who_takes_nothing_of_an_answer_is_gone(hasty, large):
    with connected(hasty, SO_RCVBUF=65536) as connection:
        connection.sendall(head(hasty, f"GET {large}") + b"\r\n")
        time.sleep(1.5)
        assert len(rest(connection)) < 16_000_000


def test_who_takes_it_slowly_gets_it(hasty, large):
    with connected(hasty, SO_RCVBUF=65536) as connection:
        connection.sendall(head(hasty, f"GET {large}", "Connection: close") + b"\r\n")
        size, until_now = 0, time.monotonic()
        while part := connection.recv(300_000):
            size += len(part)
            time.sleep(0.005)  # so that the server sees some of it taken in every tenth of a second
        assert time.monotonic() - until_now > 0.8
        assert size > 16 * 2**20


def test_files_of_models_are_not_compressed(hasty, large):
    answer = hasty.client.get(large, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    assert len(answer.content) > 16 * 2**20
    for number in range(20):
        hasty.put(f"compressed{number}", description="x" * 1000)
    answer = hasty.client.get("/things", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"


def test_a_model_that_is_sent_waits_on_the_disk(shared, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    request = head(shared, "POST /models?name=slow", BINARY, f"Content-Length: {2 * 2**20}") + b"\r\n"
    with connected(shared) as connection:
        connection.sendall(request + b"\0" * 2**20)
        until(lambda: [one for one in tmp_path.glob("*/model.tflite") if one.stat().st_size > 900_000])
    until(lambda: not list(tmp_path.iterdir()))


def test_sixteen_models_are_sent_at_one_time_and_no_more(shared):
    request = head(shared, "POST /models?name=slow", BINARY, "Content-Length: 1000") + b"\r\n"
    turns = shared.app.state.service.sending
    with ExitStack() as stack:
        for number in range(16):
            stack.enter_context(connected(shared)).sendall(request + b"\0")
            until(lambda number=number: turns._limiter.borrowed_tokens == number + 1)
        with connected(shared) as last:
            last.sendall(request)  # and nothing of its body
            assert status(last.recv(65536)) == 503
    until(lambda: not turns._limiter.borrowed_tokens)
    assert shared.client.put("/things/urn:example:after", json=thing("after")).status_code == 201

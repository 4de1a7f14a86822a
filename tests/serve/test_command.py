"""`shoal serve`, and the process that it is."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack

import httpx
import pytest
from cyclopts import App

from shoal.catalog import Catalog
from shoal.cli.serve import serve
from shoal.errors import ConfigError
from shoal.serve import server
from tests.serve.serving import thing, until

PROGRAM = (
    "from cyclopts import App; from shoal.cli.serve import serve; app = App(); app.default(serve); app()"
)

FEW_FILES = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)); "


def shoal_serve(*tokens):
    app = App()
    app.default(serve)
    call, bound, _ = app.parse_args([str(token) for token in tokens], print_error=False, exit_on_error=False)
    return call(*bound.args, **bound.kwargs)


@pytest.fixture
def process(tmp_path):
    """A directory in a process of its own, and where it is."""
    file = tmp_path / "site.shoal"
    started = []

    def start(*options, before=""):
        command = [sys.executable, "-c", before + PROGRAM, "--catalog", str(file), "--port", "0", *options]
        started.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        line = ""
        while "http://" not in line:
            line = started[-1].stderr.readline()
            assert line, "it ended"
        return started[-1], re.search(r"http://\S+/(?= )", line)[0]

    yield start
    for one in started:
        one.kill()
        one.wait()
        one.stderr.close()


def test_tokens_are_made_once_and_kept_as_hashes(tmp_path, capsys):
    shoal_serve(
        "--catalog", tmp_path / "site.shoal", "--new-token", "operator", "--note", "gateway of hall 7"
    )
    token = capsys.readouterr().out.strip()
    assert re.fullmatch(r"shoal_[\w-]{43}", token)
    written = (tmp_path / "site.shoal.tokens").read_text()
    assert re.fullmatch(r"operator [0-9a-f]{64} gateway of hall 7\n", written)
    assert token not in written
    assert not (tmp_path / "site.shoal").exists()


def test_a_process_serves_until_it_is_told_to_stop(process, tmp_path, capsys):
    shoal_serve("--catalog", tmp_path / "site.shoal", "--new-token", "operator")
    headers = {"Authorization": f"Bearer {capsys.readouterr().out.strip()}"}
    for number, told in enumerate((signal.SIGTERM, signal.SIGINT)):
        one, url = process()
        answer = httpx.put(
            f"{url}things/urn:example:{number}", json=thing(number), headers=headers, timeout=30
        )
        assert answer.status_code == 201
        with httpx.stream("GET", f"{url}events", headers=headers) as stream:
            next(stream.iter_lines())
            one.send_signal(told)
            assert one.wait(20) == 0
    with Catalog(tmp_path / "site.shoal") as catalog:
        assert catalog.store.ids("device") == ["urn:example:0", "urn:example:1"]
        assert catalog.check() == []


def test_what_was_answered_outlives_a_kill(process, tmp_path):
    one, url = process("--open")
    acknowledged = []
    with httpx.Client(base_url=url, timeout=30) as client:
        for number in range(30):
            assert (
                client.put(f"/things/urn:example:{number:02}", json=thing(f"{number:02}")).status_code == 201
            )
            acknowledged.append(f"urn:example:{number:02}")
    os.kill(one.pid, signal.SIGKILL)
    one.wait()
    with Catalog(tmp_path / "site.shoal") as catalog:
        assert catalog.store.ids("device") == acknowledged
        assert catalog.store.check() == []


def test_without_tokens_nobody_is_let_in_and_it_says_so(process):
    one, url = process()
    assert httpx.get(f"{url}things", timeout=30).status_code == 401
    told = one.stderr.readline() + one.stderr.readline()
    assert "nobody is let in" in told
    assert "shoal serve --new-token admin" in told


def test_a_port_that_is_taken():
    with (
        Catalog(None) as catalog,
        server.listening("127.0.0.1", 0) as taken,
        pytest.raises(ConfigError, match="cannot listen: Address already in use"),
    ):
        server.serve(catalog, port=taken.getsockname()[1])
    for wrong in (-1, 70_000):
        with pytest.raises(ConfigError, match="not from 0"), server.listening("127.0.0.1", wrong):
            pass


def test_the_address_is_one_that_a_browser_takes():
    with server.listening("127.0.0.1", 0) as one:
        assert server.address(one) == f"http://127.0.0.1:{one.getsockname()[1]}/"
    try:
        with server.listening("::1", 0) as one:
            assert server.address(one) == f"http://[::1]:{one.getsockname()[1]}/"
    except ConfigError:
        pytest.skip("this machine has no IPv6")


def test_a_note_is_of_a_token(tmp_path):
    with pytest.raises(ConfigError, match="a note is of a token"):
        shoal_serve("--catalog", tmp_path / "site.shoal", "--note", "whose?")


def test_streams_end_with_the_server(directory):
    with httpx.stream("GET", f"{directory.url}/events", headers=directory.of("viewer")) as stream:
        next(stream.iter_lines())
        until(lambda: directory.app.state.service.feed.readers == 1)
    until(lambda: directory.app.state.service.feed.readers == 0)


def test_tokens_in_plain_text_are_told_of(process):
    one, _ = process("--host", "0.0.0.0")
    assert "plain HTTP" in one.stderr.readline()


def where(url):
    host, port = url.removeprefix("http://").rstrip("/").split(":")
    return host, int(port)


def test_many_who_say_half_a_request_leave_files_for_the_catalog(process):
    one, url = process("--open", before=FEW_FILES)
    with ExitStack() as stack:
        for _ in range(400):
            connection = stack.enter_context(socket.create_connection(where(url), timeout=20))
            connection.sendall(b"GET /catalog HTTP/1.1\r\nHost: localhost\r\n")
        for number in range(5):
            answer = httpx.put(f"{url}things/urn:example:{number}", json=thing(number), timeout=30)
            assert answer.status_code == 201
            assert httpx.get(f"{url}match/coverage", timeout=30).status_code == 200
    one.terminate()
    assert one.wait(20) == 0
    assert one.stderr.read() == ""


def test_it_asks_for_the_files_that_its_connections_need():
    resource = pytest.importorskip("resource", reason="a system without limits of files")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        assert server.files(300) == 300
        assert server.files(100) == 300  # it never takes any away
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_who_leaves_while_he_sends_is_no_failure_of_the_server(process):
    one, url = process("--open")
    for path in ("things/urn:example:1", "models?name=m"):
        method = "POST" if path.startswith("models") else "PUT"
        request = f"{method} /{path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{{"
        with socket.create_connection(where(url)) as connection:
            connection.sendall(request.encode())
            time.sleep(0.2)
    assert httpx.get(f"{url}catalog", timeout=30).status_code == 200
    one.terminate()
    assert one.wait(20) == 0
    assert one.stderr.read() == ""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data() -> Path:
    """Folder of the test data."""
    default = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("SHOAL_DATA") or default)
    if not folder.is_dir():
        pytest.skip("SHOAL_DATA is not set and ../shared/data does not exist")
    return folder


class Quiet(SimpleHTTPRequestHandler):
    """A file server; /short promises more than it sends, /endless promises nothing."""

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path not in ("/short", "/endless"):
            super().do_GET()
            return
        self.send_response(200)
        if self.path == "/short":
            self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x" * 500)


@pytest.fixture
def serve() -> Iterator:
    """Serve a folder over HTTP on the loopback; returns its address."""
    servers = []

    def start(folder: Path) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()

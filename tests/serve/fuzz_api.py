"""Whatever is sent to the API as it describes itself: no answer is a failure of the server.

Run as `python -m tests.serve.fuzz_api [EXAMPLES]`, 1,000 for each operation by default.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from shoal.catalog.documents import Deployment, Model
from shoal.serve.openapi import TD_EXAMPLE
from tests.serve.serving import served

SETTINGS = {"requests": 1e6, "queries": 1e6, "query_seconds": 2.0}


def run(folder, examples, *options):
    """Fuzz a directory in a folder; returns what the program says, and its exit code."""
    with served(folder, settings=SETTINGS) as directory:
        # What the examples of the description name.
        assert directory.client.put(f"/things/{TD_EXAMPLE['id']}", json=TD_EXAMPLE).status_code == 201
        model = Model(sha256="1" * 64, name="keywords", version="1.0.0", format="tflite", size=1)
        directory.catalog.add(model)
        directory.catalog.alias("keywords", "champion", "keywords")
        directory.catalog.add(Deployment(key="hall-7", model=model.sha256, device=TD_EXAMPLE["id"]))
        command = [
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{directory.url}/openapi.json",
            *("--header", f"Authorization: {directory.of('admin')['Authorization']}"),
            *("--checks", "not_a_server_error", "--max-examples", str(examples)),
            # The streams of events have no end.
            *("--exclude-path-regex", "^/events", "--no-color", *options),
        ]
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert directory.catalog.check() == []
    return result.stdout, result.returncode


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        said, code = run(Path(place), int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
    sys.stdout.write(said)
    sys.exit(code)

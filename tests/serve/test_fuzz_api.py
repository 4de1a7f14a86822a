"""A short run of the fuzzer of the API; a long one: python -m tests.serve.fuzz_api."""

from __future__ import annotations

import re

import pytest

from tests.serve.fuzz_api import run

pytest.importorskip("schemathesis", reason="pip install schemathesis")


def test_no_answer_is_a_failure_of_the_server(tmp_path):
    said, code = run(tmp_path, 2, "--generation-deterministic", "--phases", "examples,coverage")
    assert code == 0, said
    assert int(re.search(r"(\d+) generated, \1 passed", said)[1]) > 500, said

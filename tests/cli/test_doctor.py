"""`shoal doctor`."""

from __future__ import annotations

import json

import pytest

from shoal import runtime
from shoal.cli import checks, doctor


def test_it_works_here_and_says_so_in_json(shoal):
    done = shoal("doctor", "--format", "json")
    assert done.returncode == 0, done.stdout
    assert done.stderr == ""
    answer = json.loads(done.stdout)
    assert answer["ok"] is True
    found = {check["name"]: check for check in answer["checks"]}
    essential = {name for name, check in found.items() if check["essential"]}
    assert essential == {"python", "numpy", "runtime", "width", "self-check"}
    assert all(found[name]["status"] == "ok" for name in essential)
    assert all(check["try"] for check in answer["checks"] if check["status"] != "ok")


def test_the_table_names_every_check_and_what_to_do(shoal):
    done = shoal("doctor", SHOAL_DATA="/nowhere")
    assert done.returncode == 0
    for check in checks.checks():
        assert check.name in done.stdout
    assert "/nowhere does not exist" in done.stdout
    assert done.stdout.rstrip().endswith("the essentials work")


@pytest.mark.parametrize("build", ["baseline", "avx2", "avx512", "neon"])
def test_every_build_learns_the_same_bits(shoal, build):
    builds = runtime.builds()
    if build not in builds or builds.index(build) < builds.index(runtime.isa()):
        pytest.skip(f"this processor does not run {build}")
    done = shoal("doctor", "--format", "json", SHOAL_ISA=build)
    assert done.returncode == 0, done.stdout
    found = {check["name"]: check["value"] for check in json.loads(done.stdout)["checks"]}
    assert found["runtime"].startswith(f"{build} in use")
    assert "at widths 1, 8, 16" in found["self-check"]


def test_a_runtime_that_cannot_be_used_fails(shoal):
    done = shoal("doctor", "--format", "json", SHOAL_ISA="abacus")
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert answer["ok"] is False
    failed = {check["name"] for check in answer["checks"] if check["status"] == "failed"}
    assert failed == {"runtime", "self-check"}


def test_other_bits_fail_the_self_check(monkeypatch, capsys):
    monkeypatch.setattr(checks, "KNOWN", checks.KNOWN ^ 1)
    assert [check.status for check in checks.self_check()] == ["failed"]
    assert doctor.doctor() == 1
    assert "an essential part does not work" in capsys.readouterr().out


def test_the_self_check_learns():
    assert checks.fingerprint(1) == checks.fingerprint(8) == checks.KNOWN != 0

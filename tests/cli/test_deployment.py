"""Deployments from the command line, as a user goes through them."""

from __future__ import annotations

import pytest

from shoal import nn
from tests.cli.conftest import answer, called


@pytest.fixture
def run(tmp_path):
    def call(*arguments, code=0):
        done = called(*arguments, cwd=tmp_path)
        assert done.returncode == code, done.stderr
        return done

    net = nn.Network([nn.Dense(8, "relu"), nn.Dense(3)], input_shape=(12,), loss="mse", seed=0)
    net.save(tmp_path / "fan.shoal")
    call("model", "add", "fan.shoal", "--sensor", "acceleration", "--licence", "MIT")
    call("device", "add", "--board", "nano33ble", "--title", "Press", "--id", "urn:dev:press")
    call("device", "add", "--board", "pico", "--title", "Hall", "--id", "urn:dev:hall")
    return call


def test_a_deployment_from_the_plan_to_its_end(run):
    done = run("deployment", "plan", "fan", "Press", "--key", "press-1")
    assert done.stdout.startswith("fan:1.0.0 on Press\n")
    assert "next  shoal deployment report press-1 active\n" in done.stderr
    (planned,) = answer(run("deployment", "list", "--format", "json"))
    sha256 = answer(run("model", "show", "fan", "--format", "json"))["sha256"]
    assert planned == {"key": "press-1", "status": "planned", "model": sha256, "device": "urn:dev:press"}
    started = ("--started", "2026-03-01T12:00:00Z")
    run("deployment", "report", "press-1", "active", "--checksum", "d5391667", *started)
    run("deployment", "report", "press-1", "failed", "--note", "no power")
    shown = answer(run("deployment", "show", "press-1", "--format", "json"))
    assert shown == planned | {
        "status": "failed",
        "checksum": "d5391667",
        "started": "2026-03-01T12:00:00Z",
        "note": "no power",
    }
    assert "no power" in run("deployment", "show", "press-1").stdout
    table = run("deployment", "list").stdout.splitlines()
    assert table[0] == "1 deployment"
    assert table[2].split() == ["press-1", "fan:1.0.0", "Press", "failed", "no", "power"]
    events = answer(run("catalog", "history", "deployment", "press-1", "--format", "json"))
    assert [one["action"] for one in events] == ["created", "updated", "updated"]
    run("catalog", "remove", "deployment", "press-1")
    assert answer(run("deployment", "list", "--format", "json")) == []


def test_what_runs_somewhere_is_kept_until_it_ends(run):
    key = answer(run("deployment", "plan", "fan", "Press", "--format", "json"))["key"]
    for kind, name in (("device", "Press"), ("model", "fan")):
        assert f"needed by the deployment '{key}'" in run("catalog", "remove", kind, name, code=1).stderr
    run("deployment", "report", key, "removed")
    run("catalog", "remove", "device", "Press")
    assert "fan:1.0.0  urn:dev:press" in run("deployment", "list").stdout
    assert run("deployment", "show", key).stdout.startswith("fan:1.0.0 on urn:dev:press\n")
    assert "0 problems" in run("catalog", "check").stdout


def test_a_plan_says_what_it_lacks(run):
    assert "it does not fit: sensor: acceleration" in run("deployment", "plan", "fan", "Hall").stderr
    assert "fit" not in run("deployment", "plan", "fan", "Press").stderr
    assert "1 more: --limit 2" in run("deployment", "list", "--limit", "1").stderr


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["plan", "fans", "Press"], "no model 'fans'"),
        (["plan", "fan", "nobody"], "no device 'nobody'"),
        (["plan", "fan", "Press", "--key", "taken"], "there is a deployment 'taken' already"),
        (["plan", "fan", "Press", "--key", "a b"], "key: string should match pattern"),
        (["report", "none", "active"], "no deployment 'none'"),
        (
            ["report", "taken", "active", "--started", "yesterday"],
            "started: input should be a valid datetime",
        ),
        (["show", "none"], "no deployment 'none'"),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(run, arguments, what):
    run("deployment", "plan", "fan", "Press", "--key", "taken")
    before = run("catalog", "check").stdout
    assert what in run("deployment", *arguments, code=1).stderr
    assert run("catalog", "check").stdout == before


def test_a_status_is_one_of_four(run):
    assert "planned" in run("deployment", "report", "a", "gone", code=2).stderr

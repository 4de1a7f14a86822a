"""What holds for every command: help, errors, exit codes, streams."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest

import shoal as package
from shoal.cli import app
from shoal.cli.model import footprint
from tests.cli.conftest import environment

GROUPS = ["board", "catalog", "deployment", "device", "model"]
COMMANDS = sorted(
    [*GROUPS, "build", "demo", "doctor", "emulate", "find", "match", "query", "report", "run", "serve"]
)
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9]")


def test_without_arguments_it_shows_help(shoal):
    done = shoal()
    assert done.returncode == 0
    assert done.stderr == ""
    assert all(command in done.stdout for command in COMMANDS)
    assert done.stdout == shoal("-h").stdout == shoal("--help").stdout


@pytest.mark.parametrize("command", [*(name for name in COMMANDS if name not in GROUPS), "model footprint"])
def test_every_command_has_help_from_its_docstring(shoal, command):
    done = shoal(*command.split(), "-h")
    assert done.returncode == 0
    assert done.stderr == ""
    assert f"Usage: shoal {command}" in done.stdout
    call = footprint if command == "model footprint" else getattr(app, command)
    assert call.__doc__.splitlines()[0].split(":")[0] in " ".join(done.stdout.split())
    described = {"CatalogOption": "The catalog's file;", "FormatOption": "table, or json for programs."}
    said = call.__annotations__.items()
    assert all(text in done.stdout for _, kind in said if (text := described.get(kind)))
    parameters = [name for name, kind in said if name != "return" and kind not in described]
    assert all(re.search(rf"^    {name}$", call.__doc__, re.MULTILINE) for name in parameters)


def test_version(shoal):
    assert shoal("--version").stdout == f"shoal {package.__version__}\n"


def test_the_names_of_commands_are_all_there():
    assert sorted(app.names()) == COMMANDS


@pytest.mark.parametrize(
    ("arguments", "what", "where", "hint"),
    [
        (["rnu"], "unknown command 'rnu'", "shoal", "shoal run"),
        (["xyzzy"], "unknown command 'xyzzy'", "shoal", "shoal -h"),
        (["demo", "--sed", "3"], "unknown option '--sed'", "shoal demo", "shoal demo --seed"),
        (["run", "a.toml", "--resum"], "unknown option '--resum'", "shoal run", "shoal run --resume"),
        (["doctor", "--zzz=1"], "unknown option '--zzz'", "shoal doctor", "shoal doctor -h"),
        (["run"], "FILE is missing", "shoal run", "shoal run -h"),
        (["demo", "--seed"], "--seed needs a value", "shoal demo", "shoal demo -h"),
        (["demo", "--seed", "x"], 'unable to convert "x" into int', "shoal demo", "shoal demo -h"),
        (["doctor", "--format", "xml"], '"xml" for --format', "shoal doctor", "shoal doctor -h"),
        (["report", "a", "b"], "unused", "shoal report", "shoal report -h"),
    ],
)
def test_a_wrong_command_line_is_explained(shoal, arguments, what, where, hint):
    done = shoal(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("error: ")
    assert what in lines[0]
    assert lines[1:] == [f"  where  {where}", f"  try    {hint}"]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["demo", "--rounds", "0"], "rounds"),
        (["demo", "--seed", "-1"], "seed"),
        (["run", "none.toml"], "cannot read"),
        (["report", "nowhere"], "there is no folder 'nowhere'"),
        (["report", "."], "no run: 'run.json' is missing"),
    ],
)
def test_what_fails_is_explained_without_a_traceback(shoal, tmp_path, arguments, what):
    done = shoal(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.search(rf"^error: .*{re.escape(what)}", done.stderr, re.MULTILINE)
    assert "\n  where  " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_pipe_gets_no_escapes(shoal):
    for arguments in (["-h"], ["doctor"], ["rnu"]):
        done = shoal(*arguments)
        assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
@pytest.mark.parametrize(
    ("changes", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_a_terminal_gets_colours_unless_told_otherwise(changes, coloured):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "shoal", "rnu"]
    env = environment(**({"TERM": "xterm-256color"} | changes))
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=env) as process:
        os.close(theirs)
        text = b""
        try:
            while part := os.read(ours, 4096):
                text += part
        except OSError:  # Linux: the other end is closed
            pass
    os.close(ours)
    assert process.returncode == 2
    assert b"unknown command" in text
    assert bool(COLOUR.search(text.decode())) is coloured


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGPIPE")
def test_a_reader_that_goes_away_makes_no_noise():
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "shoal", "doctor", "--format", "json"]
    with subprocess.Popen(
        command, stdout=write, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        os.close(write)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in stderr
    assert "Exception ignored" not in stderr

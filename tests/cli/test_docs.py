"""What docs/cli.md shows is what happens: its transcripts are run."""

from __future__ import annotations

import re

import pytest

from tools import transcribe

TEXT = transcribe.PAGE.read_text(encoding="utf-8")
TRANSCRIPTS = transcribe.transcripts(TEXT)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return transcribe.workplace(tmp_path_factory.mktemp("docs"))


@pytest.mark.parametrize(("command", "expected"), TRANSCRIPTS, ids=[command for command, _ in TRANSCRIPTS])
def test_a_transcript_is_real(place, command, expected):
    if command == "demo":
        pytest.importorskip("sklearn", reason="scikit-learn (the demo's digits) is not installed")
    if command == "report runs/sine":
        pytest.importorskip("matplotlib", reason="matplotlib (the report's plots) is not installed")
        if not (place / "runs" / "sine").exists():
            pytest.skip("needs the transcript of `shoal run` before it")
    assert transcribe.answer(command, place) == expected, "python tools/transcribe.py writes them anew"


def test_the_transcripts_are_found():
    assert {command.split()[0] for command, _ in TRANSCRIPTS} == {"-h", "rnu", "demo", "run", "report"}


def test_every_option_and_exit_code_is_documented(shoal):
    for command in ("demo", "run", "report", "model footprint", "build", "emulate", "doctor"):
        assert f"## shoal {command}\n" in TEXT
        for option in re.findall(r"--[a-z][a-z-]*[a-z]", shoal(*command.split(), "-h").stdout):
            assert option in TEXT, f"{command} {option}"
    assert set(re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)) == {"0", "1", "2", "130"}


def test_the_picture_is_small_and_follows_the_theme():
    picture = transcribe.ROOT / "docs" / "images" / "adaptation.svg"
    text = picture.read_text(encoding="utf-8")
    assert picture.stat().st_size < 100_000
    assert "prefers-color-scheme:dark" in text
    assert "meta-learnt" in text

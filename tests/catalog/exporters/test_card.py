"""Model cards: metadata that YAML reads, text that shows what the document says."""

from __future__ import annotations

from typing import Any

import pytest

from shoal.catalog import exporters
from shoal.catalog.documents import Model
from shoal.errors import DocumentError

MODEL = Model.checked(
    {
        "sha256": "a" * 64,
        "name": "wake",
        "version": "1.0.0",
        "format": "tflite",
        "size": 18712,
        "licence": "Apache-2.0",
        "task": "classification",
        "dataset": "google/speech_commands",
        "tags": ["audio", "tflite"],
        "metrics": [{"name": "accuracy", "value": 0.921}],
        "operators": [{"name": "CONV_2D", "dtype": "int8", "version": 3, "count": 2}],
        "inputs": [{"dtype": "int8", "shape": [1960]}],
        "outputs": [{"dtype": "int8", "shape": [2], "labels": ["yes", "no | maybe"]}],
        "input": {"sensors": [{"observes": "sound", "rate_hz": 16000}]},
        "inference": {"bytes": 8080, "provenance": "measured", "method": "on a board"},
    }
)


def parts(text: str) -> tuple[Any, str]:
    """Return metadata and text of a card."""
    yaml = pytest.importorskip("yaml", reason="pip install pyyaml")
    start, front, body = text.split("---\n", 2)
    assert start == ""
    return yaml.safe_load(front), body


def test_the_metadata() -> None:
    front, _ = parts(exporters.dump([MODEL], "card"))
    assert front == {
        "license": "apache-2.0",
        "library_name": "tflite",
        "pipeline_tag": "audio-classification",
        "tags": ["tinyml", "tflite", "audio"],
        "datasets": ["google/speech_commands"],
        "metrics": ["accuracy"],
        "model-index": [
            {
                "name": "wake",
                "results": [
                    {
                        "task": {"type": "audio-classification"},
                        "dataset": {"name": "google/speech_commands", "type": "google/speech_commands"},
                        "metrics": [{"type": "accuracy", "value": 0.921}],
                    }
                ],
            }
        ],
    }


def test_the_text() -> None:
    _, body = parts(exporters.dump([MODEL], "card"))
    assert "| Input | int8, 1960 |" in body
    assert "| Output | int8, 2: yes, no \\| maybe |" in body
    assert "| Observed: sound | 16000 Hz |" in body
    assert "| RAM to answer | 8,080 bytes, measured (on a board) |" in body
    assert "- CONV_2D (int8, version 3): 2" in body


@pytest.mark.parametrize(
    "text",
    ["a: b", "- x", "---", "'", '"', "\\", "{x}", "&a *b !c", "yes", "1e3", "\u2028 \x85 ü 漢", "#", "a\nb"],
)
def test_no_text_breaks_the_metadata(text: str) -> None:
    model = MODEL.model_copy(update={"tags": (text,), "licence": text, "description": f"---\n{text}"})
    front, _ = parts(exporters.dump([model], "card"))
    assert front["tags"] == ["tinyml", "tflite", text]
    assert front["license"] == text.lower()


def test_no_text_becomes_markup() -> None:
    model = MODEL.model_copy(update={"title": "<script>x</script>", "creator": "a | b\n\n# c"})
    _, body = parts(exporters.dump([model], "card"))
    assert "<script" not in body
    assert "| Creator | a \\| b # c |" in body


def test_a_model_of_which_little_is_known() -> None:
    bare = Model(sha256="0" * 64, name="wake", version="1.0.0", format="other", size=0)
    front, body = parts(exporters.dump([bare], "card"))
    assert front == {"tags": ["tinyml", "other"]}
    assert "| Licence | not stated |" in body


def test_a_card_is_of_one_model() -> None:
    with pytest.raises(DocumentError, match="2 models, a card is of one"):
        exporters.dump([MODEL, MODEL], "card")

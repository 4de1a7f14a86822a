"""All formats by their names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from shoal.catalog import exporters
from shoal.catalog.documents import Device
from shoal.errors import ConfigError, DocumentError

if TYPE_CHECKING:
    from shoal.catalog.importers import Imported


def test_descriptions_are_as_they_were_given(imported: Imported) -> None:
    devices = [one for one in imported.documents if isinstance(one, Device)]
    assert json.loads(exporters.dump(imported.documents, "td")) == [one.td for one in devices]
    assert json.loads(exporters.dump(devices[:1], "td")) == devices[0].td


def test_json_ld_says_what_turtle_says(imported: Imported) -> None:
    pyoxigraph = pytest.importorskip("pyoxigraph")
    formats = pyoxigraph.RdfFormat

    def triples(text: str, format: Any) -> Any:
        dataset = pyoxigraph.Dataset(quad for quad in pyoxigraph.parse(text, format=format))
        dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.UNSTABLE)
        return {str(quad) for quad in dataset}

    some = imported.documents[:3]
    assert triples(exporters.dump(some, "turtle"), formats.TURTLE) == triples(
        exporters.dump(some, "jsonld"), formats.JSON_LD
    )


@pytest.mark.parametrize("format", ["td", "card", "cyclonedx", "mldcat", "reference"])
def test_nothing_to_export_is_said(format: exporters.Format) -> None:
    with pytest.raises(DocumentError):
        exporters.dump([], format)


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ConfigError, match="no format 'xml'"):
        exporters.dump([], cast("exporters.Format", "xml"))

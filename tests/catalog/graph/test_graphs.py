"""The graphs of documents: their terms exist, their shapes hold, broken ones are found."""

from __future__ import annotations

import json

import pytest
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse

from shoal.catalog import importers
from shoal.catalog.documents import KINDS, Board, Capacity, Device, Hardware, Query
from shoal.catalog.graph import jsonld, quads, triples_of, turtle, violations
from shoal.catalog.graph.view import vocabulary
from shoal.catalog.vocabulary import SHOAL, document_iri, expand, graph_iri
from shoal.errors import DocumentError


def test_every_kind_has_a_graph_about_its_document(documents):
    assert {one.kind for one in documents} == set(KINDS)
    for one in documents:
        subjects = {triple.subject.value for triple in triples_of(one)}
        assert document_iri(one.kind, one.id) in subjects
        assert {quad.graph_name.value for quad in quads(one)} == {graph_iri(one.kind, one.id)}


def test_every_term_of_ours_is_defined(documents):
    defined = {quad.subject.value for quad in vocabulary()}
    used = {
        term.value
        for one in documents
        for triple in triples_of(one)
        for term in (triple.predicate, triple.object)
        if isinstance(term, NamedNode) and term.value.startswith(SHOAL)
    }
    assert len(used) > 60
    assert used <= defined


def test_turtle_and_jsonld_say_the_same(documents):
    for one in documents:
        triples = triples_of(one)
        text = turtle(triples)
        again = [quad.triple for quad in parse(text, format=RdfFormat.TURTLE)]
        assert len(again) == len(triples)
        json.loads(jsonld(triples))
        theirs = list(parse(jsonld(triples), format=RdfFormat.JSON_LD))
        assert len(theirs) == len(triples)


def test_numbers_keep_all_their_digits(make_model):
    model = make_model(metrics=[{"name": "accuracy", "value": 0.1 + 0.2}])
    values = [
        one.object.value for one in triples_of(model) if one.predicate.value == "https://schema.org/value"
    ]
    assert [float(one) for one in values] == [0.1 + 0.2]


def test_the_boards_of_a_catalog_fill_up_a_device(make_thing):
    device = Device.checked(make_thing(**{"shoal:hardware": {"board": "mine"}, "links": []}))
    board = Board(name="mine", hardware=Hardware(ram=Capacity(total=1000, reserved=10)))
    free = NamedNode(expand("shoal:free"))
    assert not [one for one in triples_of(device) if one.predicate == free]
    filled = triples_of(device, {"mine": board.hardware})
    assert [one.object.value for one in filled if one.predicate == free] == ["990"]


def test_an_id_that_is_no_iri_is_refused(make_thing):
    device = Device.model_construct(td=make_thing(id="urn:dev:%zz"))
    try:
        triples_of(device)
    except DocumentError as error:
        assert error.fields[0][0] == "id"  # noqa: PT017 - an engine may take it


needs_pyshacl = pytest.importorskip("pyshacl", reason="pip install 'shoal[validate]'")


def test_all_our_graphs_conform(documents):
    for one in documents:
        assert violations(triples_of(one)) == [], one.kind


def test_the_graphs_of_the_reference_data_conform(seloc):
    folder = seloc / "semantic_description"
    imported = importers.load(sorted(folder.glob("*.ttl")))
    assert len(imported.documents) == 32
    assert violations([one for document in imported.documents for one in triples_of(document)]) == []


def without(name):
    return lambda triples: [one for one in triples if one.predicate.value != expand(name)]


def changed(name, value):
    return lambda triples: [
        Triple(one.subject, one.predicate, value) if one.predicate.value == expand(name) else one
        for one in triples
    ]


@pytest.mark.parametrize(
    ("kind", "breaks", "said"),
    [
        ("model", without("schema:name"), "a model has one name"),
        ("model", without("schema:version"), "a model has one version"),
        ("model", without("dcat:distribution"), "distribution"),
        ("model", changed("schema:identifier", Literal("wake")), "SHA-256"),
        ("model", changed("qudt:hasUnit", NamedNode(expand("unit:KiloBYTE"))), "memory is in bytes"),
        ("model", changed("qudt:numericValue", Literal(-1)), "one number of bytes"),
        ("model", changed("shoal:dtype", Literal("int9")), "dtype"),
        ("model", changed("shoal:macs", Literal("3.36e+05")), "macs"),
        ("device", without("td:title"), "a Thing has a title"),
        ("device", without("td:hasSecurityConfiguration"), "which security"),
        ("device", without("hctl:hasTarget"), "hasTarget|form with a target"),
        ("device", without("sosa:observes"), "a sensor observes one property"),
        ("device", changed("shoal:reserved", Literal(10**9)), "no more is reserved"),
        ("device", changed("schema:minValue", Literal(10**6)), "from a lower to a higher"),
        ("board", without("qudt:hasUnit"), "in bytes|in Hz"),
        ("deployment", changed("shoal:status", Literal("maybe")), "status"),
        ("run", changed("shoal:rounds", Literal(-1)), "rounds"),
        ("measurement", without("sosa:hasSimpleResult"), "hasSimpleResult"),
        ("learning", changed("shoal:accuracy", Literal(92.1)), "accuracy"),
        ("alias", without("shoal:model"), "model"),
    ],
)
def test_broken_graphs_do_not_conform(kind, breaks, said, documents):
    triples = next(triples_of(one) for one in documents if one.kind == kind)
    broken = breaks(triples)
    assert broken != triples
    found = violations(broken)
    assert any(part in "\n".join(found) for part in said.split("|")), found


def test_a_query_document_keeps_its_text(documents):
    query = next(one for one in documents if isinstance(one, Query))
    assert any(one.object == Literal(query.sparql) for one in triples_of(query))

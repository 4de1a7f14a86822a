"""JSON-LD is read as other parsers read it, and what is malicious is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import (
    BlankNode,
    CanonicalizationAlgorithm,
    Dataset,
    NamedNode,
    Quad,
    RdfFormat,
    parse,
    serialize,
)

from shoal.catalog.graph import description
from shoal.catalog.graph.contexts import BUNDLED, parts
from shoal.catalog.graph.jsonld import read
from shoal.errors import DocumentError

TD = "https://www.w3.org/2022/wot/td/v1.1"
BASE = "urn:shoal:thing:x/"


def same(ours, theirs) -> bool:
    """Whether two lists of triples are the same graph."""

    def canonical(triples):
        graph = Dataset(Quad(one.subject, one.predicate, one.object) for one in reached(list(triples)))
        graph.canonicalize(CanonicalizationAlgorithm.UNSTABLE)
        return set(map(str, graph))

    return canonical(ours) == canonical(theirs)


def reached(triples):
    """Return the triples that some name leads to: the engine also gives lists that nothing refers to."""
    known = {one.subject for one in triples if isinstance(one.subject, NamedNode)}
    while (
        new := {one.object for one in triples if one.subject in known and isinstance(one.object, BlankNode)}
        - known
    ):
        known |= new
    return [one for one in triples if one.subject in known]


def inlined(context):
    """Return a context with the bundled ones in it, for parsers that have none."""
    if isinstance(context, list):
        return [inlined(one) for one in context]
    return parts()[BUNDLED[context]] if isinstance(context, str) else context


def by_the_engine(document):
    text = json.dumps(document | {"@context": inlined(document["@context"])})
    return [quad.triple for quad in parse(text, format=RdfFormat.JSON_LD, base_iri=BASE)]


def test_a_description_reads_as_the_engine_reads_it(make_thing):
    td = make_thing()
    ours = read(td, BASE)
    assert len(ours) > 60
    assert same(ours, by_the_engine(td))


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
def test_a_description_reads_as_rdflib_reads_it(make_thing):
    rdflib = pytest.importorskip("rdflib", reason="pip install rdflib")
    from rdflib.compare import isomorphic

    td = make_thing()
    # rdflib writes rdf:JSON and floats in its own way.
    del td["properties"]["mode"]
    theirs, ours = rdflib.Graph(), rdflib.Graph()
    theirs.parse(data=json.dumps(td | {"@context": inlined(td["@context"])}), format="json-ld", base=BASE)
    ours.parse(data=serialize(read(td, BASE), format=RdfFormat.N_TRIPLES), format="nt")
    assert isomorphic(ours, theirs)


TEXT = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=6)
SIMPLE = TEXT | st.integers(-(10**6), 10**6) | st.booleans() | st.sampled_from([0.5, -1.25, 1e30])
NAMES = st.sampled_from(["a", "p:b", "https://example.org/c", "type", "label", "unknown", "@type"])
VALUES = st.recursive(
    SIMPLE,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES.filter(lambda one: one != "@type"), inner, max_size=3)
        | st.fixed_dictionaries({"@id": st.sampled_from(["urn:x", "p:y", "z", "_:n"])})
        | st.fixed_dictionaries({"@value": SIMPLE})
        | st.fixed_dictionaries({"@value": TEXT, "@language": st.sampled_from(["en", "de-AT"])})
        | st.fixed_dictionaries({"@list": st.lists(SIMPLE, max_size=3)})
    ),
    max_leaves=6,
)
DEFINITIONS = st.sampled_from(
    [
        "p:term",
        "https://example.org/term",
        {"@id": "p:term", "@type": "@id"},
        {"@id": "p:term", "@type": "@vocab"},
        {"@id": "p:term", "@type": "p:type"},
        {"@id": "p:term", "@container": "@list"},
        {"@id": "p:term", "@container": "@set"},
        {"@id": "p:term", "@language": "fr"},
        {"@id": "p:term", "@language": None},
        {"@id": "p:term", "@context": {"a": "p:inner", "label": "p:label"}},
        {"@id": "p:term", "@container": "@index", "@index": "label"},
        None,
    ]
)


@given(
    st.dictionaries(st.sampled_from(["a", "label", "other"]), DEFINITIONS, max_size=3),
    st.sampled_from([{}, {"@language": "en"}, {"@vocab": "https://example.org/vocabulary#"}]),
    st.dictionaries(st.sampled_from(["a", "p:b", "label", "other", "unknown"]), VALUES, max_size=4),
)
def test_any_document_reads_as_the_engine_reads_it(terms, settings, members):
    document = {"@context": {"p": "https://example.org/p#", **settings, **terms}, "@id": "urn:doc", **members}
    try:
        theirs = by_the_engine(document)
    except SyntaxError:
        return  # what the engine refuses may be read or refused here
    try:
        ours = read(document, BASE)
    except DocumentError as error:
        assert "is not read here" in str(error)  # noqa: PT017 - both outcomes are right
        return
    assert same(ours, theirs), document


@pytest.mark.parametrize(
    ("context", "place"),
    [
        ("http://169.254.169.254/latest", "@context"),
        ([TD, "https://example.org/mine"], "@context[1]"),
        ([TD, {"a": {"@id": "urn:a", "@context": "file:///etc/passwd"}}], "@context"),
        ([TD, {"@import": "https://example.org/mine"}], "@context[1].@import"),
        ([TD, {"@propagate": False}], "@context[1].@propagate"),
        (7, "@context"),
        ([TD, {"a": 7}], "@context[1].a"),
        ([TD, {"a": {"@id": 7}}], "@context[1].a.@id"),
        ([TD, {"a": {"@id": "urn:a", "@container": "@graph"}}], "@context[1].a.@container"),
        ([TD, {"a": {"@id": "urn:a", "@container": [["@index"]]}}], "@context[1].a.@container"),
        ([TD, {"a": {"@reverse": "urn:a"}}], "@context[1].a.@reverse"),
        ([TD, {f"t{i}": "urn:t" for i in range(2000)}], "@context[1]"),
    ],
)
def test_a_malicious_context_is_refused_with_its_place(context, place, make_thing):
    td = make_thing(**{"@context": context, "a": {"b": 1}})
    with pytest.raises(DocumentError) as error:
        description(td)
    assert error.value.fields[0][0].startswith(place.partition("[1].a")[0])


@pytest.mark.parametrize("member", ["@graph", "@reverse", "@included", "@nest"])
def test_what_a_description_has_no_use_for_is_refused(member, make_thing):
    with pytest.raises(DocumentError, match=f"{member}: is not read here"):
        description(make_thing(**{member: [{"@id": "urn:other", "title": "mine"}]}))


def test_a_context_within_is_refused_too(make_thing):
    td = make_thing()
    td["properties"]["mode"]["@context"] = "https://example.org/mine"
    with pytest.raises(
        DocumentError, match=r"properties.mode.@context: 'https://example.org/mine' is not fetched"
    ):
        description(td)


def test_a_circle_of_terms_ends():
    document = {"@context": {"a": "b:x", "b": "c:x", "c": "a:x"}, "@id": "urn:x", "a": 1}
    read(document, BASE)


@pytest.mark.parametrize("shape", ["object", "list", "value list"])
def test_deep_nesting_is_refused(shape):
    value = 1
    for _ in range(5000):
        value = {"object": {"p": value}, "list": [value], "value list": {"@list": [value]}}[shape]
    with pytest.raises(DocumentError, match="nested deeper"):
        read({"@context": {"p": "urn:p"}, "@id": "urn:x", "p": value}, BASE)


def test_own_terms_of_a_description_are_not_taken_at_their_word(make_thing):
    td = make_thing(**{"shoal:ram": {"shoal:free": 10**12}, "@type": ["Thing", "shoal:Model"]})
    shoal = "https://w3id.org/shoal/vocabulary#"
    for triple in description(td):
        assert not triple.predicate.value.startswith(shoal)
        assert not str(triple.object).startswith(f"<{shoal}")


def test_names_that_are_no_iris_say_nothing(make_thing):
    td = make_thing(
        security=["a b"], securityDefinitions={"a b": {"scheme": "nosec"}, "c>": {"scheme": "nosec"}}
    )
    predicates = [triple.predicate.value.rpartition("#")[2] for triple in description(td)]
    assert "hasSecurityConfiguration" not in predicates
    assert predicates.count("definesSecurityScheme") == 2


def test_half_a_character_is_refused():
    context = {"j": {"@id": "urn:j", "@type": "@json"}, "t": "urn:t"}
    for member in ("j", "t"):
        with pytest.raises(DocumentError, match="half of a character"):
            read(
                {"@context": context, "@id": "urn:x", member: ["\ud800"]},
                "urn:\ud800/" if member == "t" else BASE,
            )


def test_equal_documents_give_equal_triples(make_thing):
    assert description(make_thing()) == description(make_thing())
    first = {str(one) for one in description(make_thing(1)) if "_:" in str(one)}
    second = {str(one) for one in description(make_thing(2)) if "_:" in str(one)}
    assert first.isdisjoint(second)

"""Tokens, prefixes, parameters and what is refused."""

from __future__ import annotations

import time
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.catalog.documents import Query
from shoal.catalog.query import bound, filled, terms
from shoal.catalog.query.guard import check_allowed
from shoal.catalog.query.prepare import declared
from shoal.catalog.query.tokens import edited, iri_of, prefixes_of, tokens
from shoal.errors import QueryError


def kinds(text):
    return [(token.kind, token.text) for token in tokens(text)]


def test_strings_iris_and_comments_hide_what_is_in_them():
    text = """SELECT ?x { # SERVICE <a>
      ?x <urn:SERVICE#a> "SERVICE", 'it''s', \"""a "SERVICE" b\""", '''x' SERVICE''' ;
        ex:SERVICE\\,a $y , -1.5e3 . }"""
    found = kinds(text)
    assert ("word", "SERVICE") not in found
    assert ("name", "ex:SERVICE\\,a") in found
    assert ("variable", "$y") in found
    assert ("number", "1.5e3") in found


def test_a_dot_ends_a_name_and_a_number():
    assert kinds("?s ex:a.b.c. 1.") == [
        ("variable", "?s"),
        ("name", "ex:a.b.c"),
        ("sign", "."),
        ("number", "1."),
    ]


def test_less_than_is_no_iri():
    assert [text for _, text in kinds("FILTER(?a < ?b && ?c > 3)")].count("<") == 1


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }",
        "SELECT * { service silent ?x { ?s ?p ?o } }",
        "SELECT * {\n#\n SeRvIcE<http://a>{ } }",
        'SELECT * { ?s ?p "a\\"" SERVICE <urn:a> {} }',
        "LOAD <http://a>",
        "INSERT DATA { <urn:a> <urn:b> <urn:c> }",
        "DELETE WHERE { ?s ?p ?o }",
        "DROP ALL",
        "CLEAR GRAPH <urn:a>",
        "PREFIX a: <urn:a> COPY a: TO a:b",
    ],
)
def test_networks_and_changes_are_refused(query):
    with pytest.raises(QueryError, match="not allowed"):
        check_allowed(query, tokens(query))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT * { SERV\\u0049CE <http://a> {} }", "is not read"),
        ('SELECT ("\\u0022 . SERVICE" AS ?x) {}', "is not read"),
        ("SELECT * { `", "no SPARQL"),
        ('SELECT * { "open', "no SPARQL"),
        ("(" * 101, "nested deeper than 100"),
        ("a " * 50_001, "100,002 characters"),
    ],
)
def test_what_is_no_query_is_refused_with_its_place(query, said):
    with pytest.raises(QueryError, match=said):
        tokens(query)


@pytest.mark.parametrize(
    "piece", ["a.", "a.a", '"a" ', "<a", "?a", ":.", "'", "\\", '"""a', "a:%4", "#", "-", "1e", "@a-"]
)
def test_no_text_takes_long(piece):
    start = time.process_time()
    with suppress(QueryError):
        tokens(piece * (99_000 // len(piece)))
    assert time.process_time() - start < 20  # a square would be hours


@given(st.text(max_size=60))
def test_any_text_is_a_query_or_an_error(text):
    try:
        found = tokens(text)
    except QueryError:
        return
    assert all(text[token.start : token.end] == token.text for token in found)
    assert all(before.end <= after.start for before, after in pairwise(found))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40))
def test_a_text_is_one_token_whatever_is_in_it(text):
    assert [token.kind for token in tokens(f"ASK {{ ?s ?p {terms.string(text)} }}")][4] == "string"
    assert len(tokens(terms.string(text))) == 1


@pytest.mark.parametrize("value", ["a b", "urn:a>", "x", "", "http://a/{b}", "urn:\n"])
def test_what_is_no_iri_is_refused(value):
    with pytest.raises(QueryError, match="no absolute IRI"):
        terms.iri(value)


def test_prefixes_are_declared_where_they_are_missing():
    query = (
        'PREFIX shoal: <urn:mine:> SELECT ?n { ?m a shoal:Model ; schema:name ?n . FILTER(?n != "sosa:a") }'
    )
    assert prefixes_of(tokens(query))["shoal"] == "urn:mine:"
    assert declared(query).startswith("PREFIX schema: <https://schema.org/> PREFIX shoal: <urn:mine:> SELECT")
    name = next(token for token in tokens(query) if token.text == "shoal:Model")
    assert iri_of(name, prefixes_of(tokens(query))) == "urn:mine:Model"


def test_edits_are_made_together():
    assert edited("0123456789", [(8, 9, ""), (1, 3, "abc")]) == "0abc34567" + "9"


def test_parameters_are_values_and_nothing_else():
    text = (
        'SELECT ?m { ?m schema:name $name ; shoal:macs $n . FILTER($share < 0.5 && ?m != "$name") } # $name'
    )
    done = filled(text, {"name": 'a" } ; DROP ALL #', "n": 3, "share": 0.25})
    assert '"a\\" } ; DROP ALL #"' in done
    assert '"$name"' in done
    assert done.endswith("# $name")
    check_allowed(done, tokens(done))
    assert filled("ASK { $d a ?c }", {"d": "<urn:dev:7>"}) == "ASK { <urn:dev:7> a ?c }"


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), None, [1], b"a", "<a b>", "<urn:a> . ?s ?p <urn:b>"]
)
def test_what_is_no_value_is_refused(value):
    with pytest.raises(QueryError):
        filled("ASK { ?s ?p $v }", {"v": value})


SAVED = Query(
    name="small",
    sparql="SELECT ?m { ?m a $kind . FILTER(?ram < $ram && ?share > $share && ?n = $text && ?d = $device) }",
    parameters={"kind": "iri", "ram": "integer", "share": "number", "text": "string", "device": "device"},
)
VALUES = {"kind": "urn:k", "ram": "100", "share": 0.5, "text": "1", "device": "hall"}


def test_a_saved_query_checks_its_parameters():
    done = bound(SAVED, VALUES, lambda kind, name: f"urn:{kind}:{name}")
    assert "a <urn:k> " in done
    assert "?ram < 100 " in done
    assert '?n = "1" ' in done
    assert "?d = <urn:device:hall>" in done
    for name, wrong in (("kind", "no iri"), ("ram", "1.5"), ("share", "much"), ("ram", "1 } #")):
        with pytest.raises(QueryError):
            bound(SAVED, VALUES | {name: wrong}, lambda kind, name: f"urn:{kind}:{name}")


def test_missing_and_unknown_parameters():
    with pytest.raises(QueryError, match="'ram' is missing"):
        bound(SAVED, {one: value for one, value in VALUES.items() if one != "ram"}, lambda *_: "urn:a")
    with pytest.raises(QueryError, match="'other' is not known"):
        bound(SAVED, VALUES | {"other": 1}, lambda *_: "urn:a")
    with pytest.raises(QueryError, match="no parameter 'x'"):
        filled("ASK {}", {"x": 1})

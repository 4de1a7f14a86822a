"""shoal:canRun and shoal:matches, wherever they stand."""

from __future__ import annotations

import pytest
from pyoxigraph import Literal, NamedNode, Quad, Store

from shoal.catalog.query import Answers
from shoal.catalog.query.magic import MOST, rewritten
from shoal.catalog.vocabulary import PREFIXES
from shoal.errors import QueryError, UnknownError

DEVICES = [f"urn:dev:{i}" for i in range(4)]
MODELS = [f"sha256:{i:064x}" for i in range(3)]
NAMES = {"wake": MODELS[0], "gesture": MODELS[1], "wake@champion": MODELS[2], "hall": DEVICES[1]}


def fits(device, model):
    return int(device[-1]) >= int(model[-1])


def can_run(device, model):
    for one in DEVICES if device is None else [device]:
        for other in MODELS if model is None else [model]:
            if fits(one, other):
                yield one, other


def resolve(kind, name):
    del kind
    if name in NAMES:
        return NAMES[name]
    if len(name) == 64:
        return f"sha256:{name}"
    raise UnknownError(f"no model '{name}'")


ANSWERS = Answers(can_run, lambda text: [("model", MODELS[1])] if text == "gest" else [], resolve)


@pytest.fixture(scope="module")
def store():
    """Return a graph where triples say what the index says."""
    store = Store()
    for device in DEVICES:
        store.add(Quad(NamedNode(device), NamedNode(f"{PREFIXES['schema']}name"), Literal(device[-1])))
        for model in MODELS:
            if fits(device, model):
                iri = NamedNode(f"urn:shoal:model:{model[7:]}")
                store.add(Quad(NamedNode(device), NamedNode(f"{PREFIXES['shoal']}canRun"), iri))
    for i, model in enumerate(MODELS):
        iri = NamedNode(f"urn:shoal:model:{model[7:]}")
        store.add(Quad(iri, NamedNode(f"{PREFIXES['schema']}name"), Literal(f"m{i}")))
    return store


def rows(store, query):
    answer = store.query(query, prefixes=PREFIXES)
    return sorted(map(str, answer)) if not hasattr(answer, "__bool__") else [str(bool(answer))]


M0 = f"<urn:shoal:model:{0:064x}>"
M2 = f"<urn:shoal:model:{2:064x}>"
QUERIES = [
    "SELECT * { ?d shoal:canRun ?m }",
    "SELECT * { ?d shoal:canRun ?m . }",
    f"SELECT * {{ ?d shoal:canRun {M2} }}",
    "SELECT * { <urn:dev:1> shoal:canRun ?m . ?m schema:name ?n }",
    f"ASK {{ <urn:dev:1> shoal:canRun {M0} }}",
    f"ASK {{ <urn:dev:1> shoal:canRun {M2} }}",
    "SELECT * { ?d schema:name ?n ; shoal:canRun ?m . ?m schema:name ?k }",
    "SELECT * { ?d schema:name ?n ; shoal:canRun ?m ; schema:name ?x . }",
    "SELECT * { ?d shoal:canRun ?m ; schema:name ?n . FILTER(?n > '1') }",
    "SELECT * { ?d shoal:canRun ?m ; . }",
    "SELECT * { ?d shoal:canRun ?m ; }",
    "SELECT * { ?d shoal:canRun ?m FILTER(?m != ?d) }",
    "SELECT * { ?d schema:name ?n OPTIONAL { ?d shoal:canRun " + M2 + " . ?d schema:name ?k } }",
    "SELECT * { ?d schema:name ?n . FILTER NOT EXISTS { ?d shoal:canRun " + M2 + " } }",
    "SELECT * { { ?d shoal:canRun ?m } UNION { ?m schema:name ?n } }",
    "SELECT ?m (COUNT(?d) AS ?c) { ?d shoal:canRun ?m } GROUP BY ?m",
    "SELECT * { ?d schema:name ?n . { SELECT ?d { ?d shoal:canRun " + M2 + " } } }",
    "PREFIX s: <https://w3id.org/shoal/vocabulary#> SELECT * { ?d s:canRun ?m # shoal:canRun\n }",
    "SELECT * { ?d <https://w3id.org/shoal/vocabulary#canRun> ?m }",
    "SELECT * { $d shoal:canRun $m . ?d shoal:canRun " + M2 + " . }",
    "SELECT * { ?d schema:name 'shoal:canRun' }",
]


@pytest.mark.parametrize("query", QUERIES)
def test_the_answer_is_that_of_triples(query, store):
    done = rewritten(query, ANSWERS)
    assert rows(store, done) == rows(store, query)


def test_every_answer_above_is_about_something(store):
    assert sum(bool(rows(store, query)) for query in QUERIES) > 18


def test_names_mean_models_and_devices(store):
    for name, iri in (("wake", M0), ("wake@champion", M2)):
        done = rewritten(f"SELECT ?d {{ ?d shoal:canRun '{name}' }}", ANSWERS)
        assert rows(store, done) == rows(store, f"SELECT ?d {{ ?d shoal:canRun {iri} }}")
    done = rewritten('SELECT ?m { "hall" shoal:canRun ?m }', ANSWERS)
    assert rows(store, done) == rows(store, "SELECT ?m { <urn:dev:1> shoal:canRun ?m }")
    with pytest.raises(UnknownError):
        rewritten("ASK { ?d shoal:canRun 'other' }", ANSWERS)


def test_a_template_is_written_not_asked(store):
    query = "CONSTRUCT { ?d shoal:canRun ?m } WHERE { ?d shoal:canRun ?m }"
    done = rewritten(query, ANSWERS)
    assert done.startswith("CONSTRUCT { ?d shoal:canRun ?m }")
    assert rows(store, done) == rows(store, query)


def test_matches_are_those_of_the_search(store):
    done = rewritten('SELECT ?n { ?m shoal:matches "gest" ; schema:name ?n }', ANSWERS)
    assert rows(store, done) == rows(store, "SELECT ?n { VALUES ?n { 'm1' } }")
    assert rows(store, rewritten("SELECT ?m { ?m shoal:matches 'nothing' }", ANSWERS)) == []


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { ?d shoal:canRun ?m, ?n }",
        "SELECT * { ?d ^shoal:canRun ?m }",
        "SELECT * { ?d shoal:canRun/schema:name ?n }",
        "SELECT * { ?d schema:name/shoal:canRun ?n }",
        "SELECT * { ?d shoal:canRun+ ?m }",
        "SELECT * { [ shoal:canRun ?m ] schema:name ?n }",
        "SELECT * { ?x shoal:board [ schema:name ?n ; shoal:canRun ?m ] }",
        "SELECT * { ?x shoal:canRun ?x }",
        "SELECT * { ?d shoal:canRun _:b }",
        "SELECT * { ?d shoal:canRun 7 }",
        "SELECT * { ?d shoal:canRun other:m }",
        "SELECT * { ?d shoal:canRun 'wake'@en }",
        "SELECT * { ?m shoal:matches ?words }",
        "SELECT * { <urn:a> shoal:matches 'a' }",
        "shoal:canRun",
        "SELECT * { ?d shoal:canRun",
        "SELECT * { FILTER(shoal:canRun(?d, ?m)) }",
    ],
)
def test_where_it_cannot_be_answered_it_says_so(query):
    with pytest.raises(QueryError):
        rewritten(query, ANSWERS)


def test_too_many_answers_are_refused():
    many = Answers(lambda *_: ((f"urn:{i}", MODELS[0]) for i in range(MOST + 1)), lambda _: [], resolve)
    with pytest.raises(QueryError, match="more than 20,000 answers"):
        rewritten("SELECT * { ?d shoal:canRun ?m }", many)


def test_the_limit_is_that_of_the_query_and_a_question_is_asked_once():
    asked = []

    def some(device, model):
        asked.append((device, model))
        return ((f"urn:{i}", model or MODELS[0]) for i in range(MOST * 2 // 5))

    answers = Answers(some, lambda _: [], resolve)
    rewritten("SELECT * { ?d shoal:canRun 'wake' . ?e shoal:canRun 'wake' }", answers)
    assert asked == [(None, MODELS[0])]
    three = "SELECT * { ?d shoal:canRun 'wake' . ?e shoal:canRun 'wake' . ?f shoal:canRun 'gesture' }"
    with pytest.raises(QueryError, match="more than 20,000 answers"):
        rewritten(three, answers)


def test_an_iri_that_nothing_has_fits_nothing(store):
    def known(device, model):
        if device not in (None, *DEVICES) or model not in (None, *MODELS):
            raise UnknownError("nothing")
        return can_run(device, model)

    def named(kind, name):
        if f"sha256:{name}" in MODELS:
            return f"sha256:{name}"
        raise UnknownError(f"no {kind} '{name}'")

    answers = Answers(known, lambda _: [], named)
    for query in (
        "SELECT * { <urn:nix> shoal:canRun ?m }",
        "SELECT * { ?d shoal:canRun <urn:nix> }",
        f"SELECT * {{ ?d shoal:canRun <urn:shoal:model:{9:064x}> }}",
        f"ASK {{ <urn:nix> shoal:canRun {M0} }}",
    ):
        assert rows(store, rewritten(query, answers)) in ([], ["False"])
    with pytest.raises(UnknownError):
        rewritten("SELECT * { <urn:nix> shoal:canRun 'nix' }", answers)


def test_a_device_without_an_iri_of_its_own_has_one_of_ours():
    asked = []

    def ask(device, _):
        asked.append(device)
        return []

    answers = Answers(ask, lambda _: [], resolve)
    for iri in ("urn:shoal:device:hall%207", "urn:dev:a%20b"):
        rewritten(f"SELECT * {{ <{iri}> shoal:canRun ?m }}", answers)
    assert asked == ["hall 7", "urn:dev:a%20b"]


def test_without_a_catalog_it_is_refused():
    with pytest.raises(QueryError, match="cannot be asked here"):
        rewritten("SELECT * { ?d shoal:canRun ?m }", None)
    assert rewritten("SELECT * { ?d a ?m }", None) == "SELECT * { ?d a ?m }"

"""Searching by SPARQL and by JSONPath."""

from __future__ import annotations

import time

import pytest

from tests.serve.serving import served

TITLES = "SELECT ?title { ?thing td:title ?title }"
ENDLESS = "SELECT (COUNT(*) AS ?n) { " + " ".join(f"?s{i} ?p{i} ?o{i} ." for i in range(8)) + " }"


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """Three things."""
    with served(tmp_path_factory.mktemp("search"), settings={"query_seconds": 20.0}) as directory:
        for number, title in enumerate(("Lamp", "Heater", "Fan")):
            directory.put(number, title=title)
        yield directory


def ask(directory, query, accept="*/*"):
    return directory.client.get(
        "/search/sparql", params={"query": query}, headers={"Accept": accept}, timeout=60
    )


def values(answer):
    return sorted(value["value"] for row in answer.json()["results"]["bindings"] for value in row.values())


def test_tdd_search_sparql(full):
    assert values(ask(full, TITLES)) == ["Fan", "Heater", "Lamp"]


def test_tdd_search_large_tdds(full):
    answer = full.client.get("/search/jsonpath", params={"query": "$[?@.title == 'Fan'].id"}, timeout=60)
    assert answer.json() == ["urn:example:2"]
    found = full.client.get("/search/text", params={"query": "heater"}).json()
    assert [one["id"] for one in found] == ["urn:example:1"]


def test_tdd_search_sparql_version(full):
    # What SPARQL 1.1 has and 1.0 had not: aggregates, paths, BIND, VALUES, NOT EXISTS, subqueries.
    assert values(ask(full, "SELECT (COUNT(DISTINCT ?t) AS ?n) { ?t td:title ?title }")) == ["3"]
    for query in (
        'SELECT ?title { ?thing td:title ?title . FILTER NOT EXISTS { ?thing td:title "Fan" } }',
        'SELECT ?title { VALUES ?title { "Lamp" "Heater" } ?thing td:title ?title }',
        'SELECT ?title { { SELECT ?a { ?a td:title ?t . FILTER(?t != "Fan") } } ?a td:title ?title }',
        'SELECT ?title { ?a td:title ?t . BIND(STR(?t) AS ?title) FILTER(?title != "Fan") }',
        'SELECT DISTINCT ?title { ?a td:title|schema:name ?title MINUS { ?a td:title "Fan" } }',
    ):
        assert values(ask(full, query)) == ["Heater", "Lamp"], query
    results = "application/sparql-results+json"
    assert ask(full, TITLES, results).headers["content-type"] == results


def test_tdd_search_sparql_method_get(full):
    assert ask(full, TITLES).status_code == 200
    missing = full.client.get("/search/sparql")
    assert (missing.status_code, missing.json()["validationErrors"][0]["field"]) == (400, "query")


def test_tdd_search_sparql_method_post(full):
    client, path = full.client, "/search/sparql"
    body = client.post(path, content=TITLES, headers={"Content-Type": "application/sparql-query"})
    form = client.post(path, data={"query": TITLES})
    assert values(body) == values(form) == ["Fan", "Heater", "Lamp"]
    assert client.post(path, content=TITLES, headers={"Content-Type": "text/plain"}).status_code == 415
    for wrong in ({"update": "CLEAR ALL"}, {"query": [TITLES, TITLES]}, {f"x{i}": "" for i in range(50)}):
        assert client.post(path, data=wrong).status_code == 400


def test_tdd_search_sparql_resp_select_ask(full):
    select, yes, no = (ask(full, query) for query in (TITLES, "ASK { ?s ?p ?o }", "ASK { ?s <urn:no> ?o }"))
    assert {one.headers["content-type"] for one in (select, yes, no)} == {"application/json"}
    assert {one.status_code for one in (select, yes, no)} == {200}
    assert (yes.json()["boolean"], no.json()["boolean"]) == (True, False)
    table = ask(full, TITLES, "text/csv")
    assert table.headers["content-type"].startswith("text/csv")
    assert sorted(table.text.split()) == ["Fan", "Heater", "Lamp", "title"]


def test_tdd_search_sparql_resp_describe_construct(full):
    for query in (
        "CONSTRUCT { ?thing td:title ?title } WHERE { ?thing td:title ?title }",
        "DESCRIBE <urn:example:0>",
    ):
        answer = ask(full, query)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/ld+json")
        assert "urn:example:0" in answer.text
        turtle = ask(full, query, "text/turtle")
        assert turtle.headers["content-type"].startswith("text/turtle")
        assert "<urn:example:0>" in turtle.text


@pytest.mark.parametrize(
    "query",
    [
        "INSERT DATA { <urn:a> <urn:b> <urn:c> }",
        "DELETE WHERE { ?s ?p ?o }",
        "CLEAR ALL",
        "DROP ALL",
        "LOAD <http://127.0.0.1:1/>",
        "SELECT",
        "SELECT * { ?s ?p",
        "",
        "\x00",
        "PREFIX",
        "not a query at all",
    ],
)
def test_tdd_search_sparql_error(full, query):
    answer = ask(full, query)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert values(ask(full, TITLES)) == ["Fan", "Heater", "Lamp"]


def test_tdd_search_sparql_federation(full):
    # It may be offered, and is not: a query of a user would make the directory ask other servers.
    for how in ("SERVICE", "SERVICE SILENT", "service"):
        answer = ask(full, f"SELECT * {{ {how} <http://127.0.0.1:1/> {{ ?s ?p ?o }} }}")
        assert (answer.status_code, "not allowed" in answer.json()["detail"]) == (400, True)


def test_tdd_search_sparql_federation_version(full):
    description = full.client.get("/.well-known/wot").json()
    assert "feder" not in str(description).lower()


def test_sec_tdd_throttle_queries(tmp_path):
    with served(tmp_path, settings={"queries": 2.0}) as directory:
        path = "/search/text?query=lamp"
        found = [directory.client.get(path) for _ in range(6)]
        assert [one.status_code for one in found][:4] == [200] * 4
        assert found[-1].status_code == 429
        assert int(found[-1].headers["retry-after"]) >= 1
        # Others are not slowed down.
        assert directory.client.get(path, headers=directory.of("viewer")).status_code == 200
        time.sleep(0.6)
        assert directory.client.get(path).status_code == 200


def test_sec_tdd_limit_query_complexity(full):
    long = "ASK { ?s ?p ?o } #" + "x" * 20_000
    deep = "ASK " + "{" * 5000 + "}" * 5000
    for query in (long, deep):
        answer = ask(full, query)
        assert answer.status_code == 400
    for query in ("$" + "[0]" * 6_700, "$[?" + "(" * 3000 + "@.a" + ")" * 3000 + "]", "$[" * 9000):
        assert full.client.get("/search/jsonpath", params={"query": query}, timeout=60).status_code == 400
    body = full.client.post(
        "/search/sparql", content=b" " * 1_000_000, headers={"Content-Type": "application/sparql-query"}
    )
    assert body.status_code == 413
    assert values(ask(full, TITLES)) == ["Fan", "Heater", "Lamp"]


def test_sec_tdd_query_watchdog(tmp_path):
    with served(tmp_path, settings={"query_seconds": 5.0}) as directory:
        for number in range(200):
            directory.put(number, description="a" * 200)
        assert len(values(ask(directory, TITLES))) == 200
        endless = ask(directory, ENDLESS)
        assert (endless.status_code, "stopped" in endless.json()["detail"]) == (400, True)
        assert len(values(ask(directory, TITLES))) == 200
        path = "/search/jsonpath"
        cubic = {"query": "$[?count($[?count($[?count($..*) > 0]) > 0]) > 0]"}
        endless = directory.client.get(path, params=cubic, timeout=60)
        assert (endless.status_code, "longer than" in endless.json()["detail"]) == (400, True)
        assert len(directory.client.get(path, params={"query": "$[*].id"}, timeout=60).json()) == 200


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("$[0].id", ["urn:example:0"]),
        ("$[-1].title", ["Fan"]),
        ("$[*].title", ["Lamp", "Heater", "Fan"]),
        ("$..title", ["Lamp", "Heater", "Fan"]),
        ("$[?@.title == 'Lamp' || @.title == 'Fan'].id", ["urn:example:0", "urn:example:2"]),
        ("$[?search(@.title, 'eat')].id", ["urn:example:1"]),
        ("$[?@.registration.created > '2020'].title", ["Lamp", "Heater", "Fan"]),
        ("$[?@.id == $[1].id].title", ["Heater"]),
        ("$[1:].title", ["Heater", "Fan"]),
        ("$[?@.missing]", []),
    ],
)
def test_jsonpath(full, query, found):
    assert full.client.get("/search/jsonpath", params={"query": query}, timeout=60).json() == found


@pytest.mark.parametrize(
    "query", ["", "title", "$[", "$[?@.a ==]", "$.a\x00", "$[?nothing(@)]", "$[999999999999999999999]"]
)
def test_jsonpath_that_is_none(full, query):
    answer = full.client.get("/search/jsonpath", params={"query": query}, timeout=60)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_answers_have_an_end(tmp_path):
    with served(tmp_path, settings={"query_rows": 5}) as directory:
        for number in range(10):
            directory.put(number)
        answer = ask(directory, TITLES)
        assert (len(values(answer)), answer.headers["shoal-truncated"]) == (5, "true")
        assert "shoal-truncated" not in ask(directory, f"{TITLES} LIMIT 5").headers
        refused = directory.client.get("/search/jsonpath", params={"query": "$[*]"}, timeout=60)
        assert (refused.status_code, "more than 5" in refused.json()["detail"]) == (400, True)


def test_what_a_format_has_no_way_to_say_is_no_failure_of_the_server(full):
    about = "CONSTRUCT { <urn:a> <urn:b> <<( <urn:a> <urn:b> <urn:c> )>> } WHERE {}"
    for accept in ("application/ld+json", "text/turtle", "application/n-triples"):
        answer = ask(full, about, accept)
        assert answer.status_code in ({400} if "json" in accept else {200, 400}), answer.text
    assert values(ask(full, TITLES)) == ["Fan", "Heater", "Lamp"]


def test_answers_have_so_many_bytes(tmp_path):
    with served(tmp_path, settings={"query_bytes": 2000}) as directory:
        for number in range(20):
            directory.put(number, title="x" * 300)
        for accept in ("application/json", "text/csv"):
            answer = ask(directory, TITLES, accept)
            assert len(answer.content) <= 2000
            assert answer.status_code == 400 or answer.headers["shoal-truncated"] == "true"
        refused = directory.client.get("/search/jsonpath", params={"query": "$[*]"}, timeout=60)
        assert (refused.status_code, "2,000 bytes" in refused.json()["detail"]) == (400, True)
        assert ask(directory, "ASK {}").json()["boolean"] is True


def test_saved_queries_with_parameters(full):
    from shoal.catalog.documents import Query

    text = "SELECT ?id { ?id td:title $title }"
    full.catalog.add(Query(name="titled", sparql=text, parameters={"title": "string"}))

    def saved(name, **parameters):
        return full.client.get(f"/queries/{name}", params=parameters, timeout=60)

    assert values(saved("titled", title="Lamp")) == ["urn:example:0"]
    assert values(saved("titled", title='" } #')) == []
    for wrong in ({}, {"title": "Lamp", "other": "x"}):
        assert saved("titled", **wrong).status_code == 400
    shipped = saved("4-all-devices")
    assert (shipped.status_code, len(shipped.json()["results"]["bindings"])) == (200, 3)
    assert shipped.json() == ask(full, "4-all-devices").json()
    assert saved("nothing").status_code == 404
    assert saved("ASK {}").status_code == 404

"""Rules of Thing Descriptions: what is right stays as it is, what is wrong is named."""

from __future__ import annotations

import copy
import json

import jsonschema
import pytest

from shoal.catalog.documents import Device, parse, schema
from shoal.errors import DocumentError
from tests.catalog.documents.things import EXAMPLES, TD, lamp, secured, thing


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_of_the_specification_round_trips(name):
    given = EXAMPLES[name]
    text = json.dumps(given, ensure_ascii=False)
    body = Device.checked(parse(text.encode())).body()
    assert json.dumps(body, ensure_ascii=False) == text


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_published_schema_takes_the_same(name):
    jsonschema.Draft202012Validator(schema("device")).validate(EXAMPLES[name])


def without(name):
    td = thing()
    del td[name]
    return td


def with_property(**fields):
    return thing(properties={"p": {"forms": [{"href": "/p"}]} | fields})


WRONG = {
    "no context": (without("@context"), "@context", "missing"),
    "no title": (without("title"), "title", "missing"),
    "no id": (without("id"), "id", "missing"),
    "no security": (without("security"), "security", "missing"),
    "no definitions": (without("securityDefinitions"), "securityDefinitions", "missing"),
    "an array": ([1], "", "object"),
    "a Thing Model": (thing(**{"@type": ["tm:ThingModel"]}), "@type", "describes a kind of Thing"),
    "a number for the title": (thing(title=7), "title", "string"),
    "true for the title": (thing(title=True), "title", "string"),
    "a relative id": (thing(id="lamp-7"), "id", "absolute IRI"),
    "an id with a space": (thing(id="urn:dev:a b"), "id", "absolute IRI"),
    "another context": (thing(**{"@context": "https://example.org/"}), "@context", "begins with"),
    "the context not first": (
        thing(**{"@context": [{"a": "https://a.example/"}, TD]}),
        "@context",
        "begins with",
    ),
    "a remote context": (
        thing(**{"@context": [TD, "https://evil.example/c"]}),
        "@context",
        "would have to be fetched",
    ),
    "an import": (thing(**{"@context": [TD, {"@import": "https://evil.example/c"}]}), "@context", "@import"),
    "a remote scope": (
        thing(**{"@context": [TD, {"a": {"@id": "urn:a", "@context": "file:///etc/passwd"}}]}),
        "@context",
        "would have to be fetched",
    ),
    "a keyword that is none": (thing(**{"@context": [TD, {"@evil": "urn:a"}]}), "@context", "no keyword"),
    "a number as context": (thing(**{"@context": [TD, 7]}), "@context", "neither an IRI nor an object"),
    "security that is not defined": (thing(security="oauth"), "", "securityDefinitions has basic_sc"),
    "security of a form that is not defined": (
        with_property(forms=[{"href": "/p", "security": ["nope"]}]),
        "properties.p.forms[0].security",
        "'nope' is not defined",
    ),
    "an empty list of security": (thing(security=[]), "security", "at least 1 item"),
    "an unknown scheme": (secured({"scheme": "magic"}), "securityDefinitions.sc", "its scheme is one of"),
    "a scheme without a name": (secured({}), "securityDefinitions.sc", "its scheme is one of"),
    "oauth2 without a flow": (secured({"scheme": "oauth2"}), "securityDefinitions.sc.flow", "missing"),
    "a combo of one": (
        secured({"scheme": "combo", "oneOf": ["sc"]}),
        "securityDefinitions.sc.oneOf",
        "at least 2",
    ),
    "a combo of two ways": (
        secured({"scheme": "combo", "oneOf": ["sc", "sc"], "allOf": ["sc", "sc"]}),
        "securityDefinitions.sc",
        "not both",
    ),
    "a combo of what is not there": (
        secured({"scheme": "combo", "oneOf": ["a", "b"]}),
        "securityDefinitions.sc",
        "'a' is not defined",
    ),
    "a key in the air": (
        secured({"scheme": "apikey", "in": "air"}),
        "securityDefinitions.sc.in",
        "not 'air'",
    ),
    "a quality of protection": (
        secured({"scheme": "digest", "qop": "x"}),
        "securityDefinitions.sc.qop",
        "not 'x'",
    ),
    "a property without forms": (thing(properties={"p": {}}), "properties.p.forms", "missing"),
    "an action without forms": (thing(actions={"a": {}}), "actions.a.forms", "missing"),
    "an event with no form": (thing(events={"e": {"forms": []}}), "events.e.forms", "at least 1 item"),
    "a form without a target": (with_property(forms=[{}]), "properties.p.forms[0].href", "missing"),
    "a target with a space": (with_property(forms=[{"href": "a b"}]), "properties.p.forms[0].href", "IRI"),
    "an operation of actions": (
        with_property(forms=[{"href": "/p", "op": "invokeaction"}]),
        "properties.p.forms[0].op[0]",
        "not 'invokeaction'",
    ),
    "an operation of properties": (
        thing(actions={"a": {"forms": [{"href": "/", "op": ["readproperty"]}]}}),
        "actions.a.forms[0].op[0]",
        "readproperty",
    ),
    "a form of the whole without an operation": (thing(forms=[{"href": "/"}]), "forms[0].op", "missing"),
    "an unknown type": (with_property(type="float"), "properties.p.type", "not 'float'"),
    "a text as minimum": (with_property(minimum="3"), "properties.p.minimum", "not '3'"),
    "true as maximum": (with_property(maximum=True), "properties.p.maximum", "not True"),
    "a multiple of nothing": (with_property(multipleOf=0), "properties.p.multipleOf", "greater than 0"),
    "a negative length": (with_property(minLength=-1), "properties.p.minLength", "not -1"),
    "an empty enumeration": (with_property(enum=[]), "properties.p.enum", "at least 1 item"),
    "an enumeration of one twice": (with_property(enum=[1, 1]), "properties.p.enum", "twice"),
    "text for observable": (with_property(observable="yes"), "properties.p.observable", "not 'yes'"),
    "a schema within": (
        with_property(properties={"q": {"items": {"type": 3}}}),
        "properties.p.properties.q.items[0].type",
        "not 3",
    ),
    "an object in an address": (
        with_property(uriVariables={"v": {"type": "object"}}),
        "properties.p.uriVariables.v",
        "no object",
    ),
    "a link without a target": (thing(links=[{"rel": "type"}]), "links[0].href", "missing"),
    "a language that is none": (thing(titles={"not a language": "x"}), "titles.not a language", "pattern"),
    "a version without an instance": (thing(version={"model": "1"}), "version.instance", "missing"),
    "a day for a time": (thing(created="2026-11-21"), "created", "date and a time"),
    "a time that is none": (thing(modified="yesterdayT"), "modified", "Invalid isoformat"),
    "half an escape in an id": (thing(id="urn:dev:%zz"), "id", "absolute IRI"),
    "two fragments in an id": (thing(id="urn:a#b#c"), "id", "absolute IRI"),
    "a relative base": (thing(base="/lamp"), "base", "absolute IRI"),
    "a schema that is not defined": (
        with_property(forms=[{"href": "/p", "additionalResponses": {"schema": "s"}}]),
        "properties.p.forms[0]",
        "the schema 's' is not defined",
    ),
    "a control character in a name": (
        thing(properties={"a\nb": {"forms": [{"href": "/"}]}}),
        "properties",
        "pattern",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named(name):
    td, place, problem = WRONG[name]
    before = copy.deepcopy(td)
    with pytest.raises(DocumentError) as caught:
        Device.checked(td, "lamp.td.json")
    assert any(field.startswith(place) and problem in text for field, text in caught.value.fields), (
        caught.value.fields
    )
    assert caught.value.where == "lamp.td.json"
    assert td == before


def test_every_field_that_is_wrong_is_named_at_once():
    td = lamp(title=3, version={}, links=[{}])
    with pytest.raises(DocumentError) as caught:
        Device.checked(td)
    assert [field for field, _ in caught.value.fields] == ["title", "version.instance", "links[0].href"]
    assert "and 2 more" in str(caught.value)
    assert "version.instance: missing" in str(caught.value)

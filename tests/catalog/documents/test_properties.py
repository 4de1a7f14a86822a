"""Thing Descriptions that nobody thought of."""

from __future__ import annotations

import copy
import json

from hypothesis import given
from hypothesis import strategies as st

from shoal.catalog.documents import Device, parse
from shoal.errors import DocumentError
from tests.catalog.documents.things import EXAMPLES, TD

names = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=12)
numbers = st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6)
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
hrefs = st.sampled_from(
    ["/x", "https://example.org/{a}/b{?c,d}", "coap://[::1]/y", "mailto:a@b.example", "#z"]
)
terms = st.dictionaries(st.from_regex(r"ex[a-z]:[a-z]{1,6}", fullmatch=True), json_values, max_size=2)


def objects(required, optional):
    """Return a strategy for objects with terms of another vocabulary in between."""
    return st.builds(lambda a, b: b | a, st.fixed_dictionaries(required, optional=optional), terms)


def schemas():
    leaf = objects(
        {},
        {
            "type": st.sampled_from(["boolean", "integer", "number", "string", "null"]),
            "title": texts,
            "minimum": numbers,
            "maximum": numbers,
            "unit": texts,
            "const": json_values,
            "default": json_values,
            "readOnly": st.booleans(),
            "enum": st.lists(numbers, min_size=1, max_size=3, unique_by=repr),
            "pattern": texts,
        },
    )
    return st.recursive(
        leaf,
        lambda inner: (
            objects({"type": st.just("object")}, {"properties": st.dictionaries(names, inner, max_size=2)})
            | objects({"type": st.just("array")}, {"items": inner | st.lists(inner, max_size=2)})
            | objects({}, {"oneOf": st.lists(inner, max_size=2)})
        ),
        max_leaves=3,
    )


def forms(*ops):
    one = objects(
        {"href": hrefs},
        {
            "op": st.sampled_from(ops) | st.lists(st.sampled_from(ops), max_size=2),
            "contentType": texts,
            "security": st.sampled_from(["a", ["a"], ["b", "a"]]),
            "subprotocol": texts,
        },
    )
    return st.lists(one, min_size=1, max_size=2)


properties = st.builds(
    lambda schema, form, observable: schema | {"forms": form, "observable": observable},
    schemas(),
    forms("readproperty", "writeproperty"),
    st.booleans(),
)
actions = objects({"forms": forms("invokeaction")}, {"input": schemas(), "safe": st.booleans()})
events = objects({"forms": forms("subscribeevent", "unsubscribeevent")}, {"data": schemas()})
things = objects(
    {
        "@context": st.just(TD) | st.just([TD, {"exa": "https://example.org/a#"}]),
        "id": st.uuids().map(lambda one: f"urn:uuid:{one}"),
        "title": texts,
        "security": st.sampled_from(["a", ["a"], ["b"], ["a", "b"]]),
        "securityDefinitions": st.just({"a": {"scheme": "nosec"}, "b": {"scheme": "bearer", "in": "query"}}),
    },
    {
        "properties": st.dictionaries(names, properties, max_size=2),
        "actions": st.dictionaries(names, actions, max_size=2),
        "events": st.dictionaries(names, events, max_size=2),
        "titles": st.dictionaries(st.sampled_from(["en", "de", "zh-Hans"]), texts, max_size=2),
        "@type": names | st.lists(names, max_size=2),
    },
)


@given(things)
def test_what_follows_the_rules_is_taken_and_kept(td):
    text = json.dumps(td, ensure_ascii=False)
    before = copy.deepcopy(td)
    device = Device.checked(parse(text.encode()))
    assert json.dumps(device.body(), ensure_ascii=False) == text
    assert Device.checked(td).body() == before
    assert device.hardware == Device.checked(td).hardware


def steps(value, path=()):
    """Return the paths of all values in a document."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from steps(one, (*path, key))


def replaced(td, path, value):
    """Return a copy with another value at a place."""
    if not path:
        return value
    copied = copy.deepcopy(td)
    place = copied
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copied


def tried(call, value):
    """Return what a call gives and None, or None and the error that it may raise."""
    try:
        return call(value), None
    except DocumentError as error:
        return None, error


@given(st.data(), st.sampled_from(sorted(EXAMPLES)), json_values)
def test_whatever_stands_anywhere_is_taken_as_it_is_or_refused_with_its_place(data, name, value):
    td = replaced(EXAMPLES[name], data.draw(st.sampled_from(list(steps(EXAMPLES[name])))), value)
    before = copy.deepcopy(td)
    device, error = tried(Device.checked, td)
    assert device is None or device.body() == before
    assert error is None or all(isinstance(place, str) and text for place, text in error.fields)
    assert td == before


@given(st.binary(max_size=200) | texts.map(str.encode))
def test_any_bytes_are_json_or_refused(content):
    _, error = tried(parse, content)
    assert error is None or error.fields

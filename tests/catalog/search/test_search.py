"""Search: what is found, in what order, and that no text breaks it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.catalog import search
from shoal.catalog.documents import (
    Board,
    Capacity,
    Hardware,
    Input,
    Model,
    Operator,
    Runtime,
    Sensor,
    SensorNeed,
    Tensor,
)
from shoal.catalog.store import Entry, Store
from shoal.errors import QueryError, StorageError


def model(number, name, **fields):
    return Model(sha256=f"{number:064x}", name=name, version="1.0.0", format="tflite", size=1000, **fields)


MODELS = [
    model(
        1,
        "wake-words",
        title="Visual wake words",
        description="Is somebody in the picture?",
        task="classification",
        inputs=[Tensor(name="image", dtype="int8", shape=(96, 96, 1))],
        outputs=[Tensor(dtype="int8", shape=(2,), labels=("nobody", "person"))],
        operators=[Operator(name="CONV_2D", dtype="int8", count=14), Operator(name="SOFTMAX", dtype="int8")],
        input=Input(sensors=(SensorNeed(observes="image"),)),
    ),
    model(
        2,
        "keywords",
        description="Finds a spoken word; not for a picture of words.",
        task="classification",
        tags=("audio", "mlperf"),
        inputs=[Tensor(dtype="int8", shape=(49, 10, 1))],
        outputs=[Tensor(dtype="int8", shape=(12,), labels=("yes", "no", "stop"))],
        operators=[Operator(name="CONV_2D", dtype="int8", count=5), Operator(name="SOFTMAX", dtype="int8")],
        input=Input(sensors=(SensorNeed(observes="speech"),)),
    ),
    model(
        3,
        "fan",
        description="Anomalies of a fan, from its vibration. Küche und Straße.",
        task="anomaly detection",
        inputs=[Tensor(dtype="float32", shape=(640,))],
        outputs=[Tensor(dtype="float32", shape=(640,))],
        operators=[Operator(name="FULLY_CONNECTED", count=10)],
        input=Input(sensors=(SensorNeed(observes="vibration"),)),
    ),
]
BOARD = Board(
    name="nano33ble",
    title="Arduino Nano 33 BLE Sense",
    hardware=Hardware(
        core="cortex-m4f",
        ram=Capacity(total=262144),
        sensors=(Sensor(observes="sound"),),
        runtimes=(Runtime(name="shoal", version="1.0"),),
    ),
)
TD = {
    "@context": "https://www.w3.org/2022/wot/td/v1.1",
    "@type": "Press",
    "id": "urn:dev:hall-7",
    "title": "Press of hall 7",
    "security": "none",
    "securityDefinitions": {"none": {"scheme": "nosec"}},
    "properties": {
        "oilLevel": {
            "type": "number",
            "description": "how full the tank is",
            "forms": [{"href": "coap://secret/x"}],
        }
    },
    "shoal:hardware": {"board": "nano33ble"},
}


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "site.shoal") as opened:
        for document in (*MODELS, BOARD):
            opened.put(document.kind, document.id, document.body())
        opened.put("device", TD["id"], TD)
        yield opened


def names(found):
    return [one.title.split()[0] for one in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("keyword", ["keywords"]),  # stems
        ("KEYWORDS", ["keywords"]),
        ("keyw", ["keywords"]),  # the last word may still be typed
        ("keyw audio", []),
        ("keyw* audio", ["keywords"]),
        ("wake words", ["Visual"]),
        ("picture", ["Visual", "keywords"]),
        ('"wake words"', ["Visual"]),
        ('"words wake"', []),
        ("words -spoken", ["Visual"]),
        ("microphone", ["Arduino", "Press", "keywords"]),  # by what it observes
        ("sound", ["Arduino", "Press", "keywords"]),  # speech is a sound
        ("accelerometer", ["fan", "Press"]),
        ("conv_2d", ["keywords", "Visual"]),
        ("fully_connected", ["fan"]),
        ("person", ["Visual"]),  # labels
        ("kuche strasse", []),
        ("kuche", ["fan"]),  # diacritics
        ("oilLevel", ["Press"]),
        ("tank full", ["Press"]),
        ("press cortex-m4f", ["Press"]),
        ("coap", []),  # forms say nothing about what it is
        ("hall-7", ["Press"]),
        ("", []),
        ("?!", []),
    ],
)
def test_words_find(store, text, expected):
    found = search.find(store, text)
    assert sorted(names(found)) == sorted(expected)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_a_name_counts_more_than_a_description(store):
    store.put(
        "model", "sha256:" + "9" * 64, model(9, "x", description="keywords").body() | {"sha256": "9" * 64}
    )
    assert names(search.find(store, "keywords")) == ["keywords", "x"]


def test_kinds_and_pages(store):
    assert names(search.find(store, "sound", kinds=["board"])) == ["Arduino"]
    assert search.find(store, "sound", kinds=[]) == []
    everything = search.find(store, "sound")
    assert [search.find(store, "sound", limit=1, offset=place)[0] for place in range(3)] == everything


def test_the_excerpt_shows_where(store):
    (found,) = search.find(store, "somebody")
    assert found.excerpt == "Is [somebody] in the picture? image"


def test_the_index_follows_the_log(store):
    assert search.find(store, "keywords") != []
    store.put("model", MODELS[1].id, MODELS[1].model_copy(update={"name": "commands"}).body())
    assert search.find(store, "keywords") == []
    assert names(search.find(store, "commands")) == ["commands"]
    store.remove("model", MODELS[1].id)
    assert search.find(store, "commands") == []
    with store.transaction():  # sees what the transaction wrote
        store.put("query", "brand-new", {"name": "brand-new", "sparql": "ASK {}"})
        assert len(search.find(store, "brand-new")) == 1
    assert search.check(store) == []


def test_an_undone_transaction_leaves_the_index_as_it_was(store):
    def fail():
        with store.transaction():
            store.put("query", "brand-new", {"name": "brand-new", "sparql": "ASK {}"})
            assert len(search.find(store, "brand-new")) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert search.find(store, "brand-new") == []
    assert search.check(store) == []


def test_check_finds_what_rebuild_mends(store):
    search.follow(store)
    with store.transaction() as connection:
        connection.execute("DELETE FROM searched_text WHERE rowid = 1")
        connection.execute("DELETE FROM searched WHERE row = 2")
    problems = search.check(store)
    assert any("1 documents are not in the index" in text for text in problems)
    assert any(f"model '{MODELS[1].id}' is not indexed" in text for text in problems)
    search.rebuild(store)
    assert search.check(store) == []
    assert names(search.find(store, "keywords")) == ["keywords"]


def test_two_stores_share_the_index(store):
    with Store(store.path) as other:
        search.follow(store)
        assert names(search.find(other, "keywords")) == ["keywords"]
        other.put("query", "brand-new", {"name": "brand-new", "sparql": "ASK {}"})
        assert len(search.find(store, "brand-new")) == 1


def test_a_read_only_store_searches_what_is_indexed_or_says_so(store):
    search.follow(store)
    with Store(store.path, read_only=True) as reader:
        assert names(search.find(reader, "keywords")) == ["keywords"]
        store.put("query", "brand-new", {"name": "brand-new", "sparql": "ASK {}"})
        with pytest.raises(StorageError, match="behind"):
            search.find(reader, "keywords")


def test_many_documents_are_indexed_in_portions(store):
    store.put_many(Entry("query", f"q{n}", {"name": f"q{n}", "sparql": "ASK {}"}) for n in range(4500))
    assert len(search.find(store, "ask", limit=10_000)) == 4500
    assert search.check(store) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [("x" * 1001, "1,001 characters"), ("a " * 33, "33 words"), ("-a -b", "only words to leave out")],
)
def test_too_much_is_refused(store, text, problem):
    with pytest.raises(QueryError, match=problem):
        search.find(store, text)


@pytest.fixture(scope="module")
def filled():
    with Store(None) as opened:
        for document in (*MODELS, BOARD):
            opened.put(document.kind, document.id, document.body())
        yield opened


@settings(deadline=None, max_examples=500)
@given(st.text(alphabet="ab\"*-+^:(){}[]\\'%_.,;&|!~ \0\n¹ก็ä漢ORANDNEAR", max_size=40) | st.text(max_size=40))
def test_no_text_reaches_the_engine_as_syntax(filled, text):
    try:
        found = search.find(filled, text)
    except QueryError:
        return
    assert all(one.kind in {"model", "board"} for one in found)
    search.titled(filled, "board", text)


def test_a_title_is_found_in_any_case(store):
    assert search.titled(store, "device", "press of HALL 7") == ["urn:dev:hall-7"]
    assert search.titled(store, "device", "press of hall") == []
    assert search.titled(store, "board", "Press of hall 7") == []
    assert search.titled(store, "device", '"') == []
    store.put("device", "urn:dev:other", TD | {"id": "urn:dev:other"})
    assert len(search.titled(store, "device", "Press of hall 7")) == 2


def test_models_that_resemble_one(store):
    found = search.similar(store, MODELS[0])
    assert [one.name for one in found] == ["keywords", "fan"]
    assert found[0].score == pytest.approx(
        0.4 * found[0].tensors + 0.3 * found[0].operators + 0.3 * found[0].text
    )
    assert found[0].operators > found[1].operators == 0
    assert 0 < found[1].score < found[0].score < 1


def test_a_model_resembles_its_copy_fully(store):
    copy = MODELS[0].model_copy(update={"sha256": "f" * 64})
    (first, *_) = search.similar(store, copy)
    assert first.id == MODELS[0].id
    assert (first.score, first.tensors, first.operators) == pytest.approx((1, 1, 1))
    assert search.similar(store, copy, limit=0) == []


def test_a_model_of_which_nothing_is_known_resembles_nothing(store):
    with Store(None) as empty:
        assert search.similar(empty, MODELS[0]) == []
    blank = model(77, "zzz")
    assert all(one.score < 0.05 for one in search.similar(store, blank))


# By hand. Inputs, an int8 pair of 96 x 96 x 1 and 49 x 10 x 1: 1/4 + 3/4 (49/96 + 10/96 + 1) / 3 = 0.65365.
# Outputs of 2 and 12: 1/4 + 3/4 / 6 = 0.375. Operators: (ln 6 + ln 2) / (ln 15 + ln 2).
def test_the_score_is_what_its_documentation_says(store):
    found = search.similar(store, MODELS[0])[0]
    assert found.tensors == pytest.approx((0.6536458 + 0.375) / 2)
    assert found.operators == pytest.approx(2.484907 / 3.401197)

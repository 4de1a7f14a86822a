"""The catalog as a user has it: one file, models and devices, what fits, what is found."""

from __future__ import annotations

import hashlib
import json
import threading

import pytest

from shoal import nn
from shoal.catalog import Catalog
from shoal.catalog.documents import Alias, Board, Capacity, Deployment, Hardware, Model, Query
from shoal.catalog.matching import ALL, REFERENCE_RULE, check
from shoal.catalog.unsure import Unsure
from shoal.errors import (
    ConfigError,
    ConflictError,
    DocumentError,
    ModelError,
    StorageError,
    UnknownError,
)

TD = {
    "@context": "https://www.w3.org/2022/wot/td/v1.1",
    "id": "urn:dev:hall-7",
    "title": "Press of hall 7",
    "security": "none",
    "securityDefinitions": {"none": {"scheme": "nosec"}},
    "shoal:hardware": {"board": "nano33ble"},
}


@pytest.fixture
def catalog(tmp_path):
    with Catalog(tmp_path / "site.shoal") as opened:
        yield opened
        assert list(opened.check()) == []


@pytest.fixture
def file(tmp_path):
    """Return a function that makes a model's file."""

    def make(name, seed=0, width=8):
        net = nn.Network([nn.Dense(width, "tanh"), nn.Dense(2)], input_shape=(4,), loss="mse", seed=seed)
        path = tmp_path / name
        net.save(path)
        return path

    return make


def test_a_site_from_the_first_file_to_the_last_question(catalog, file, tmp_path):
    catalog.add_model(
        file("keywords.shoal"),
        name="keywords",
        sensors=["Microphone"],
        task="classification",
        licence="Apache-2.0",
        train_last=1,
    )
    (tmp_path / "hall.td.jsonld").write_text(json.dumps(TD))
    catalog.add_device(tmp_path / "hall.td.jsonld")
    catalog.add_device(
        TD | {"id": "urn:dev:small", "title": "Thermometer", "shoal:hardware": {"board": "pico"}}
    )

    matches = catalog.match(model="keywords")
    assert [match.device for match in matches.matches] == ["urn:dev:hall-7"]
    assert {condition.name for condition in matches.matches[0].conditions} >= {
        "RAM",
        "flash",
        "sensor: sound",
    }
    assert catalog.match(device="Press of hall 7").matches[0].model == catalog.model("keywords").id
    assert catalog.match("keywords", "urn:dev:hall-7", training=True).count == 1
    assert catalog.coverage().by_model.tolist() == [1]
    assert [one.kind for one in catalog.find("microphone")].count("model") == 1

    question = 'SELECT ?device { ?device shoal:canRun "keywords" }'
    assert catalog.query(question).rows == [{"device": "urn:dev:hall-7"}]
    catalog.add(Query(name="runs", sparql="SELECT ?d { ?d shoal:canRun $m }", parameters={"m": "model"}))
    assert catalog.query("runs", parameters={"m": "keywords"}).rows == [{"d": "urn:dev:hall-7"}]

    catalog.remove("device", "urn:dev:hall-7")
    assert catalog.match(model="keywords").count == 0
    assert catalog.query(question).rows == []
    assert [event.action for event in catalog.history("device", "urn:dev:hall-7")] == ["created", "deleted"]


def test_the_same_file_again_is_no_event(catalog, file):
    first = catalog.add_model(file("a.shoal"), task="regression")
    assert catalog.add_model(file("a.shoal"), task="regression") == first
    assert catalog.add_model(file("a.shoal")) == first  # what is not said stays
    assert catalog.store.revision == 1
    assert catalog.model_file("a") == file("a.shoal").read_bytes()
    second = catalog.add_model(file("a.shoal"), licence="MIT")
    assert (second.task, second.licence, catalog.store.revision) == ("regression", "MIT", 2)


def test_versions_count_up_and_names_lead_to_models(catalog, file):
    first = catalog.add_model(file("a.shoal", 1), name="keywords")
    second = catalog.add_model(file("b.shoal", 2), name="keywords")
    early = catalog.add_model(file("c.shoal", 3), name="keywords", version="2.0.0-rc.1")
    other = catalog.add_model(file("d.shoal", 4), name="other", version="0.1.0")
    assert (first.version, second.version) == ("1.0.0", "1.0.1")
    assert catalog.model("keywords") == early
    assert catalog.model("keywords:1.0.0") == first
    assert catalog.model(other.sha256[:12]) == catalog.model(other.id) == other
    catalog.alias("keywords", "champion", "keywords:1.0.0")
    assert catalog.model("keywords@champion") == first
    catalog.alias("keywords", "champion", "keywords:1.0.1")
    assert catalog.model("keywords@champion") == second
    assert catalog.add_model(file("e.shoal", 5), name="keywords").version == "2.0.0"
    assert [model.name for model in catalog.list("model", limit=2, offset=1)] != []


@pytest.mark.parametrize(
    ("reference", "hint"),
    [
        ("keywrds", "keywords"),
        ("keywords:9.9.9", "keywords:1.0.0"),
        ("keywords@beta", "keywords@champion"),
        ("0123456789ab", "keywords"),
        ("sha256:" + "0" * 64, "keywords"),
        ("", "keywords"),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_one(catalog, file, reference, hint):
    catalog.add_model(file("a.shoal"), name="keywords")
    catalog.alias("keywords", "champion", "keywords")
    with pytest.raises(UnknownError) as error:
        catalog.model(reference)
    assert hint in error.value.hint


def test_one_file_has_one_name_and_one_version_is_one_file(catalog, file):
    catalog.add_model(file("a.shoal", 1), name="keywords")
    with pytest.raises(ConflictError, match=r"in the catalog as keywords:1\.0\.0"):
        catalog.add_model(file("a.shoal", 1), name="other")
    with pytest.raises(ConflictError, match=r"in the catalog as keywords:1\.0\.0") as error:
        catalog.add_model(file("a.shoal", 1), version="1.0.1")
    assert error.value.hint.endswith("shoal catalog alias keywords ALIAS 1.0.0")
    with pytest.raises(ConflictError, match=r"keywords:1\.0\.0 is another model") as error:
        catalog.add_model(file("b.shoal", 2), name="keywords", version="1.0.0")
    assert error.value.hint == "version 1.0.1"
    assert catalog.store.revision == 1
    digest = hashlib.sha256(file("b.shoal", 2).read_bytes()).hexdigest()
    with pytest.raises(UnknownError, match=digest):
        catalog.store.read_blob(digest)


def test_a_damaged_model_leaves_nothing_behind(catalog, tmp_path):
    (tmp_path / "bad.tflite").write_bytes(b"\x1c\0\0\0TFL3" + bytes(100))
    with pytest.raises(ModelError):
        catalog.add_model(tmp_path / "bad.tflite")
    with pytest.raises(StorageError, match="bad2"):
        catalog.add_model(tmp_path / "bad2.tflite")
    assert catalog.store.revision == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": None}, "title"),
        ({"id": "no IRI"}, "id"),
        ({"properties": {"x": {"forms": [{}]}}}, "properties.x.forms[0].href"),
        ({"shoal:hardware": {"ram": {"total": -1}}}, "shoal:hardware.ram.total"),
    ],
)
def test_a_broken_description_is_refused_field_by_field(catalog, change, field):
    with pytest.raises(DocumentError) as error:
        catalog.add_device(TD | change)
    assert field in [place for place, _ in error.value.fields]
    assert catalog.store.revision == 0


def test_devices_are_named_by_id_or_by_a_title_of_their_own(catalog):
    catalog.add_device(TD)
    assert catalog.device("urn:dev:hall-7") == catalog.device("press of hall 7")
    assert catalog.device("urn:dev:hall-7").td == TD
    catalog.add_device(TD | {"id": "urn:dev:second"})
    with pytest.raises(UnknownError, match="more than one device") as error:
        catalog.device("Press of hall 7")
    assert error.value.hint == "urn:dev:hall-7, urn:dev:second"
    with pytest.raises(UnknownError, match="no device 'lamp'"):
        catalog.device("lamp")


def test_boards_fill_up_devices_and_a_change_of_one_reaches_them(catalog, file):
    mine = Board(
        name="mine", hardware=Hardware(core="cortex-m4f", clock_hz=64_000_000, ram=Capacity(total=65536))
    )
    catalog.add_board(mine)
    assert catalog.add_board("nano33ble").title == "Arduino Nano 33 BLE Sense"
    catalog.add_device(TD | {"shoal:hardware": {"board": "mine", "runtimes": [{"name": "shoal"}]}})
    catalog.add_model(file("a.shoal"), name="a")
    assert catalog.match("a", "urn:dev:hall-7").near[0].reasons != ()
    catalog.add_board(
        mine.model_copy(
            update={"hardware": mine.hardware.model_copy(update={"flash": Capacity(total=2**20)})}
        )
    )
    assert catalog.match("a", "urn:dev:hall-7").count == 1
    with pytest.raises(UnknownError, match="no board 'none'"):
        catalog.add_board("none")


def test_nothing_dangles(catalog, file):
    model = catalog.add_model(file("a.shoal"), name="a")
    catalog.add_device(TD)
    with pytest.raises(UnknownError, match="no model with the SHA-256 0000"):
        catalog.add(Alias(name="a", alias="x", model="0" * 64))
    with pytest.raises(UnknownError, match="no device 'urn:dev:none'"):
        catalog.add(Deployment(key="d", model=model.sha256, device="urn:dev:none"))
    catalog.add(Deployment(key="d", model=model.sha256, device="urn:dev:hall-7"))
    for kind, id in (("model", model.id), ("device", "urn:dev:hall-7")):
        with pytest.raises(ConflictError, match="needed by the deployment 'd'"):
            catalog.remove(kind, id)
    catalog.add(Deployment(key="d", model=model.sha256, device="urn:dev:hall-7", status="removed"))
    catalog.remove("device", "urn:dev:hall-7")
    catalog.alias("a", "champion", "a")
    with pytest.raises(ConflictError, match="needed by the alias 'a@champion'"):
        catalog.remove("model", model.id)
    catalog.remove("alias", "a@champion")
    catalog.remove("model", model.id)
    with pytest.raises(UnknownError, match="no model"):
        catalog.remove("model", model.id)


def test_check_finds_what_dangles(tmp_path):
    with Catalog(tmp_path / "a.shoal") as catalog:
        body = Deployment(key="d", model="0" * 64, device="urn:dev:none").body()
        catalog.store.put("deployment", "d", body)
        assert catalog.check() == [
            f"deployment 'd': no model '{'0' * 64}'",
            "deployment 'd': no device 'urn:dev:none'",
        ]


def test_many_documents_come_in_together_or_not_at_all(catalog, file):
    def model(number):
        return Model(sha256=f"{number:064x}", name=f"m{number}", version="1.0.0", format="other", size=1)

    path = file("a.shoal")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert catalog.add_many([model(1), model(2)], files={digest: path}) == [1, 2]
    assert [event.id for event in catalog.events()] == [model(1).id, model(2).id]
    assert catalog.add_many([model(2), model(3)]) == [3]
    with pytest.raises(ConflictError):
        catalog.add_many([model(4), model(5).model_copy(update={"name": "m1"})])
    assert catalog.store.count("model") == 3


def test_an_undone_transaction_leaves_no_names(catalog, file):
    def fail():
        with catalog.store.transaction():
            catalog.add_model(file("a.shoal", 1), name="a")
            catalog.alias("a", "champion", "a")  # sees what the transaction wrote
            with pytest.raises(ConflictError, match="another model"):
                catalog.add_model(file("b.shoal", 2), name="a", version="1.0.0")
            assert catalog.add_model(file("b.shoal", 2), name="a").version == "1.0.1"
            with pytest.raises(ConflictError, match="matching within a transaction"):
                catalog.match(model="a")
            with pytest.raises(ConflictError, match="a query within a transaction"):
                catalog.query("ASK {}")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with pytest.raises(UnknownError, match="no model 'a'"):
        catalog.model("a")
    # As many events as were undone: nothing may be taken for what was there before.
    for seed in (3, 4, 5):
        catalog.add_model(file(f"{seed}.shoal", seed), name="other")
    assert sorted(catalog._names.all()) == ["other"]
    assert catalog.model("other").version == "1.0.2"


def test_others_do_not_see_what_a_transaction_wrote(catalog, file):
    catalog.add_model(file("a.shoal", 1), name="a")
    seen = []
    with catalog.store.transaction():
        catalog.add_model(file("b.shoal", 2), name="a")
        assert catalog.model("a").version == "1.0.1"
        reader = threading.Thread(target=lambda: seen.append(catalog.model("a").version))
        reader.start()
        reader.join()
    assert seen == ["1.0.0"]
    assert catalog.model("a").version == "1.0.1"


def test_kinds_and_documents_that_are_not_there(catalog):
    with pytest.raises(UnknownError, match="no kind of document 'thing'"):
        catalog.get("thing", "x")
    with pytest.raises(UnknownError, match="no board 'x'"):
        catalog.get("board", "x")
    with pytest.raises(UnknownError, match="no saved query 'x'"):
        catalog.query("x")
    assert catalog.list("model") == []


def test_backup_restore_and_rebuild_give_the_same_catalog(catalog, file, tmp_path):
    catalog.add_model(file("a.shoal"), name="a", sensors=["Microphone"])
    catalog.add_device(TD)
    before = (
        catalog.match(model="a"),
        catalog.find("press"),
        catalog.query("SELECT ?s { ?s a td:Thing }").rows,
    )
    catalog.backup(tmp_path / "backup.shoal")
    Catalog.restore(tmp_path / "backup.shoal", tmp_path / "restored.shoal")
    with Catalog(tmp_path / "restored.shoal") as restored:
        assert list(restored.check()) == []
        assert restored.model_file("a") == catalog.model_file("a")
        restored.rebuild()
        assert list(restored.check()) == []
        after = (
            restored.match(model="a"),
            restored.find("press"),
            restored.query("SELECT ?s { ?s a td:Thing }").rows,
        )
        assert [str(one) for one in after] == [str(one) for one in before]


def test_threads_share_a_catalog(catalog, file):
    catalog.add_model(file("a.shoal"), name="a")
    wrong: list = []

    def work(name):
        for number in range(8):
            id = f"urn:dev:{name}:{number}"
            catalog.add_device(TD | {"id": id, "title": id})
            if (
                catalog.match("a", id).count != 1
                or catalog.device(id).id != id
                or not catalog.find(f'"{id}"')
            ):
                wrong.append(id)
        wrong.append(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in "xyz"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(wrong) == ["x", "y", "z"]
    assert catalog.match(model="a").count == 24


def test_two_catalogs_on_one_file_see_each_other(catalog, file):
    with Catalog(catalog.store.path) as other:
        catalog.add_model(file("a.shoal"), name="a")
        other.add_device(TD)
        assert other.model("a") == catalog.model("a")
        assert catalog.match(model="a").count == other.match(model="a").count == 1
        assert len(catalog.find("press")) == len(other.find("press")) == 1
        question = "SELECT ?s { ?s a td:Thing }"
        assert catalog.query(question).rows == other.query(question).rows != []


def test_a_read_only_catalog_answers_and_does_not_write(catalog, file):
    catalog.add_model(file("a.shoal"), name="a")
    catalog.add_device(TD)
    catalog.find("press")
    with Catalog(catalog.store.path, read_only=True) as reader:
        assert reader.model("a") == catalog.model("a")
        assert reader.match(model="a").count == 1
        assert len(reader.find("press")) == 1
        assert reader.query("SELECT ?s { ?s a td:Thing }").rows == [{"s": "urn:dev:hall-7"}]
        with pytest.raises(StorageError, match="reading only"):
            reader.remove("device", "urn:dev:hall-7")
        # Somebody wrote, and nobody searched since: titles are read from the documents.
        catalog.add_device(TD | {"id": "urn:dev:new", "title": "Lathe  of hall 8"})
        assert reader.device("lathe of HALL 8").id == "urn:dev:new"
        catalog.add_device(TD | {"id": "urn:dev:newer", "title": "Lathe of hall 8"})
        with pytest.raises(UnknownError, match="more than one device"):
            reader.device("Lathe of hall 8")
        with pytest.raises(UnknownError, match="no device 'Lathe'"):
            reader.device("Lathe")
        assert list(reader.check()) == []


def test_a_closed_catalog_says_so_and_can_be_closed_again():
    catalog = Catalog(None)
    catalog.close()
    catalog.close()
    with pytest.raises(StorageError, match="closed"):
        catalog.list("model")


def test_a_catalog_in_memory_does_it_all(file):
    with Catalog(None) as catalog:
        catalog.add_model(file("a.shoal"), name="a")
        catalog.add_device(TD)
        assert catalog.match(model="a").count == 1
        assert catalog.query("SELECT ?s { ?s a td:Thing }").rows == [{"s": "urn:dev:hall-7"}]
        assert catalog.similar("a") == []
        assert catalog.what_if("a", ram=10**9).more < 0
        assert list(catalog.check()) == []


def test_the_graph_of_a_catalog_before_is_not_that_of_a_restored_one(catalog, tmp_path):
    path = tmp_path / "other.shoal"
    question = "SELECT ?title WHERE { ?device a td:Thing ; td:title ?title }"
    with Catalog(path) as other:
        other.add_device(TD | {"title": "The one before"})
        assert "The one before" in other.query(question).json()
    catalog.add_device(TD)
    catalog.backup(tmp_path / "backup.shoal")
    path.unlink()
    Catalog.restore(tmp_path / "backup.shoal", path)
    assert not (tmp_path / "other.shoal.rdf").exists()
    with Catalog(path) as restored:
        answer = restored.query(question).json()
        assert ("Press of hall 7" in answer, "before" in answer) == (True, False)
        assert list(restored.check()) == []


def test_names_are_asked_within_a_transaction_and_outside_of_it_in_memory(file):
    """The lock of the database is taken before that of the names, by whoever asks."""
    with Catalog(None) as catalog:
        catalog.add_model(file("a.shoal"), name="a")
        stop = threading.Event()

        def ask():
            while not stop.is_set():
                catalog.model("a")

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()

        def write():
            for number in range(300):
                with catalog.store.transaction():
                    catalog.versions("a")
                    catalog.store.put("board", f"b{number}", {"name": f"b{number}"})

        writing = threading.Thread(target=write, daemon=True)
        writing.start()
        writing.join(60)
        stop.set()
        asking.join(10)
        assert not writing.is_alive()
        assert not asking.is_alive()


def test_the_deployments_of_an_expired_device_end(catalog, file):
    model = catalog.add_model(file("a.shoal"), name="a")
    catalog.store.put("device", TD["id"], TD, expires=10.0)
    states = {"planned": "removed", "active": "removed", "failed": "failed"}
    for key in states:
        catalog.add(Deployment(key=key, model=model.sha256, device=TD["id"], status=key))
    assert catalog.purge(9.0) == []
    events = catalog.purge(10.0)
    assert [(one.kind, one.action, one.actor) for one in events] == [
        ("deployment", "updated", "expiry"),
        ("deployment", "updated", "expiry"),
        ("device", "deleted", "expiry"),
    ]
    assert {key: catalog.get("deployment", key).status for key in states} == states
    assert list(catalog.check()) == []


def test_an_alias_leads_to_a_model_of_its_name(catalog, file):
    model = catalog.add_model(file("a.shoal"), name="a")
    for name in ("b", "none"):
        with pytest.raises(ConflictError, match="another name, 'a'"):
            catalog.alias(name, "champion", "a")
    catalog.alias("a", "champion", "a")
    with pytest.raises(ConflictError, match="needed by the alias 'a@champion'"):
        catalog.add(model.model_copy(update={"name": "b"}))
    catalog.remove("alias", "a@champion")
    catalog.add(model.model_copy(update={"name": "b"}))


def test_a_device_of_an_unknown_board_is_refused_with_those_like_it(catalog):
    for said in (
        {"shoal:hardware": {"board": "nano33blee"}},
        {"shoal:hardware": {}, "links": [{"rel": "type", "href": "urn:shoal:board:nano33blee"}]},
    ):
        with pytest.raises(UnknownError, match="no board 'nano33blee'") as caught:
            catalog.add_device(TD | said)
        assert "nano33ble" in caught.value.hint
        assert caught.value.where == "device 'urn:dev:hall-7': shoal:hardware.board"
    catalog.add_board(Board(name="nano33blee", hardware=Hardware(ram=Capacity(total=1000))))
    catalog.add_device(TD | {"shoal:hardware": {"board": "nano33blee"}})


def test_a_file_that_changed_since_it_was_described_is_not_kept(catalog, file):
    from shoal.catalog.importers import load

    path = file("a.shoal")
    read = load(path)
    path.write_bytes(file("b.shoal", 2).read_bytes())
    with pytest.raises(StorageError, match="changed"):
        catalog.add_many(read.documents, files=read.files)
    assert catalog.store.revision == 0


def test_a_title_is_found_in_any_case_and_spacing(catalog):
    catalog.add_device(TD | {"title": "Prüfstand  ÖL 7"})
    for title in ("prüfstand öl 7", "PRÜFSTAND ÖL  7", "Prüfstand  ÖL 7"):
        assert catalog.device(title).id == TD["id"]
    with pytest.raises(UnknownError):
        catalog.device("Prüfstand ÖL")


def test_kinds_and_documents_that_never_were_are_unknown(catalog):
    for ask in (catalog.history, catalog.remove):
        with pytest.raises(UnknownError, match="no kind of document 'modle'"):
            ask("modle", "x")
        with pytest.raises(UnknownError, match="no board 'x'"):
            ask("board", "x")
    with pytest.raises(UnknownError, match="no kind of document 'modle'"):
        catalog.find("x", kinds=["modle"])


def test_a_rule_asks_less_and_what_is_not_known_is_counted(catalog, file):
    wanted = catalog.add_model(file("a.shoal"), name="a", sensors=["acceleration"], licence="MIT")
    for name, hardware in {
        "urn:dev:small": {"ram": {"total": 10}, "flash": {"total": 10}},  # known, and too little
        "urn:dev:silent": {},
        "urn:dev:memory": {"ram": {"total": 10**6}, "flash": {"total": 10**6}},
        "urn:dev:sensors": {
            "ram": {"total": 10**6},
            "flash": {"total": 10**6},
            "sensors": [{"observes": "acceleration"}],
        },
    }.items():
        catalog.add_device(TD | {"id": name, "title": name, "shoal:hardware": hardware})
    catalog.add_device(TD)
    assert [one.device for one in catalog.match("a").matches] == [TD["id"]]
    found = catalog.match("a", rule=REFERENCE_RULE)
    assert {one.device for one in found.matches} == {TD["id"], "urn:dev:sensors"}
    for device, fits in ((TD["id"], True), ("urn:dev:sensors", True), ("urn:dev:small", False)):
        one = next(iter(catalog.match(wanted, device, rule=REFERENCE_RULE)))
        assert (one.device, one.fits) == (device, fits)
        assert {part.name for part in one.conditions} == {"sensor: acceleration", "RAM", "flash"}
    with pytest.raises(ConfigError, match="of a model"):
        catalog.match(device=TD["id"], rule=REFERENCE_RULE)
    for ask in (catalog.match, catalog.unsure, catalog.index.devices_for):
        with pytest.raises(ConfigError, match="nothing is called 'ram', 'sensor' in a rule") as caught:
            ask(wanted, rule={"ram", "sensor", "flash"})
        assert "RAM, clock" in caught.value.hint
        assert "sensor classes, sensors" in caught.value.hint

    # The definition: every condition that fails is one of which nothing is known.
    def doubtful(rule):
        for device in catalog.list("device"):
            failed = [one for one in check(wanted, device.hardware, rule=rule) if not one.fits]
            if failed and all(one.have == "not known" for one in failed):
                yield device.id

    for rule in (ALL, REFERENCE_RULE):
        assert catalog.unsure("a", rule=rule).count == len(list(doubtful(rule))) > 0
        assert catalog.unsure("a", rule=rule).device in set(doubtful(rule))
    assert catalog.unsure("a").count == 3
    secret = wanted.model_copy(update={"inference": None})
    assert catalog.unsure(secret) == Unsure()  # of the model itself its RAM is not known


def test_a_negative_number_is_refused(catalog, file):
    model = catalog.add_model(file("a.shoal"), name="a")
    for ask, name in (
        (lambda: catalog.match("a", limit=-1), "limit"),
        (lambda: catalog.match("a", offset=-1), "offset"),
        (lambda: catalog.match(model, near=-1, rule=REFERENCE_RULE), "near"),
        (lambda: catalog.list("model", limit=-1), "limit"),
        (lambda: catalog.list("model", offset=-1), "offset"),
        (lambda: catalog.find("a", limit=-1), "limit"),
        (lambda: catalog.find("a", offset=-1), "offset"),
        (lambda: catalog.similar("a", limit=-1), "limit"),
    ):
        with pytest.raises(ConfigError, match=f"{name} is -1") as caught:
            ask()
        assert (caught.value.where, caught.value.hint) == (name, "0 or more")


def test_arguments_that_cannot_be_are_errors_of_our_own(catalog, file):
    catalog.add_model(file("a.shoal"), name="a")
    with pytest.raises(ConfigError, match="neither a model nor a device"):
        catalog.match()
    for wrong in ([1], 7, None):
        with pytest.raises(DocumentError, match="Thing Description"):
            catalog.add_device(wrong)
    with pytest.raises(DocumentError, match="alias: string should match") as caught:
        catalog.alias("a", "a b", "a")
    assert caught.value.where == "a@a b"
    assert catalog.store.kinds() == {"model": 1}

"""Server-Sent Events."""

from __future__ import annotations

import json

from tests.serve.serving import Stream, served, thing, until

MERGE = {"Content-Type": "application/merge-patch+json"}


def life(directory, number):
    """Create, update and delete a thing."""
    directory.put(number, title="first", description="goes")
    directory.put(number, title="second")
    directory.client.delete(f"/things/urn:example:{number}")


def data(event):
    return json.loads(event["data"])


def test_tdd_notification(directory):
    with Stream(directory, "/events") as stream:
        directory.put(1)
        assert len(stream.wait(1)) == 1


def test_tdd_notification_sse(directory):
    with Stream(directory, "/events") as stream:
        assert stream.answer.status_code == 200
        assert stream.answer.headers["content-type"].split(";")[0] == "text/event-stream"
        directory.put(1)
        assert stream.wait(1)[0].keys() == {"event", "data", "id"}


def test_tdd_notification_event_id(directory):
    for number in range(400):  # more than is sent at once
        directory.put(number)
    with Stream(directory, "/events", last="0") as stream:
        numbers = [int(event["id"]) for event in stream.wait(400)]
        assert numbers == list(range(1, 401))
    with Stream(directory, "/events", last="398") as stream:
        directory.put("late")
        assert [data(event)["id"] for event in stream.wait(3)] == [
            "urn:example:398",
            "urn:example:399",
            "urn:example:late",
        ]
    for last, status in (("x", 400), ("-1", 400), ("9" * 40, 400), ("", 400)):
        answer = directory.client.get("/events", headers={"Last-Event-ID": last})
        assert answer.status_code == status
    # An id that no event has yet: of a catalog that was restored. The stream goes on with what comes.
    with Stream(directory, "/events", last="999999") as stream:
        directory.put("later")
        assert data(stream.wait(1)[0])["id"] == "urn:example:later"


def test_tdd_notification_event_types(directory):
    with Stream(directory, "/events") as stream:
        life(directory, 1)
        assert [event["event"] for event in stream.wait(3)] == [
            "thing_created",
            "thing_updated",
            "thing_deleted",
        ]


def test_tdd_notification_filter_type(directory):
    for kind in ("created", "updated", "deleted"):
        with Stream(directory, f"/events/thing_{kind}") as stream:
            life(directory, kind)
            directory.put("last")
            directory.put("last", title=kind)
            directory.client.delete("/things/urn:example:last")
            events = stream.wait(2)
            assert {event["event"] for event in events} == {f"thing_{kind}"}
            assert [data(event)["id"] for event in events] == [f"urn:example:{kind}", "urn:example:last"]
    assert directory.client.get("/events/thing_vanished").status_code == 404


def test_tdd_notification_data(directory):
    with Stream(directory, "/events?diff=true") as stream:
        directory.put(1, title='two\nlines, "quoted", ä€😀')
        assert data(stream.wait(1)[0])["title"] == 'two\nlines, "quoted", ä€😀'


def test_tdd_notification_data_td_id(directory):
    with Stream(directory, "/events") as stream:
        life(directory, 1)
        assert [data(event) for event in stream.wait(3)] == [{"id": "urn:example:1"}] * 3


def test_tdd_notification_data_create_full(directory):
    with Stream(directory, "/events/thing_created?diff=true") as stream:
        td = directory.put(1)
        sent = data(stream.wait(1)[0])
        registration = sent.pop("registration")
        assert registration["created"] == registration["modified"]
        assert sent.pop("@context") == [td.pop("@context"), "https://www.w3.org/2022/wot/discovery"]
        assert sent == td


def test_tdd_notification_data_update_diff(directory):
    with Stream(directory, "/events/thing_updated?diff=true") as stream:
        life(directory, 1)
        assert data(stream.wait(1)[0]) == {"id": "urn:example:1", "title": "second", "description": None}
        properties = {"on": {"forms": [{"href": "https://example.com/"}]}}
        directory.put(2, properties=properties)
        path = "/things/urn:example:2"
        directory.client.patch(path, json={"properties": {"on": {"title": "On"}}}, headers=MERGE)
        assert data(stream.wait(2)[1]) == {"id": "urn:example:2", "properties": {"on": {"title": "On"}}}


def test_tdd_notification_data_update_id(directory):
    with Stream(directory, "/events/thing_updated?diff=true") as stream:
        directory.put(1, registration={"ttl": 100})
        directory.client.patch("/things/urn:example:1", json={"registration": {"ttl": 200}}, headers=MERGE)
        # The registration lasts longer, the description is as it was.
        assert data(stream.wait(1)[0]) == {"id": "urn:example:1"}


def test_tdd_notification_data_delete_diff(directory):
    with Stream(directory, "/events/thing_deleted?diff=true") as stream:
        life(directory, 1)
        assert data(stream.wait(1)[0]) == {"id": "urn:example:1"}


def test_events_of_other_documents(directory):
    from shoal.catalog.documents import Model

    model = Model(sha256="1" * 64, name="wake", version="1.0.0", format="other", size=1)
    with (
        Stream(directory, "/events") as things,
        Stream(directory, "/events?kinds=thing,model") as both,
        Stream(directory, "/events?kinds=device&kinds=model") as again,
        Stream(directory, "/events/model_created?diff=true") as models,
    ):
        directory.catalog.add(model)
        directory.put(1)
        assert [event["event"] for event in both.wait(2)] == ["model_created", "thing_created"]
        assert again.wait(2) == both.events
        assert [event["event"] for event in things.wait(1)] == ["thing_created"]
        assert data(models.wait(1)[0])["name"] == "wake"
    answer = directory.client.get("/events?kinds=lamp")
    assert (answer.status_code, answer.json()["validationErrors"][0]["field"]) == (400, "kinds")


def test_what_other_processes_write_is_seen_too(directory):
    from shoal.catalog import Catalog

    with Stream(directory, "/events") as stream, Catalog(directory.catalog.store.path) as other:
        # Another connection to the file: the directory is not told, it looks.
        other.add_device(thing("other"))
        assert data(stream.wait(1)[0]) == {"id": "urn:example:other"}


def test_streams_have_a_limit(tmp_path):
    with served(tmp_path, settings={"subscribers": 2}) as directory:
        with Stream(directory, "/events"), Stream(directory, "/events"):
            until(lambda: directory.app.state.service.feed.readers == 2)
            refused = directory.client.get("/events")
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
        until(lambda: directory.app.state.service.feed.readers == 0)
        with Stream(directory, "/events") as stream:
            directory.put(1)
            stream.wait(1)


def test_a_silent_stream_beats(tmp_path):
    with served(tmp_path, settings={"heartbeat": 0.05}) as directory, Stream(directory, "/events") as stream:
        until(lambda: stream.lines.count(":") >= 2)

"""Every role at every endpoint, and what the gate lets through."""

from __future__ import annotations

import re

import httpx
import pytest
from fastapi import APIRouter

from shoal.catalog import Catalog
from shoal.serve import roles
from shoal.serve.app import app
from shoal.serve.roles import Role
from tests.serve.serving import Stream, served, until

with Catalog(None) as nothing:
    TABLE = roles.table(app(nothing).router.routes)

CALLERS = ("nobody", "unknown", *Role.__members__)


def ask(directory, method, path, headers):
    """Send a request; only the status of an answer that does not end is read."""
    path = re.sub(r"{[^}]*}", "sample", path)
    with httpx.stream(method, directory.url + path, headers=headers, timeout=10) as answer:
        return answer.status_code


def headers_of(directory, caller):
    if caller == "nobody":
        return {}
    return {"Authorization": "Bearer shoal_unknown"} if caller == "unknown" else directory.of(caller)


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(("method", "path", "role"), TABLE, ids=lambda one: getattr(one, "name", one))
def test_the_matrix_of_roles_and_endpoints(shared, caller, method, path, role):
    status = ask(shared, method, path, headers_of(shared, caller))
    if caller in {"nobody", "unknown"}:
        assert status == 401
    elif Role[caller] < role:
        assert status == 403
    else:
        assert status not in {401, 403}
        assert status < 500 or status == 501


def test_every_method_that_changes_something_takes_more_than_a_viewer():
    writing = {(method, path): role for method, path, role in TABLE if method not in {"GET", "HEAD"}}
    assert len(writing) >= 10
    assert {key for key, role in writing.items() if role == Role.viewer} == {("POST", "/search/sparql")}


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]
)
@pytest.mark.parametrize(
    "path", ["/", "/things", "/nowhere", "/things/../catalog", "//things", "/openapi.json", "/docs"]
)
def test_nothing_is_answered_without_a_token(shared, method, path):
    # A method that HTTP has not may be refused before it gets to the gate.
    assert ask(shared, method, path, {}) in ({400, 401} if method == "BREW" else {401})


def test_a_route_without_a_role_is_not_served():
    router = APIRouter()

    @router.get("/open")
    async def forgotten() -> None: ...

    with pytest.raises(TypeError, match="asks for 0 roles"):
        roles.table(router.routes)


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "bearer x",
        "Basic dXNlcjpwYXNz",
        "shoal_x",
        "Bearer \xff",
        "Bearer " + "x" * 8000,
        "admin",
    ],
)
def test_other_credentials_are_refused(shared, authorization):
    answer = httpx.get(f"{shared.url}/things", headers={"Authorization": authorization.encode("latin-1")})
    assert answer.status_code == 401


def test_a_token_is_not_taken_from_the_address(shared):
    token = shared.tokens["admin"]
    for path in (f"/things?token={token}", f"/things?access_token={token}"):
        assert httpx.get(shared.url + path).status_code == 401
    assert httpx.get(f"{shared.url}/things", auth=("admin", token)).status_code == 401
    assert httpx.get(f"{shared.url}/things", cookies={"token": token}).status_code == 401


def test_a_hash_of_the_file_is_no_token(shared):
    file = shared.catalog.store.path.parent / "tokens"
    for line in file.read_text().splitlines():
        digest = line.split()[1]
        assert (
            httpx.get(f"{shared.url}/things", headers={"Authorization": f"Bearer {digest}"}).status_code
            == 401
        )


def test_tokens_come_and_go_while_the_directory_runs(directory):
    from shoal.serve.tokens import new_token

    file = directory.catalog.store.path.parent / "tokens"
    assert file.stat().st_mode & 0o777 == 0o600
    token = new_token(file, "viewer", "dashboard in hall 7")

    def status():
        return httpx.get(f"{directory.url}/things", headers={"Authorization": f"Bearer {token}"}).status_code

    until(lambda: status() == 200)
    file.write_text("\n".join(line for line in file.read_text().splitlines() if "dashboard" not in line))
    until(lambda: status() == 401)
    file.unlink()
    until(lambda: directory.client.get("/things").status_code == 401)


def test_pages_of_other_sites_are_refused(shared):
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1", "http://[", ""):
        for method in ("GET", "POST", "OPTIONS"):
            answer = shared.client.request(method, "/things", headers={"Origin": origin})
            assert answer.status_code == 403
            assert not [name for name in answer.headers if name.startswith("access-control")]
    assert shared.client.get("/things", headers={"Origin": shared.url}).status_code == 200


def test_who_did_it_is_in_the_log(shared):
    shared.client.put("/things/urn:example:actor", json=_td(), headers=shared.of("operator"))
    (event,) = shared.catalog.history("device", "urn:example:actor")
    assert re.fullmatch("operator:[0-9a-f]{8}", event.actor)


def _td():
    from tests.serve.serving import thing

    return thing("actor")


def test_a_file_of_tokens_that_cannot_be_read_lets_nobody_in(directory, caplog):
    file = directory.catalog.store.path.parent / "tokens"
    kept = file.read_bytes()

    def status():
        return directory.client.get("/things").status_code

    assert status() == 200
    file.write_bytes(kept + b"\xff\n")
    until(lambda: status() == 401)
    file.write_bytes(kept)
    until(lambda: status() == 200)
    file.unlink()
    file.mkdir()
    until(lambda: status() == 401)
    assert "nobody is let in" in caplog.text


def test_a_token_has_a_line_of_its_own(tmp_path):
    from shoal.serve.tokens import Tokens, new_token

    file = tmp_path / "tokens"
    file.write_text("# the tokens of hall 7")
    made = [new_token(file, "viewer"), new_token(file, "admin")]
    assert len(file.read_text().splitlines()) == 3
    known = Tokens(file)
    assert [known.caller(f"Bearer {one}").role.name for one in made] == ["viewer", "admin"]


def test_a_stream_ends_with_its_token(tmp_path):
    with served(tmp_path, settings={"heartbeat": 0.1}) as directory:
        feed = directory.app.state.service.feed
        file = tmp_path / "tokens"
        with Stream(directory, "/events") as kept, Stream(directory, "/events/thing_created"):
            lines = len(kept.lines)
            until(lambda: len(kept.lines) > lines + 4)
            assert feed.readers == 2
            others = [line for line in file.read_text().splitlines() if not line.startswith("viewer")]
            file.write_text("\n".join(others))
            until(lambda: feed.readers == 0)
        assert directory.client.get("/things").status_code == 200

"""A directory without tokens: for this machine alone, and only when asked for."""

from __future__ import annotations

import httpx
import pytest

from shoal.catalog import Catalog
from shoal.errors import ConfigError
from shoal.serve import Settings, serve
from tests.serve.serving import served, thing


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    with served(tmp_path_factory.mktemp("open"), settings={"open": True}) as directory:
        yield directory


def test_everybody_on_this_machine_is_let_in(opened):
    assert httpx.put(f"{opened.url}/things/urn:example:1", json=thing(1)).status_code == 201
    assert httpx.get(f"{opened.url}/.well-known/wot").json()["security"] == "none"


def test_a_wrong_token_is_wrong_there_too(opened):
    assert httpx.get(f"{opened.url}/things", headers={"Authorization": "Bearer x"}).status_code == 401


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "[::2]", "", "[", "localhost.evil.example:80"]
)
def test_other_names_of_this_machine_are_refused(opened, host):
    # A page of evil.example whose name is made to lead to 127.0.0.1 would ask in the name of the user.
    assert httpx.get(f"{opened.url}/things", headers={"Host": host}).status_code in {400, 403}


def test_its_own_names_are_not(opened):
    for host in ("localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8080"):
        assert httpx.get(f"{opened.url}/things", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])
def test_others_are_never_let_in_without_tokens(host):
    with Catalog(None) as catalog, pytest.raises(ConfigError, match="only this machine"):
        serve(catalog, Settings(open=True), host=host)


def test_by_default_nobody_is_let_in(tmp_path):
    with served(tmp_path, settings={"tokens": None}) as directory:
        assert directory.client.get("/things").status_code == 401


def test_a_directory_behind_a_proxy_says_where_it_is(tmp_path):
    with served(tmp_path, settings={"base": "https://tdd.example.com/"}) as directory:
        assert directory.client.get("/.well-known/wot").json()["base"] == "https://tdd.example.com/"


def test_settings_are_checked():
    with pytest.raises(ConfigError, match="page is 0"):
        Settings(page=0)

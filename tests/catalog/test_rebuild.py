"""A catalog is made anew while others ask it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from pyoxigraph import NamedNode

from shoal.catalog import Catalog
from shoal.catalog.graph import Local
from shoal.catalog.query import Limits
from shoal.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TD: dict[str, Any] = {
    "@context": "https://www.w3.org/2022/wot/td/v1.1",
    "id": "urn:dev:press",
    "title": "Press",
    "security": "none",
    "securityDefinitions": {"none": {"scheme": "nosec"}},
}
NAMES = "SELECT ?name { ?device a shoal:Device ; schema:name ?name }"
PRESS = [{"name": "Press"}]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    """Return a catalog with a device, that was asked before."""
    with Catalog(tmp_path / "site.shoal") as found:
        found.add_device(TD)
        assert found.query(NAMES).rows == PRESS
        yield found


def damage(folder: Path) -> None:
    """Take what the graph says of the device."""
    view = Local(folder)
    for quad in list(view.store.quads_for_pattern(NamedNode(TD["id"]), None, None, None)):
        view.store.remove(quad)


def test_a_question_during_a_rebuild_waits_for_it(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Catalog(catalog.store.path) as damaged:
        catalog._questions.close()
        damage(tmp_path / "site.shoal.rdf")
        assert damaged.query(NAMES).rows == []
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(catalog.query(NAMES).rows))
    rebuild = catalog.store.rebuild

    def asked() -> None:
        rebuild()
        with pytest.raises(QueryError, match="a rebuild"):
            catalog.query(NAMES, limits=Limits(seconds=0.2))
        asking.start()
        asking.join(1.5)  # time enough to start a process, which would take the view
        assert asking.is_alive()

    monkeypatch.setattr(catalog.store, "rebuild", asked)
    catalog.rebuild()
    asking.join()
    assert answers == [PRESS]
    assert list(catalog.check()) == []


def test_a_view_that_another_process_has_is_made_anew_before_its_next_answer(
    catalog: Catalog, tmp_path: Path
) -> None:
    folder = tmp_path / "site.shoal.rdf"
    catalog._questions.close()
    damage(folder)
    with Catalog(catalog.store.path) as other:
        assert other.query(NAMES).rows == []  # its process has the view
        catalog.rebuild()
        assert other.query(NAMES).rows == PRESS
    assert not (folder / "STALE").exists()
    assert list(catalog.check()) == []


def test_a_view_that_was_to_be_made_anew_is_when_it_is_opened_next(catalog: Catalog, tmp_path: Path) -> None:
    folder = tmp_path / "site.shoal.rdf"
    catalog._questions.close()
    damage(folder)
    with Catalog(catalog.store.path) as other:
        assert other.query(NAMES).rows == []
        catalog.rebuild()
    assert (folder / "STALE").exists()
    assert list(catalog.check()) == []  # what it holds counts no more
    assert catalog.query(NAMES).rows == PRESS
    assert not (folder / "STALE").exists()
    assert list(catalog.check()) == []

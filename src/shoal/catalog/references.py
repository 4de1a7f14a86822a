"""What documents refer to: nothing may dangle."""

from __future__ import annotations

import difflib
from itertools import islice
from typing import TYPE_CHECKING, Any

from shoal.boards import BOARDS
from shoal.catalog.documents import Alias, Deployment, Device, Model, board_hardware, board_of
from shoal.errors import ConflictError, UnknownError

if TYPE_CHECKING:
    from shoal.catalog.documents import Document
    from shoal.catalog.store import Store

__all__ = [
    "check_board",
    "check_needed",
    "check_records",
    "check_references",
    "dangling",
    "end_deployments",
]

# The fields of records that name documents, and the kinds of these.
RECORDS = {
    "deployment": {"model": "model", "device": "device"},
    "run": {"produced": "model", "base": "model", "devices": "device"},
    "measurement": {"model": "model", "device": "device", "board": "board", "run": "run"},
    "learning": {"device": "device", "model": "model"},
}
COMMANDS = {
    "model": "shoal model add FILE",
    "device": "shoal device add FILE",
    "board": "shoal board add FILE",
}
LIVE = ("planned", "active")  # deployments that need their model and their device
MOST = 10  # problems that are told

# Aliases need their model; deployments their model and their device, as long as they are planned or active.
# The terms on `kind` are those of the indices `events_of_model` and `events_of_device`.
USER = """SELECT e.kind, e.id FROM events e JOIN documents d ON d.revision = e.sequence
        AND d.kind = e.kind AND d.id = e.id
    WHERE e.kind IN ('alias', 'deployment') AND json_extract(e.body, '$.{kind}') = ?
    AND coalesce(json_extract(e.body, '$.status'), 'planned') IN ('planned', 'active') LIMIT 1"""
USERS = {kind: USER.format(kind=kind) for kind in ("model", "device")}

# The terms on `kind` again, for the same index.
DEPLOYMENTS = """SELECT e.id FROM events e JOIN documents d ON d.revision = e.sequence
        AND d.kind = e.kind AND d.id = e.id
    WHERE e.kind IN ('alias', 'deployment') AND e.kind = 'deployment' AND json_extract(e.body, '$.device') = ?
    AND coalesce(json_extract(e.body, '$.status'), 'planned') IN ('planned', 'active') ORDER BY e.id"""
ALIASES = """SELECT e.id FROM events e JOIN documents d ON d.revision = e.sequence
        AND d.kind = e.kind AND d.id = e.id
    WHERE e.kind IN ('alias', 'deployment') AND e.kind = 'alias' AND json_extract(e.body, '$.model') = ?
    AND json_extract(e.body, '$.name') <> ? LIMIT 1"""

NAMED = """SELECT d.kind, d.id, '{kind}', json_extract(e.body, '$.{kind}') AS name
    FROM documents d JOIN events e ON e.sequence = d.revision
    WHERE d.kind IN ({users})
    AND coalesce(json_extract(e.body, '$.status'), 'planned') IN ('planned', 'active')
    AND NOT EXISTS (SELECT 1 FROM documents o WHERE o.kind = '{kind}' AND o.id = '{prefix}' || name)"""
DANGLING = (
    " UNION ALL ".join(
        (
            NAMED.format(kind="model", users="'alias', 'deployment'", prefix="sha256:"),
            NAMED.format(kind="device", users="'deployment'", prefix=""),
        )
    )
    + f" LIMIT {MOST}"
)


def check_references(store: Store, document: Document) -> None:
    """Check that what a document needs is there: a device its board, an alias and a deployment their models.

    Raises
    ------
    UnknownError
        Where it is not.
    ConflictError
        Where an alias leads to a model of another name.
    """
    if isinstance(document, Device):
        check_board(store, document)
    if isinstance(document, Model):
        check_aliases(store, document)
    if isinstance(document, Alias):
        check_named(store, document, "model", "model", document.model)
        record = store.get("model", f"sha256:{document.model}")
        name = document.name if record is None else record.body["name"]
        if name != document.name:
            raise ConflictError(
                f"the alias would lead to a model of another name, '{name}'",
                where=f"alias '{document.id}': model",
                hint=f"{name}@{document.alias}",
            )
    if isinstance(document, Deployment) and document.status in LIVE:
        for field, kind in RECORDS["deployment"].items():
            check_named(store, document, field, kind, getattr(document, field))


def check_records(store: Store, document: Document) -> None:
    """Check that what a record of what happened names is there; what it named before may be gone since.

    Raises
    ------
    UnknownError
        Where it is not.
    """
    fields = RECORDS.get(document.kind, {})
    old = store.get(document.kind, document.id) if fields else None
    known = {} if old is None else old.body
    for field, kind in fields.items():
        for name in sorted(names(getattr(document, field)) - names(known.get(field))):
            check_named(store, document, field, kind, name)


def names(value: Any) -> set[str]:
    """Return the names in a field: none, one or several.

    Examples
    --------
    >>> names(None), names("urn:dev:7"), names(["urn:dev:7"])
    (set(), {'urn:dev:7'}, {'urn:dev:7'})
    """
    return set() if value is None else {value} if isinstance(value, str) else set(value)


def check_named(store: Store, document: Document, field: str, kind: str, name: str) -> None:
    """Check that a document that another one names is there.

    Raises
    ------
    UnknownError
        Where it is not.
    """
    shipped = kind == "board" and board_hardware(name) is not None
    if shipped or store.get(kind, f"sha256:{name}" if kind == "model" else name) is not None:
        return
    raise UnknownError(
        f"no model with the SHA-256 {name}" if kind == "model" else f"no {kind} '{name}'",
        where=f"{document.kind} '{document.id}': {field}",
        hint=COMMANDS.get(kind, f"shoal find '{name}'"),
    )


def check_board(store: Store, device: Device) -> None:
    """Check that the board of a device is one of the catalog, or comes with Shoal.

    Raises
    ------
    UnknownError
        Where it is neither: with those of a name like it.
    """
    board = device.hardware.board
    if board is None or board_hardware(board) is not None or store.get("board", board) is not None:
        return
    near = difflib.get_close_matches(board, [*BOARDS, *store.ids("board")], n=3)
    raise UnknownError(
        f"no board '{board}'",
        where=f"device '{device.id}': shoal:hardware.board",
        hint=", ".join(near) or "shoal board list, or shoal board add FILE",
    )


def check_aliases(store: Store, model: Model) -> None:
    """Check that no alias leads to a model by another name than the one that it gets.

    Raises
    ------
    ConflictError
        Where one does: names it.
    """
    with store.reading() as connection:
        alias = connection.execute(ALIASES, (model.sha256, model.name)).fetchone()
    if alias is not None:
        raise ConflictError(
            f"the model is needed by the alias '{alias[0]}'",
            where=f"{model.id}: name",
            hint="remove that alias first",
        )


def end_deployments(store: Store, device: str, actor: str) -> None:
    """Note of the planned and active deployments on a device that it is gone."""
    with store.transaction() as connection:
        for (id,) in connection.execute(DEPLOYMENTS, (device,)).fetchall():
            record = store.get("deployment", id)
            if record is not None:
                store.put(
                    "deployment",
                    id,
                    record.body | {"status": "removed"},
                    expires=record.expires,
                    registration=record.registration,
                    actor=actor,
                )


def check_needed(store: Store, kind: str, id: str) -> None:
    """Check that no alias, no deployment and no device needs a document that is to be removed.

    Raises
    ------
    ConflictError
        Where one does: names it.
    """
    if kind == "board":
        user = user_of_board(store, id)
    elif kind in USERS:
        value = id.removeprefix("sha256:") if kind == "model" else id
        with store.reading() as connection:
            user = connection.execute(USERS[kind], (value,)).fetchone()
    else:
        return
    if user is not None:
        raise ConflictError(
            f"the {kind} is needed by the {user[0]} '{user[1]}'",
            where=id,
            hint=f"remove that {user[0]} first",
        )


def user_of_board(store: Store, board: str) -> tuple[str, str] | None:
    """Return a device that needs a board; None where there is none, or one of this name comes with Shoal."""
    if board_hardware(board) is not None:
        return None
    for device in store.records("device"):
        if board in device.text and board_of(device.body) == board:
            return "device", device.id
    return None


def dangling(store: Store) -> list[str]:
    """Return what needs what is not there: aliases, planned or active deployments, devices; a few at most."""
    with store.reading() as connection:
        rows = connection.execute(DANGLING).fetchall()
    boards = {*BOARDS, *store.ids("board"), None}
    devices = ((one.id, board_of(one.body)) for one in store.records("device"))
    lost = islice(((id, board) for id, board in devices if board not in boards), MOST)
    return [
        *(f"{kind} '{id}': no {missing} '{name}'" for kind, id, missing, name in rows),
        *(f"device '{id}': no board '{board}'" for id, board in lost),
    ]

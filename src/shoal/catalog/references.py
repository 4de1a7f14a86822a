"""What documents refer to: nothing may dangle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.catalog.documents import Alias, Deployment
from shoal.errors import ConflictError, UnknownError

if TYPE_CHECKING:
    from shoal.catalog.documents import Document
    from shoal.catalog.store import Store

__all__ = ["check_needed", "check_references", "dangling"]

# Aliases need their model; deployments their model and their device, as long as they are planned or active.
# The terms on `kind` are those of the indices `events_of_model` and `events_of_device`.
USER = """SELECT e.kind, e.id FROM events e JOIN documents d ON d.revision = e.sequence
        AND d.kind = e.kind AND d.id = e.id
    WHERE e.kind IN ('alias', 'deployment') AND json_extract(e.body, '$.{kind}') = ?
    AND coalesce(json_extract(e.body, '$.status'), 'planned') IN ('planned', 'active') LIMIT 1"""
USERS = {kind: USER.format(kind=kind) for kind in ("model", "device")}

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
    + " LIMIT 10"
)


def check_references(store: Store, document: Document) -> None:
    """Check that what a document names is there.

    Raises
    ------
    UnknownError
        Where it is not.
    """
    if isinstance(document, Alias | Deployment) and store.get("model", f"sha256:{document.model}") is None:
        raise UnknownError(
            f"no model with the SHA-256 {document.model}",
            where=f"{document.kind} '{document.id}': model",
            hint="shoal model add FILE",
        )
    if isinstance(document, Deployment) and store.get("device", document.device) is None:
        raise UnknownError(
            f"no device '{document.device}'",
            where=f"deployment '{document.id}': device",
            hint="shoal device add FILE",
        )


def check_needed(store: Store, kind: str, id: str) -> None:
    """Check that no alias and no deployment needs a document that is to be removed.

    Raises
    ------
    ConflictError
        Where one does: names it.
    """
    if kind not in USERS:
        return
    value = id.removeprefix("sha256:") if kind == "model" else id
    with store.reading() as connection:
        user = connection.execute(USERS[kind], (value,)).fetchone()
    if user is not None:
        raise ConflictError(
            f"the {kind} is needed by the {user[0]} '{user[1]}'",
            where=id,
            hint=f"remove that {user[0]} first",
        )


def dangling(store: Store) -> list[str]:
    """Return the aliases and the planned or active deployments that name what is not there, ten at most."""
    with store.reading() as connection:
        rows = connection.execute(DANGLING).fetchall()
    return [f"{kind} '{id}': no {missing} '{name}'" for kind, id, missing, name in rows]

"""The gate: nothing is answered to whom is not let in, whatever the path."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shoal.serve.problem import Refused, problem
from shoal.serve.rate import Rate
from shoal.serve.roles import Role
from shoal.serve.settings import LOOPBACK
from shoal.serve.tokens import Caller, Tokens

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from shoal.serve.settings import Settings

__all__ = ["Gate"]

EVERYBODY = Caller(Role.admin, "local")


class Gate:
    """Find out who asks, how often, and from where; stands before the routes.

    Parameters
    ----------
    app
        What is behind the gate.
    settings
        Its `tokens`, `open` and `requests`.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._open = settings.open
        self._tokens = Tokens(settings.tokens)
        self._rate = Rate(settings.requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that is refused, hand on one that is not."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no websockets here: the server closes the connection
        try:
            scope["caller"] = self._caller(scope)
            # What goes on for long asks again whether its token is still there.
            authorization = headers_of(scope).get(b"authorization", "")
            scope["allowed"] = lambda: self._known(authorization) is not None
        except Refused as refused:
            await problem(refused)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _caller(self, scope: Scope) -> Caller:
        """Return who asks.

        Raises
        ------
        Refused
            Where it may not.
        """
        headers = headers_of(scope)
        host, origin = headers.get(b"host", ""), headers.get(b"origin")
        if origin is not None and urlsplit_safe(origin) != host.lower():
            raise Refused(403, "pages of other sites may not ask this server")
        authorization = headers.get(b"authorization", "")
        caller = self._known(authorization)
        if caller is EVERYBODY and hostname(host) not in LOOPBACK:
            # A page of another site whose name leads here all of a sudden is not of this machine.
            raise Refused(403, f"this server is asked as {', '.join(sorted(LOOPBACK))}, not as '{host[:99]}'")
        address = (scope.get("client") or ("",))[0]
        wait = self._rate.wait(caller.name if caller else f"address {address}")
        if wait:
            raise Refused(429, "too many requests", headers={"Retry-After": str(int(wait) + 1)})
        if caller is None:
            how = ' error="invalid_token"' if authorization else ""
            raise Refused(
                401,
                "this takes a token that the server knows",
                hint="Authorization: Bearer TOKEN, from: shoal serve --new-token ROLE --tokens FILE",
                headers={"WWW-Authenticate": f'Bearer realm="shoal"{"," if how else ""}{how}'},
            )
        return caller

    def _known(self, authorization: str) -> Caller | None:
        """Return whose `Authorization` header this is now, None where nobody's."""
        if authorization:
            return self._tokens.caller(authorization)
        return EVERYBODY if self._open else None


def headers_of(scope: Scope) -> dict[bytes, str]:
    """Return the headers of a request; the first of each name counts, as it does for Starlette."""
    return {name: value.decode("latin-1") for name, value in reversed(scope["headers"])}


def urlsplit_safe(origin: str) -> str:
    """Return the host and the port of an origin, nothing where it has none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def hostname(host: str) -> str:
    """Return a `Host` header without the port.

    Examples
    --------
    >>> hostname("127.0.0.1:8080"), hostname("[::1]:80")
    ('127.0.0.1', '::1')
    """
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""

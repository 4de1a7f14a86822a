"""`shoal serve`: the catalog over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from shoal.cli import console
from shoal.cli.catalogs import CatalogOption, opened, place
from shoal.errors import ConfigError, MissingExtraError

__all__ = ["serve"]

Role = Literal["viewer", "operator", "admin"]


def serve(
    *,
    catalog: CatalogOption = None,
    host: str = "127.0.0.1",
    port: int = 8080,
    tokens: Path | None = None,
    new_token: Role | None = None,
    note: str = "",
    base: str | None = None,
    everybody: Annotated[bool, Parameter(name="--open", negative=())] = False,
) -> None:
    """Serve the catalog over HTTP: a W3C WoT Thing Description Directory, with models, matching, deployments.

    Nobody is let in without a token. --new-token makes one and writes it to stdout, once: the file holds its
    SHA-256 alone. A viewer reads; an operator registers things, models and deployments; an admin also removes
    models and rebuilds. A directory that runs sees new tokens, and those that are gone, within a second.

    Parameters
    ----------
    host
        Address to listen at: this machine alone by default. Others need TLS, from a reverse proxy before it.
    port
        0 for any that is free.
    tokens
        File of the tokens; the catalog's with .tokens at its end by default.
    new_token
        Make a token of this role, instead of serving.
    note
        Whose token it is, for the file.
    base
        Where clients reach it, where that is not what they ask for: https://tdd.example.com/ behind a proxy.
    everybody
        Let everybody on this machine in without a token.
    """
    path = place(catalog)
    file = path.with_name(f"{path.name}.tokens") if tokens is None else tokens
    try:
        from shoal.serve import Settings
        from shoal.serve import serve as run
        from shoal.serve.settings import LOOPBACK
        from shoal.serve.tokens import new_token as make
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("shoal"):
            raise
        raise MissingExtraError(error.name, "server") from error
    if new_token is not None:
        console.text(make(file, new_token, note))
        console.note(f"a {new_token}'s token; its hash is in {file}, itself nowhere: keep it")
        return
    if note:
        raise ConfigError("a note is of a token", where="--note", hint="--new-token ROLE")

    def announce(address: str) -> None:
        console.note(f"{path} at {address} (the API: {address}docs); Ctrl-C ends")
        if host not in LOOPBACK:
            console.note(
                "tokens cross the network readable: this is plain HTTP, for a proxy with TLS", "yellow"
            )
        if not everybody and not file.exists():
            console.note(f"nobody is let in: there is no {file}", "yellow")
            console.next_command(f"shoal serve --new-token admin --tokens {file}")

    with opened(catalog, make=True) as found:
        run(found, Settings(tokens=file, open=everybody, base=base), host=host, port=port, announce=announce)

"""`elige serve`."""

import asyncio
import sys
from datetime import timedelta
from typing import Annotated

import typer

from server.cli.options import DB, Db
from server.durations import iso_duration, parse_duration
from server.settings import DEFAULT_ADDRESS, DEFAULT_OUTBOX, DEV_WINDOW, Durability, Settings


def serve(
    db: Db = DB,
    listen: Annotated[
        str, typer.Option(envvar="ELIGE_LISTEN", help="The address; port 0 takes a free one.", metavar="HOST:PORT")
    ] = DEFAULT_ADDRESS,
    durability: Annotated[
        Durability | None,
        typer.Option(
            envvar="ELIGE_DURABILITY",
            help="Acknowledge after the commit of: the database, or a local outbox (PostgreSQL only, and its default).",
        ),
    ] = None,
    outbox: Annotated[
        str, typer.Option(envvar="ELIGE_OUTBOX", help="The file of the outbox; one a server.", metavar="FILE")
    ] = DEFAULT_OUTBOX,
    drain_grace: Annotated[
        str,
        typer.Option(
            envvar="ELIGE_DRAIN_GRACE",
            help="How long windows wait for a server that says nothing while its outbox may not be empty.",
            metavar="DURATION",
        ),
    ] = "5m",
    metrics: Annotated[
        str | None,
        typer.Option(envvar="ELIGE_METRICS", help="Tell Prometheus there; by default nowhere.", metavar="HOST:PORT"),
    ] = None,
    keep_evaluations: Annotated[
        str | None,
        typer.Option(
            envvar="ELIGE_KEEP_EVALUATIONS",
            help="Drop evaluations so long after they have ended; by default never.",
            metavar="DURATION",
        ),
    ] = None,
    dev: Annotated[
        bool, typer.Option("--dev", help=f"Close reward windows after {DEV_WINDOW.seconds} s: for trying things out.")
    ] = False,
) -> None:
    """Decide, log and learn: the gRPC server, with its trainer beside it. Stops gently on SIGTERM or Ctrl-C."""
    from server.app import serve as run  # the other commands need neither gRPC's server nor uvloop
    from server.evaluation.keeping import LEAST, MOST
    from server.logging import configure_logging
    from server.store.database import shown

    configure_logging()
    host, _ = _address(listen, "--listen")
    settings = Settings(
        database=db,
        listen=listen,
        dev=dev,
        durability=durability,
        outbox=outbox,
        drain_grace=_duration(drain_grace, "--drain-grace"),
        metrics=metrics if metrics is None else ":".join(_address(metrics, "--metrics")),
        keep_evaluations=keep_evaluations if keep_evaluations is None else _kept(keep_evaluations, LEAST, MOST),
    )

    def ready(port: int) -> None:
        typer.echo(f"elige serves {shown(db)} on {host}:{port}" + (" (dev: windows close after 5 s)" if dev else ""))
        sys.stdout.flush()

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(run(settings, ready=ready))


def _address(text: str, option: str) -> tuple[str, str]:
    """Raises BadParameter."""
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isdecimal() and int(port) < 65_536):
        raise typer.BadParameter(f"{text!r}: expected HOST:PORT, such as localhost:7461", param_hint=option)
    return host, port


def _duration(text: str, option: str) -> timedelta:
    """Raises BadParameter."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def _kept(text: str, least: timedelta, most: timedelta) -> timedelta:
    """Raises BadParameter."""
    option = "--keep-evaluations"
    kept = _duration(text, option)
    if not least <= kept <= most:
        told = f"{text!r}: expected from {iso_duration(least)} to {iso_duration(most)}"
        raise typer.BadParameter(told, param_hint=option)
    return kept


def _loop_factory() -> "type[asyncio.AbstractEventLoop] | None":
    try:
        import uvloop
    except ImportError:  # it does not exist for Windows
        return None
    return uvloop.Loop

"""`elige serve`."""

import asyncio
import sys
from typing import Annotated

import typer

from server.cli.options import DB, Db
from server.settings import DEFAULT_ADDRESS, DEV_WINDOW, Settings


def serve(
    db: Db = DB,
    listen: Annotated[
        str, typer.Option(envvar="ELIGE_LISTEN", help="The address; port 0 takes a free one.", metavar="HOST:PORT")
    ] = DEFAULT_ADDRESS,
    dev: Annotated[
        bool, typer.Option("--dev", help=f"Close reward windows after {DEV_WINDOW.seconds} s: for trying things out.")
    ] = False,
) -> None:
    """Decide, log and learn: the gRPC server, with its trainer beside it. Stops gently on SIGTERM or Ctrl-C."""
    from server.app import serve as run  # the other commands need neither gRPC's server nor uvloop
    from server.logging import configure_logging
    from server.store.database import shown

    configure_logging()
    host, colon, port = listen.rpartition(":")
    if not (host and colon and port.isdecimal() and int(port) < 65_536):
        raise typer.BadParameter(f"{listen!r}: expected HOST:PORT, such as localhost:7461", param_hint="--listen")
    settings = Settings(database=db, listen=listen, dev=dev)

    def ready(port: int) -> None:
        typer.echo(f"elige serves {shown(db)} on {host}:{port}" + (" (dev: windows close after 5 s)" if dev else ""))
        sys.stdout.flush()

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(run(settings, ready=ready))


def _loop_factory() -> "type[asyncio.AbstractEventLoop] | None":
    try:
        import uvloop
    except ImportError:  # it does not exist for Windows
        return None
    return uvloop.Loop

"""`elige demo`."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    folder: Annotated[Path, typer.Option(help="Where its database and pages go.")] = Path("elige-demo"),
) -> None:
    """The whole product in about a minute: a server, simulated visitors, learning seen live, an evaluation."""
    from server.demo.run import run

    run(folder)

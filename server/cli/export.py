"""`elige export`: the log as files."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from server.cli.options import DB, Db


class Kind(StrEnum):
    """What `--to` can be."""

    PARQUET = "parquet"


def export(
    out: Annotated[Path, typer.Option(help="The folder; made where there is none.", metavar="FOLDER")],
    to: Annotated[Kind, typer.Option(help="The kind of files: parquet.", metavar="KIND")] = Kind.PARQUET,
    campaign: Annotated[
        list[str] | None, typer.Option(help="Only this campaign; repeatable. By default all.", metavar="CAMPAIGN")
    ] = None,
    db: Db = DB,
) -> None:
    """Write decisions, choices, outcomes and rewards as Parquet files, a folder for every campaign and day.

    Into the same folder again it writes only the days that are new or have changed. A day is the UTC day of the
    decision, also for outcomes and rewards that come later: they rewrite that day.
    """
    from server.files.export import export_log
    from server.store.database import Database

    database = Database(db, create=False)
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)
        done = export_log(
            database,
            out,
            campaigns=campaign or (),
            progress=lambda name, day: progress.update(task, description=f"{name}, {day}"),
        )
    written = ", ".join(f"{number:,} {table}" for table, number in done.rows.items())
    noun = "day" if done.written == 1 else "days"
    typer.echo(f"{done.written:,} {noun} written ({written}), {done.unchanged:,} unchanged: {out}")

"""`elige person …`: the people of the log, who stand in it as keyed hashes."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from server.cli.options import DB, Db

app = typer.Typer(help="The people of the log.", no_args_is_help=True)


@app.command()
def key(
    file: Annotated[Path, typer.Argument(help="An export of a warehouse, CSV or Parquet.", metavar="FILE")],
    column: Annotated[str, typer.Option(help="The column with the persons, as callers name them.", metavar="NAME")],
    out: Annotated[Path, typer.Option(help="Where to write it, with the key; of the same kind.", metavar="FILE")],
    into: Annotated[str, typer.Option(help="What to call the key's column.", metavar="NAME")] = "person_key",
    db: Db = DB,
) -> None:
    """Add the key under which the log holds each person, to join a warehouse with decisions.person.

    The key is a hash under the secret of this installation: the same person has the same key in every row of this log,
    and another one elsewhere. It is a pseudonym, not anonymous: who has this file knows whose decisions are whose.
    Persons are taken letter by letter as they stand in the file; a person who is missing gets no key.
    """
    from server.files.persons import add_person_keys
    from server.store.database import Database

    database = Database(db, create=False)
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} rows"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("hashing", total=None)
        rows = add_person_keys(
            file,
            out,
            secret=database.secret,
            column=column,
            into=into,
            progress=lambda rows: progress.update(task, completed=rows),
        )
    typer.echo(f"{rows:,} rows written to {out}, with the key of {column} as {into}: join it with decisions.person")
    typer.echo("the keys are pseudonyms made with this installation's secret: keep the file as you keep the persons")

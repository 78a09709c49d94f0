"""`elige person …`: the people of the log, who stand in it as keyed hashes."""

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from server.cli.options import DB, AsJson, Db

if TYPE_CHECKING:
    from server.people import Erased, Record

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


@app.command()
def link(
    alias: Annotated[str, typer.Argument(help="The key to give up: a cookie.", metavar="ALIAS")],
    person: Annotated[str, typer.Argument(help="The key to keep: a customer number.", metavar="PERSON")],
    db: Db = DB,
) -> None:
    """Tell that two keys are the same human being. What either did is found under both from then on."""
    from server.errors import EligeError
    from server.people import Link, link_people
    from server.store.database import Database
    from server.store.people import LinkStatus

    (answer,) = link_people(Database(db, create=False), [Link(alias, person)], now=datetime.now(UTC))
    if isinstance(answer, EligeError):
        raise answer
    typer.echo("linked" if answer is LinkStatus.LINKED else "they were linked before")


@app.command()
def export(
    person: Annotated[str, typer.Argument(help="The person, as callers name them.", metavar="PERSON")],
    out: Annotated[
        Path | None, typer.Option(help="Where to write it. Default: standard output.", metavar="FILE")
    ] = None,
    db: Db = DB,
) -> None:
    """Write everything that is stored about a person, under all their keys, as JSON: what to hand to somebody who asks.

    A person who is not known has an export without decisions.
    """
    from server.files.writing import replacing
    from server.people import all_decisions_of, outcomes_of, person_keys
    from server.store.database import Database

    database = Database(db, create=False)
    document = {
        "person": person,
        "person_keys": person_keys(database, person),
        "decisions": [_document(record) for record in all_decisions_of(database, person)],
        "outcomes_without_decision": outcomes_of(database, person),
    }
    text = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if out is None:
        typer.echo(text.decode(), nl=False)
        return
    with replacing(out) as temporary:
        temporary.write_bytes(text)
    typer.echo(f"{len(document['decisions']):,} decisions written to {out}")


@app.command()
def erase(
    person: Annotated[str, typer.Argument(help="The person, as callers name them.", metavar="PERSON")] = "",
    erasure: Annotated[str, typer.Option(help="Say how far this erasure is.", metavar="ID")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be erased.")] = False,
    db: Db = DB,
    as_json: AsJson = False,
) -> None:
    """Erase a person and all keys linked to them. There is no way back.

    What identifies them is blanked at once. A trainer then learns every campaign again that had learned from them;
    until it is done, --erasure ID says how far it is.
    """
    from server.people import ID_BYTES, erase_person, read_erasure
    from server.store.database import Database

    if bool(person) == bool(erasure):
        raise typer.BadParameter("expected either a person or --erasure ID", param_hint="PERSON")
    if erasure and dry_run:
        raise typer.BadParameter("only with a person", param_hint="--dry-run")
    database = Database(db, create=False)
    if erasure:
        erased = read_erasure(database, erasure)
    else:
        erasure_id = secrets.token_hex(ID_BYTES)
        erased = erase_person(database, person, now=datetime.now(UTC), erasure_id=erasure_id, dry_run=dry_run)
    typer.echo(orjson.dumps(erased, option=orjson.OPT_INDENT_2).decode() if as_json else _said(erased))


def _said(erased: "Erased") -> str:
    counts = f"{erased.decisions:,} decisions, {erased.outcomes:,} outcomes, {erased.keys:,} links"
    if erased.state is None:
        return f"would erase {counts}"
    lines = [f"erasure {erased.id}: {erased.state.value}; erased {counts}"]
    for one in erased.retrainings:
        new = "has not begun" if one.new_lineage is None else f"lineage {one.new_lineage}"
        far = "done" if one.done else f"{new}, {one.progress:.0%}"
        lines.append(f"  {one.campaign}, trained without them in place of lineage {one.old_lineage}: {far}")
    if erased.error:
        lines.append(f"  it is tried again: {erased.error}")
    elif erased.finished_at is None:
        lines.append(f"  a trainer brings it on; then: elige person erase --erasure {erased.id}")
    return "\n".join(lines)


def _document(record: "Record") -> dict[str, Any]:
    matured = record.matured
    return {
        "decision": record.decision,
        "outcomes": record.outcomes,
        "sequence": matured.sequence if matured else None,
        "reward": matured.reward if matured else None,
        "slot_rewards": matured.slot_rewards if matured else {},
        "matured_at": matured.matured_at if matured else None,
    }

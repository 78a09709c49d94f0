"""`elige evaluation …`: evaluations that are kept, with what they saw, so that they can be computed again."""

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column, Table
from rich.text import Text

from server.cli.options import DB, AsJson, Db

if TYPE_CHECKING:
    from server.evaluation.request import EvaluationRequest
    from server.store.evaluations import StoredEvaluation
    from simulator import Evaluation
    from simulator import Progress as Tell

SHOWN = 5
"""Numbers that differ, told one by one."""

app = typer.Typer(help="Evaluations that are kept: list, show, compute again, cancel, delete.", no_args_is_help=True)
Id = Annotated[str, typer.Argument(help="The id, as elige evaluate --save prints it.", metavar="ID")]


def computed_and_kept(db: str, request: "EvaluationRequest", *, progress: "Tell") -> tuple["Evaluation", str]:
    """What a request finds in all that is matured now, and the id under which it is kept."""
    from server.evaluation.asking import ID_BYTES, drafted
    from server.evaluation.computing import compute, keep
    from server.store.database import Database

    database = Database(db, create=False)
    draft = drafted(database, request, evaluation_id=secrets.token_hex(ID_BYTES), now=datetime.now(UTC))
    computed = compute(database, draft, progress=progress)
    keep(database, draft, computed, now=datetime.now(UTC))
    return computed.evaluation, draft.id


@app.command("list")
def list_(
    db: Db = DB,
    campaign: Annotated[str | None, typer.Option(help="Only of this campaign.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """The newest evaluations that were saved, or asked for with StartEvaluation.

    Where a server drops old ones (elige serve --keep-evaluations), each says how long it is kept.
    """
    from server.evaluation.keeping import kept_by_a_server
    from server.store.database import Database
    from server.store.evaluations import newest

    database = Database(db, create=False)
    with database.reading() as connection:
        found = newest(connection, campaign=campaign, limit=limit)
    kept = kept_by_a_server(database, now=datetime.now(UTC))
    until = {one.id: one.finished_at + kept if kept and one.finished_at else None for one in found}
    if as_json:
        told = [{**_document(one), "kept_until": until[one.id]} for one in found]
        typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
        return
    if not found:
        typer.echo("no evaluations yet; keep one: elige evaluate --save")
        return
    whole = Column("id", no_wrap=True, min_width=32)
    table = Table(whole, "campaign", "state", "asked", *(["kept until"] if kept else []), "policies", box=None)
    for one in found:
        times = [one.created_at, until[one.id]] if kept else [one.created_at]
        shown = (f"{at:%Y-%m-%d %H:%M}" if at else "" for at in times)
        policies = ", ".join(one.request.get("policies", ()))
        table.add_row(*map(Text, (one.id, one.campaign, _state(one), *shown, policies)))
    Console(highlight=False, soft_wrap=True).print(table)


@app.command()
def show(evaluation: Id, db: Db = DB, as_json: AsJson = False) -> None:
    """What was asked, of which log, and what was found."""
    stored = _read(db, evaluation)
    if as_json:
        typer.echo(orjson.dumps({**_document(stored), "result": stored.result}, option=orjson.OPT_INDENT_2).decode())
        return
    extent = stored.provenance["extent"]
    typer.echo(f"evaluation {stored.id}: {_state(stored)}")
    told = {name: value for name, value in stored.request.items() if value not in (None, [], False)}
    typer.echo(f"asked {stored.created_at:%Y-%m-%d %H:%M:%S} UTC: {orjson.dumps(told).decode()}")
    typer.echo(
        f"log: the decisions of {stored.campaign} up to {extent['through']:,} in its sequence, of which "
        f"{extent['counted']:,} count, read by version {extent['version']}; reward {stored.provenance['formula']}"
    )
    counted = stored.provenance.get("counted", extent["counted"])
    if counted != extent["counted"]:
        typer.echo(f"when it was computed {counted:,} of them were left: the others were erased, or dropped")
    if stored.error is not None:
        typer.echo(f"{stored.error_code}: {stored.error}")
    if stored.result is not None:
        versions = stored.provenance["versions"]
        typer.echo(f"computed with {', '.join(f'{name} {version}' for name, version in versions.items())}")
        _show_result(stored.result, lang=stored.request.get("lang", "en"))


@app.command()
def again(evaluation: Id, db: Db = DB) -> None:
    """Compute an evaluation again on the same part of the log, and say whether the numbers are the same.

    On the same package versions they are, byte for byte, unless decisions were erased since or are past their
    retention. The exit status is 1 where a number differs; what is known to be otherwise is said beside it.
    """
    from server.evaluation.computing import repeat
    from server.store.database import Database

    stored = _read(db, evaluation)
    if stored.result is None:
        raise typer.BadParameter(f"it is {_state(stored)}: there is nothing to compare with", param_hint="ID")
    columns = (TextColumn("{task.description}"), BarColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading the log", total=1.0)
        repeated = repeat(
            Database(db, create=False),
            stored,
            progress=lambda what, done: progress.update(task, description=what, completed=done),
        )
    if not repeated.differs:
        typer.echo(f"{stored.id}: the same numbers, byte for byte")
    for line in repeated.because:
        typer.echo(line)
    if repeated.differs:
        for line in repeated.differs[:SHOWN]:
            typer.echo(line)
        if len(repeated.differs) > SHOWN:
            typer.echo(f"… and {len(repeated.differs) - SHOWN:,} more")
        if not repeated.because:
            typer.echo("nothing is known that would explain it: the log was changed, or the machine is another")
        raise typer.Exit(1)


@app.command()
def cancel(evaluation: Id, db: Db = DB) -> None:
    """Stop an evaluation that a server runs, or will; one that has ended stays as it is."""
    from server.store import evaluations as evaluation_rows
    from server.store.database import Database

    database = Database(db, create=False)
    with database.writing(()) as connection:
        stored = evaluation_rows.cancel(connection, evaluation, now=database.time_of(connection))
    typer.echo(f"{stored.id}: {_state(stored)}")


@app.command()
def delete(
    evaluations: Annotated[list[str], typer.Argument(help="Their ids, as elige evaluation list tells.", metavar="ID…")],
    db: Db = DB,
) -> None:
    """Forget evaluations that have ended, with what they found: all of these, or none where one can't be."""
    from server.store import evaluations as evaluation_rows
    from server.store.database import Database

    database = Database(db, create=False)
    with database.writing(()) as connection:
        for one in dict.fromkeys(evaluations):
            evaluation_rows.delete(connection, one)
    for one in dict.fromkeys(evaluations):
        typer.echo(f"{one}: deleted")


def _read(db: str, evaluation: str) -> "StoredEvaluation":
    from server.store import evaluations as evaluation_rows
    from server.store.database import Database

    with Database(db, create=False).reading() as connection:
        return evaluation_rows.read(connection, evaluation)


def _state(stored: "StoredEvaluation") -> str:
    if stored.state.value != "running":
        return stored.state.value
    return f"running, {stored.progress:.0%}" + (f", {stored.stage}" if stored.stage else "")


def _document(stored: "StoredEvaluation") -> dict[str, Any]:
    names = ("id", "campaign", "state", "progress", "stage", "request", "provenance", "error")
    times = ("created_at", "started_at", "finished_at")
    return {name: getattr(stored, name) for name in (*names, *times)}


def _show_result(result: Any, *, lang: str) -> None:
    from simulator.reports.words import WORDS
    from simulator.sentences import LANGUAGES

    headline, words, language = result["headline"], WORDS[lang], LANGUAGES[lang]
    share = f"{language.number(100 * result['confidence'])} %"
    table = Table(words.policy, headline.upper(), words.interval.format(share=share), box=None)
    for row in result["rows"]:
        shown = words.shown(row["name"])
        name = Text(words.forced.format(name=shown) if row.get("forced") else shown)
        found = row["estimates"].get("mean") or row["estimates"].get(headline)
        if found is None:
            table.add_row(name, words.refused, Text(row["refusal"] or ""))
        else:
            limits = language.interval(found["low"], found["high"], 4)
            table.add_row(name, language.number(found["value"]), Text(limits))
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    for sentence in (result["verdict"], *(one["sentence"] for one in result["comparisons"])):
        console.print(Text(sentence))

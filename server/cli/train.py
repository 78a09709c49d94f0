"""`elige train …`: what was learned, and whether the log gives it again."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from server.cli.options import DB, AsJson, Db

if TYPE_CHECKING:
    from server.records import Snapshot
    from server.training.retrain import Retrained

app = typer.Typer(help="Training: the snapshots, and whether the log gives them again.", no_args_is_help=True)
Campaign = Annotated[str, typer.Option(help="The campaign.")]


@app.command("list")
def list_snapshots(
    campaign: Campaign,
    db: Db = DB,
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest.")] = 20,
    as_json: AsJson = False,
) -> None:
    """The newest snapshots of a campaign: what each learned, with which software, and what is kept of it."""
    from server.store import campaigns as campaign_rows
    from server.store import training as training_rows
    from server.store.database import Database

    with Database(db).reading() as connection:
        campaign_rows.read_version(connection, campaign)
        found = training_rows.kept_bytes(connection, campaign, limit=limit)
    if as_json:
        typer.echo(json.dumps([_document(snapshot, kept) for snapshot, kept in found], indent=2))
        return
    if not found:
        typer.echo(f"{campaign}: no snapshots yet; why: elige doctor --campaign {campaign}")
        return
    table = Table("snapshot", "lineage", "version", "learned", "examples", "created (UTC)", "bytes kept", box=None)
    for snapshot, kept in found:
        cells = (
            str(snapshot.id),
            str(snapshot.lineage),
            str(snapshot.version),
            f"{snapshot.trained_from}-{snapshot.trained_through}",
            f"{snapshot.examples:,}",
            f"{snapshot.created_at:%Y-%m-%d %H:%M:%S}",
            "thinned out" if kept is None else f"{kept:,}",
        )
        table.add_row(*map(Text, cells))
    console = Console(highlight=False)
    console.print(table)
    _print_software(console, found[0][0])


def _print_software(console: Console, newest: "Snapshot") -> None:
    versions = ", ".join(f"{name} {version}" for name, version in newest.versions.items())
    console.print(Text(f"\nsnapshot {newest.id} was trained with {versions}"), soft_wrap=True)
    for slot in newest.slots:
        first, *learners = slot.arguments.splitlines() or [""]
        console.print(Text(f"  {slot.slot}: {slot.policy}  {first}"), soft_wrap=True)
        for line in learners:  # those that auto judges
            console.print(Text(f"    {line}"), soft_wrap=True)


def _document(snapshot: "Snapshot", kept: int | None) -> dict[str, Any]:
    return {
        "snapshot": snapshot.id,
        "lineage": snapshot.lineage,
        "parent": snapshot.parent,
        "version": snapshot.version,
        "trained_from": snapshot.trained_from,
        "trained_through": snapshot.trained_through,
        "examples": snapshot.examples,
        "created_at": snapshot.created_at.isoformat(),
        "bytes_kept": kept,
        "versions": dict(snapshot.versions),
        "slots": {
            one.slot: {"policy": one.policy, "arguments": one.arguments, "digest": one.digest} for one in snapshot.slots
        },
    }


@app.command()
def check(
    campaign: Campaign,
    db: Db = DB,
    snapshot: Annotated[int | None, typer.Option(help="By default the newest.", metavar="NUMBER")] = None,
    as_json: AsJson = False,
) -> None:
    """Learn a snapshot again from the beginning of its lineage, over the same boundaries, and compare every byte.

    Nothing is written, and what is served stays. Where the log gives other bytes, it is said at which snapshot first
    and why, and the exit status is 1.
    """
    from server.store.database import Database
    from server.training.retrain import retrain

    with Progress(
        TextColumn("{task.description}"), BarColumn(), console=Console(stderr=True), transient=True
    ) as progress:
        task = progress.add_task("learning", total=None)
        done = retrain(
            Database(db),
            campaign,
            snapshot,
            on_boundary=lambda place, last: progress.update(task, completed=place, total=last),
        )
    typer.echo(json.dumps(_result(done), indent=2) if as_json else _said(done))
    if not done.agrees:
        raise typer.Exit(1)


def _said(done: "Retrained") -> str:
    segments = "segment" if done.boundaries == 1 else "segments"
    learned = f"{done.boundaries:,} {segments} of lineage {done.snapshot.lineage}, {done.examples:,} examples"
    if done.agrees:
        return f"snapshot {done.snapshot.id}: byte for byte the same, learned again in {learned}"
    return (
        f"snapshot {done.snapshot.id}: not the same. It agrees over {learned}, and differs first at snapshot "
        f"{done.differs_at}: {done.why_not}"
    )


def _result(done: "Retrained") -> dict[str, Any]:
    return {
        "snapshot": done.snapshot.id,
        "lineage": done.snapshot.lineage,
        "agrees": done.agrees,
        "boundaries": done.boundaries,
        "examples": done.examples,
        "differs_at": done.differs_at,
        "why_not": done.why_not,
    }

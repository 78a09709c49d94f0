"""`elige train …`: what was learned, going back in it, and whether the log gives it again."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from server.cli.options import DB, AsJson, Db

if TYPE_CHECKING:
    from server.records import SlotState, Snapshot
    from server.training.retrain import Retrained

app = typer.Typer(
    help="Training: the snapshots, going back to one, and retraining from scratch (check).", no_args_is_help=True
)
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
        pinned = campaign_rows.read_version(connection, campaign).pinned_snapshot
        found = training_rows.kept_bytes(connection, campaign, limit=limit)
    if as_json:
        typer.echo(json.dumps([_document(*one, pinned=pinned) for one in found], indent=2))
        return
    if not found:
        typer.echo(f"{campaign}: no snapshots yet; why: elige doctor --campaign {campaign}")
        return
    heads = ("snapshot", "lineage", "version", "learned", "examples", "loss", "created (UTC)", "bytes kept")
    table = Table(*heads, box=None)
    for snapshot, kept in found:
        losses = ", ".join(f"{one.slot} {_loss(one)}" for one in snapshot.slots)
        cells = (
            f"{snapshot.id}, pinned" if snapshot.id == pinned else str(snapshot.id),
            str(snapshot.lineage),
            str(snapshot.version),
            _learned(snapshot),
            f"{snapshot.examples:,}",
            losses,
            f"{snapshot.created_at:%Y-%m-%d %H:%M:%S}",
            _kept(snapshot, kept),
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


def _learned(snapshot: "Snapshot") -> str:
    """Its part of the log; of a roll-back, where it goes on from."""
    part = f"{snapshot.trained_from}-{snapshot.trained_through}"
    if not snapshot.skipped:
        return part
    empty = snapshot.trained_from > snapshot.trained_through
    return f"back to {snapshot.parent}" if empty else f"back to {snapshot.parent}, {part} skipped"


def _kept(snapshot: "Snapshot", kept: int | None) -> str:
    """Its bytes, and why it does not serve or is kept, if there is a reason."""
    if snapshot.withdrawn:
        return "withdrawn"
    told = "thinned out" if kept is None else f"{kept:,}"
    if snapshot.base:
        return f"{told}, stands for the log before"
    return told if snapshot.published else f"{told}, does not serve yet"


def _loss(slot: "SlotState") -> str:
    return "-" if slot.progressive_loss is None else f"{slot.progressive_loss:.3f}"


def _document(snapshot: "Snapshot", kept: int | None, *, pinned: int | None) -> dict[str, Any]:
    return {
        "snapshot": snapshot.id,
        "pinned": snapshot.id == pinned,
        "lineage": snapshot.lineage,
        "parent": snapshot.parent,
        "version": snapshot.version,
        "trained_from": snapshot.trained_from,
        "trained_through": snapshot.trained_through,
        "skipped": snapshot.skipped,
        "published": snapshot.published,
        "base": snapshot.base,
        "withdrawn": snapshot.withdrawn,
        "examples": snapshot.examples,
        "created_at": snapshot.created_at.isoformat(),
        "bytes_kept": kept,
        "versions": dict(snapshot.versions),
        "slots": {
            one.slot: {
                "policy": one.policy,
                "arguments": one.arguments,
                "examples": one.examples,
                "progressive_loss": one.progressive_loss,
                "digest": one.digest,
            }
            for one in snapshot.slots
        },
    }


@app.command()
def check(
    campaign: Campaign,
    db: Db = DB,
    snapshot: Annotated[int | None, typer.Option(help="By default the newest.", metavar="NUMBER")] = None,
    as_json: AsJson = False,
) -> None:
    """Retrain from scratch: learn a snapshot again from the beginning of its lineage, over the same boundaries, and
    compare every byte.

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


@app.command()
def rollback(
    campaign: Campaign,
    snapshot: Annotated[int, typer.Option(help="Which one to go back to.", metavar="NUMBER")],
    pin: Annotated[bool, typer.Option("--pin", help="Serve exactly this one, whatever is learned.")] = False,
    db: Db = DB,
    expected_version: Annotated[int | None, typer.Option(help="Refuse unless this version is in force.")] = None,
) -> None:
    """Serve an earlier snapshot again. Learning goes on from it, in a new lineage, and passes over the log in between.

    With --pin the trainer goes on as before, and what it learns is not served until the campaign is unpinned.
    """
    from server.store.database import Database
    from server.training.rollback import roll_back

    now = datetime.now(UTC)
    stored = roll_back(Database(db), campaign, snapshot, pin=pin, now=now, expected_version=expected_version)
    what = f"serves snapshot {snapshot}, whatever is learned" if pin else f"learns on from snapshot {snapshot}"
    typer.echo(f"{campaign}: {what}, version {stored.version}")


@app.command()
def unpin(
    campaign: Campaign,
    db: Db = DB,
    expected_version: Annotated[int | None, typer.Option(help="Refuse unless this version is in force.")] = None,
) -> None:
    """Serve the newest snapshot again, after rollback --pin."""
    from server.store.database import Database
    from server.training import rollback as hands

    stored = hands.unpin(Database(db), campaign, now=datetime.now(UTC), expected_version=expected_version)
    typer.echo(f"{campaign}: serves the newest snapshot, version {stored.version}")


def _said(done: "Retrained") -> str:
    segments = "segment" if done.boundaries == 1 else "segments"
    learned = f"{done.boundaries:,} {segments} of lineage {done.snapshot.lineage}, {done.examples:,} examples"
    if done.agrees:
        began = f", from snapshot {done.began_at} on: the log before is past its retention" if done.began_at else ""
        return f"snapshot {done.snapshot.id}: byte for byte the same, learned again in {learned}{began}"
    if not done.recomputable:
        return f"snapshot {done.snapshot.id}: not recomputable: {done.why_not}"
    return (
        f"snapshot {done.snapshot.id}: not the same. It agrees over {learned}, and differs first at snapshot "
        f"{done.differs_at}: {done.why_not}"
    )


def _result(done: "Retrained") -> dict[str, Any]:
    return {
        "snapshot": done.snapshot.id,
        "lineage": done.snapshot.lineage,
        "agrees": done.agrees,
        "recomputable": done.recomputable,
        "began_at": done.began_at,
        "boundaries": done.boundaries,
        "examples": done.examples,
        "differs_at": done.differs_at,
        "why_not": done.why_not,
    }

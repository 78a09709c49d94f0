"""`elige import …`: logs that others kept, and exports of our own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from server.cli.options import DB, Db
from server.settings import DEFAULT_DATABASE

if TYPE_CHECKING:
    from server.warm_start import Told
    from simulator.sources.files import Source

app = typer.Typer(
    help="Import a log that others kept, to evaluate it or to learn from it; or an export.", no_args_is_help=True
)
Campaign = Annotated[str | None, typer.Option(help="The name of the campaign to make.")]
Into = Annotated[
    str | None, typer.Option(help="Tell the log to this campaign instead, which exists.", metavar="CAMPAIGN")
]
Slot = Annotated[
    str | None, typer.Option(help="With --into: what was chosen. By default the only slot.", metavar="NAME")
]
Metric = Annotated[
    str | None, typer.Option(help="With --into: what the rewards are. By default the only metric.", metavar="NAME")
]


@app.command()
def obd(
    directory: Annotated[Path, typer.Argument(help="A folder in the Open Bandit Dataset's layout.", metavar="DIR")],
    campaign: Campaign = None,
    into: Into = None,
    slot: Slot = None,
    metric: Metric = None,
    db: Db = DB,
) -> None:
    """The Open Bandit Dataset: one campaign file beside item_context.csv."""
    from simulator.sources.files import read_open_bandit

    _run(lambda: read_open_bandit(directory), _Goal.read(campaign, into, slot, metric), db)


@app.command()
def csv(
    file: Annotated[Path, typer.Argument(help="A CSV file with a header.", metavar="FILE")],
    mapping: Annotated[Path, typer.Option(help="A YAML file that says which column is what.", metavar="FILE")],
    campaign: Campaign = None,
    into: Into = None,
    slot: Slot = None,
    metric: Metric = None,
    db: Db = DB,
) -> None:
    """Any randomised or logged trial as a CSV file."""
    from server.files.tabled import read_mapping
    from simulator.sources.files import read_csv

    _run(lambda: read_csv(file, read_mapping(mapping)), _Goal.read(campaign, into, slot, metric), db)


@app.command()
def dsjson(
    file: Annotated[Path, typer.Argument(help="A file of JSON lines.", metavar="FILE")],
    campaign: Campaign = None,
    into: Into = None,
    slot: Annotated[
        str | None,
        typer.Option(
            help="What to call the slot: action by default. With --into: which slot, by default the only one.",
            metavar="NAME",
        ),
    ] = None,
    metric: Metric = None,
    lowest: Annotated[float, typer.Option(help="The lowest reward there can be.", metavar="REWARD")] = 0.0,
    highest: Annotated[float, typer.Option(help="The highest reward there can be.", metavar="REWARD")] = 1.0,
    db: Db = DB,
) -> None:
    """The log of Azure Personalizer, or any that Vowpal Wabbit reads with --dsjson."""
    from policies.types import RewardRange
    from simulator.sources.dsjson import read_dsjson

    if not lowest < highest:
        raise typer.BadParameter(f"{lowest:g} to {highest:g}: expected the lowest below", param_hint="--highest")

    def read() -> "Source":
        found = read_dsjson(file, slot=slot or "action", reward_range=RewardRange(lowest, highest))
        for reason, number in found.left_out.items():
            typer.echo(f"left out: {number:,} {reason}", err=True)
        if found.changed and into is None:
            names = ", ".join(found.changed[:5])
            more = ", …" if len(found.changed) > 5 else ""
            typer.echo(f"features that changed; the campaign has the last of them: {names}{more}", err=True)
        return found.source

    _run(read, _Goal.read(campaign, into, slot if into else None, metric), db)


@app.command()
def parquet(
    folder: Annotated[Path, typer.Argument(help="A folder that elige export has written.", metavar="FOLDER")],
    db: Db = DB,
) -> None:
    """What elige export --to parquet has written: its campaigns as they were, with all their versions and rows.

    An import that was broken off is made again; what is here already is passed over. Until all of a campaign is here,
    nobody serves it. Snapshots are not in an export: the trainer learns the log again.
    """
    from server.files.back import import_exported
    from server.store.database import Database

    database = Database(db)
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)
        done = import_exported(
            database,
            folder,
            progress=lambda name, doing: progress.update(task, description=f"{name}: {doing}"),
        )
    if done.campaigns:
        written = ", ".join(f"{number:,} {table}" for table, number in done.rows.items())
        noun = "window" if done.windows == 1 else "windows"
        typer.echo(f"{', '.join(done.campaigns)}: {written} written, {done.windows:,} {noun} opened")
    if done.known:
        typer.echo(f"here before, with all of the export: {', '.join(done.known)}")
    if done.renumbered:
        typer.echo(f"under another number than in their decision ids: {', '.join(done.renumbered)}", err=True)
    if not done.same_installation:
        typer.echo(
            "this database has another secret: outcomes told of these decisions from now on are refused, and their "
            "people are strangers",
            err=True,
        )


@dataclass(frozen=True, slots=True)
class _Goal:
    """Where a log goes. Slot and metric only of a campaign that exists."""

    campaign: str
    slot: str | None
    metric: str | None
    exists: bool

    @classmethod
    def read(cls, campaign: str | None, into: str | None, slot: str | None, metric: str | None) -> "_Goal":
        """Raises BadParameter."""
        if (campaign is None) == (into is None):
            raise typer.BadParameter("expected one of the two: --campaign NAME, to make one, or --into CAMPAIGN")
        if into is None and (slot or metric):
            raise typer.BadParameter("expected --slot and --metric only with --into CAMPAIGN")
        return cls(str(campaign or into), slot, metric, exists=into is not None)


def _run(read: "Callable[[], Source]", goal: _Goal, db: str) -> None:
    from server.imports import import_log
    from server.store.database import Database
    from server.warm_start import tell_log

    database = Database(db)
    now = datetime.now(UTC)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), console=Console(stderr=True), transient=True
    ) as progress:
        task = progress.add_task("reading", total=1.0)
        source = read()
        progress.update(task, description="writing")

        def show(share: float) -> None:
            progress.update(task, completed=share)

        if goal.exists:
            told = tell_log(
                database, source, campaign=goal.campaign, now=now, slot=goal.slot, metric=goal.metric, progress=show
            )
        else:
            done = import_log(database, source, campaign=goal.campaign, now=now, progress=show)
    if goal.exists:
        _say_told(told, goal.campaign)
    else:
        typer.echo(f"{done.campaign}: {done.decisions:,} decisions of slot {done.slot}, {done.outcomes:,} outcomes")
    where = "" if db == DEFAULT_DATABASE else f" --db {db}"
    typer.echo(f"next: elige evaluate{where} --campaign {goal.campaign}")


def _say_told(told: "Told", campaign: str) -> None:
    before = f"; {told.known:,} were there before" if told.known else ""
    typer.echo(f"{campaign}: {told.decisions:,} decisions of slot {told.slot}, {told.outcomes:,} outcomes{before}")
    for key, decisions in sorted(told.ignored.items()):
        typer.echo(
            f"ignored: {key} in {decisions:,} decisions (not declared in the campaign, or of another type)", err=True
        )
    if not told.learned:
        typer.echo(
            "the campaign does not learn from them: that takes learn_from: [drawn, observed] in its file", err=True
        )

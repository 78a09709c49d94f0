"""`elige import …`: logs that others kept."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from server.cli.options import DB, Db
from server.errors import InvalidRequest
from server.settings import DEFAULT_DATABASE

if TYPE_CHECKING:
    from simulator.mapping import CsvMapping
    from simulator.sources import Source

app = typer.Typer(help="Import a log as if it had been served, to evaluate it.", no_args_is_help=True)
Campaign = Annotated[str, typer.Option(help="The name of the campaign to make.")]


@app.command()
def obd(
    directory: Annotated[Path, typer.Argument(help="A folder in the Open Bandit Dataset's layout.", metavar="DIR")],
    campaign: Campaign,
    db: Db = DB,
) -> None:
    """The Open Bandit Dataset: one campaign file beside item_context.csv."""
    from simulator.sources import read_open_bandit

    _run(lambda: read_open_bandit(directory), campaign, db)


@app.command()
def csv(
    file: Annotated[Path, typer.Argument(help="A CSV file with a header.", metavar="FILE")],
    mapping: Annotated[Path, typer.Option(help="A YAML file that says which column is what.", metavar="FILE")],
    campaign: Campaign,
    db: Db = DB,
) -> None:
    """Any randomised or logged trial as a CSV file."""
    from simulator.sources import read_csv

    _run(lambda: read_csv(file, _mapping(mapping)), campaign, db)


@app.command()
def dsjson(
    file: Annotated[Path, typer.Argument(help="A file of JSON lines.", metavar="FILE")],
    campaign: Campaign,
    slot: Annotated[str, typer.Option(help="What to call the slot.", metavar="NAME")] = "action",
    lowest: Annotated[float, typer.Option(help="The lowest reward there can be.", metavar="REWARD")] = 0.0,
    highest: Annotated[float, typer.Option(help="The highest reward there can be.", metavar="REWARD")] = 1.0,
    db: Db = DB,
) -> None:
    """The log of Azure Personalizer, or any that Vowpal Wabbit reads with --dsjson."""
    from policies.types import RewardRange
    from simulator.dsjson import read_dsjson

    if not lowest < highest:
        raise typer.BadParameter(f"{lowest:g} to {highest:g}: expected the lowest below", param_hint="--highest")

    def read() -> "Source":
        found = read_dsjson(file, slot=slot, reward_range=RewardRange(lowest, highest))
        for reason, number in found.left_out.items():
            typer.echo(f"left out: {number:,} {reason}", err=True)
        if found.changed:
            names = ", ".join(found.changed[:5])
            more = ", …" if len(found.changed) > 5 else ""
            typer.echo(f"features that changed; the campaign has the last of them: {names}{more}", err=True)
        return found.source

    _run(read, campaign, db)


def _mapping(path: Path) -> "CsvMapping":
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    from simulator.mapping import CsvMapping

    try:
        raw = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except YAMLError as error:
        raise InvalidRequest(f"{path} is no YAML: {error}") from error
    if not isinstance(raw, dict):
        raise InvalidRequest(f"{path}: expected fields with values, such as 'variant: COLUMN'")
    return CsvMapping.from_dict(raw)


def _run(read: "Callable[[], Source]", campaign: str, db: str) -> None:
    from server.imports import import_log
    from server.store.database import Database

    database = Database(db)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), console=Console(stderr=True), transient=True
    ) as progress:
        task = progress.add_task("reading", total=1.0)
        source = read()
        progress.update(task, description="writing")
        done = import_log(
            database,
            source,
            campaign=campaign,
            now=datetime.now(UTC),
            progress=lambda share: progress.update(task, completed=share),
        )
    typer.echo(f"{done.campaign}: {done.decisions:,} decisions of slot {done.slot}, {done.outcomes:,} outcomes")
    where = "" if db == DEFAULT_DATABASE else f" --db {db}"
    typer.echo(f"next: elige evaluate{where} --campaign {done.campaign}")

"""`elige evaluate`: what would each policy have earned?"""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from time import time
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from policies.writing import WRITINGS
from server.cli import evaluate_options as asked
from server.cli.evaluate_words import WORDS
from server.cli.options import DB, AsJson, Db, read_duration, read_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from server.evaluation.request import EvaluationRequest
    from server.evaluation.run import Source
    from server.files.streamed import Streamed
    from server.reward_anew import OtherReward
    from simulator import Finding
    from simulator import Progress as Told
    from simulator.engines.local import Engine

ENGINES = ("local", "ray")

REFUSED = 3
"""Exit status: the log can't answer what it was asked."""


def evaluate(
    campaign: asked.Campaign = None,
    db: Db = DB,
    folder: asked.Folder = None,
    mapping: asked.Mapping = None,
    estimate_propensities: asked.EstimatePropensities = False,
    policy: asked.Policy = None,
    slot: asked.Slots = None,
    since: asked.Since = None,
    until: asked.Until = None,
    where: asked.Where = None,
    by: asked.ByKeys = None,
    every: asked.Every = None,
    metric: asked.Metric = None,
    value: asked.Value = None,
    bounds: asked.Bounds = None,
    estimator: asked.Estimator = None,
    interval: asked.Interval = "skewed",
    model: asked.Model = "linear",
    replay: asked.Replay = None,
    grid: asked.Grid = None,
    learn_every: asked.LearnEvery = "100",
    world: asked.World = None,
    rounds: asked.Rounds = asked.ROUNDS,
    cores: asked.Cores = None,
    engine: asked.Engine = "local",
    cluster: asked.Cluster = None,
    seed: asked.Seed = 0,
    list_worlds: asked.ListWorlds = False,
    lang: asked.Lang = "en",
    as_json: AsJson = False,
    html: asked.Html = None,
    diagnose: asked.Diagnose = False,
    force: asked.Force = False,
    save: asked.Save = False,
) -> None:
    """What each policy would have earned, from the log, with 95 % intervals: by IPS, SNIPS, DM and DR unless you say.

    Beside the policies you name stand always the logged one, uniform, and every variant fixed. A learner is trained
    on the first half of the period and judged on the second. What the log can't judge is refused, with the reason.
    With --value the outcomes inside each window are made into another reward; what came late stays out.

    With --world the log is drawn from a world whose truth is known, and needs no database: beside each estimate stand
    the truth, and the regret against the best that is possible there.

    Exit status 3: the log can judge none of the policies that you name, or, with --diagnose, a finding is red.
    """
    from server.cli.evaluations import computed_and_kept
    from server.evaluation.request import EvaluationRequest
    from server.evaluation.run import diagnose as examine
    from server.evaluation.run import run
    from server.evaluation.snapshots import SNAPSHOT
    from server.files.streamed import is_streamed
    from simulator import USUAL, render, to_html, to_json
    from simulator.worlds import world as known_world

    if list_worlds:
        _print_worlds()
        return
    filed = _is_file(folder, mapping)
    if (name := campaign or world or (folder.stem if filed and folder else None)) is None or (campaign and world):
        raise typer.BadParameter("expected one, or --log FILE --mapping FILE", param_hint="--campaign, --world")
    if world and folder:
        raise typer.BadParameter("goes with no other log", param_hint="--world")
    if save and (world or folder or diagnose):
        raise typer.BadParameter("goes with the log of a database, to be judged", param_hint="--save")
    if rounds != asked.ROUNDS and world is None:
        raise typer.BadParameter("goes with --world", param_hint="--rounds")
    judging = {"--policy": policy, "--grid": grid, "--replay": replay, "--html": html}
    if diagnose and (idle := [name for name, given in judging.items() if given]):
        raise typer.BadParameter(f"judges no policy: expected without {', '.join(idle)}", param_hint="--diagnose")
    if html is not None and not html.absolute().parent.is_dir():  # before a long log is judged for nothing
        raise typer.BadParameter(f"no folder {str(html.parent)!r} to write it to", param_hint="--html")
    if html is not None and html.is_dir():
        raise typer.BadParameter(f"{str(html)!r} is a folder; expected a file", param_hint="--html")
    for spec in policy or ():
        if folder is not None and spec.startswith(SNAPSHOT):
            what = "a file" if filed else "an export"
            raise typer.BadParameter(f"{spec}: {what} holds no snapshots; ask the database", param_hint="--policy")
    request = EvaluationRequest(
        campaign=name,
        slot=slot[0] if slot and len(slot) == 1 else None,
        slots=tuple(slot) if slot and len(slot) > 1 else (),
        since=read_time(since, "--since"),
        until=read_time(until, "--until"),
        policies=tuple(policy or ()),
        where=where,
        reward=_reward(value, bounds),
        by=tuple(by or ()),
        every=read_duration(every, "--every"),
        metrics=tuple(metric or ()),
        estimators=tuple(estimator or USUAL),
        interval=interval,
        model=model,
        lang=lang,
        force=force,
        replay=replay,
        learn_every=learn_every,
        grid=tuple(grid or ()),
        estimate_propensities=estimate_propensities,
        seed=seed,
    )
    words, left_out = WORDS[lang], partial(_say_left_out, lang=lang)  # the request has checked the language
    source = _source(db, folder, mapping, world, rounds)
    truth = known_world(world).expected_rewards if world else None
    now = None if world else time()
    with _told() as tell, _engine(engine, cluster, folder, request) as working:
        if diagnose and folder is not None and mapping is not None and is_streamed(folder):
            raise typer.BadParameter(
                f"{folder.name} is read in pieces, and this needs all rows at once; ask it of a smaller file",
                param_hint="--diagnose",
            )
        if diagnose:
            findings = examine(source, request, now=now, progress=tell, left_out=left_out)
        elif (pieces := _in_pieces(folder, mapping, cores, working)) is not None:
            evaluation = pieces.evaluate(request, progress=tell)
        elif save:
            evaluation, saved = computed_and_kept(db, request, progress=tell)
        else:
            evaluation = run(source, request, now=now, truth=truth, engine=working, progress=tell, left_out=left_out)
    if diagnose:
        _print_findings(findings, lang=lang, as_json=as_json)
        return
    if html is not None:
        html.write_text(to_html(evaluation), encoding="utf-8")
    if as_json:
        typer.echo(to_json(evaluation))
    else:
        Console().print(render(evaluation))
        if html is not None:
            typer.echo(words.written.format(path=html))
    if save:
        typer.echo(words.saved.format(id=saved), err=as_json)
    if not evaluation.answered:
        raise typer.Exit(REFUSED)


def _is_file(folder: Path | None, mapping: Path | None) -> bool:
    """Whether --log is a table of decisions, and no export."""
    from server.files.tabled import ENDINGS

    filed = folder is not None and (folder.suffix in ENDINGS or (mapping is not None and folder.is_dir()))
    if filed != (mapping is not None):
        what = "a .csv or .parquet file, or a folder of .parquet files"
        raise typer.BadParameter(f"expected with {what} as --log, and only then", param_hint="--mapping")
    return filed


def _source(db: str, folder: Path | None, mapping: Path | None, world: str | None, rounds: int) -> "Source":
    """Where the log is."""
    from server.evaluation.stored import Stored
    from server.evaluation.worlds import Simulated
    from server.files.exported import Exported
    from server.files.tabled import Tabled, read_mapping
    from server.store.database import Database

    if world is not None:
        return Simulated(rounds)
    if folder is None:
        return Stored(Database(db, create=False))
    return Exported(folder) if mapping is None else Tabled(folder, read_mapping(mapping))


def _in_pieces(
    folder: Path | None, mapping: Path | None, cores: int | None, engine: "Engine | None"
) -> "Streamed | None":
    """The log to be read in pieces: because it is large, or because a cluster is to do it; None for any other."""
    from server.files.streamed import Streamed, is_streamed
    from server.files.tabled import read_mapping

    if folder is None or mapping is None:
        return None
    if is_streamed(folder) or (engine is not None and folder.suffix == ".parquet"):
        return Streamed(folder, read_mapping(mapping), cores, engine)
    return None


def _engine(
    name: str, cluster: str | None, folder: Path | None, request: "EvaluationRequest"
) -> AbstractContextManager["Engine | None"]:
    """The engine that was asked for; None for this machine, which needs none."""
    from simulator.engines.on_ray import ray_engine

    if name not in ENGINES:
        raise typer.BadParameter(f"{name!r}: expected one of {', '.join(ENGINES)}", param_hint="--engine")
    if name == "local":
        if cluster is not None:
            raise typer.BadParameter("goes with --engine ray", param_hint="--cluster")
        return nullcontext()
    if not request.grid and (folder is None or not (folder.is_dir() or folder.suffix == ".parquet")):
        raise typer.BadParameter(
            "ray: expected with a .parquet log, or a folder of them, and its --mapping; or with --grid",
            param_hint="--engine",
        )
    return ray_engine(cluster)


@contextmanager
def _told() -> Iterator["Told"]:
    """What is being done, on the error stream, while it is; nothing where nobody watches."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("reading the log", total=1.0)

        def tell(what: str, done: float) -> None:
            progress.update(task, description=what, completed=done)

        yield tell


def _print_findings(findings: "Sequence[Finding]", *, lang: str, as_json: bool) -> None:
    from simulator.findings import plain, refusal
    from simulator.reports.finding_lines import STYLES, lines

    if as_json:
        typer.echo(json.dumps([plain(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        for severity, line in lines(findings, lang=lang):
            Console().print(Text(line, style=STYLES[severity]), soft_wrap=True)
    if refusal(findings) is not None:
        raise typer.Exit(REFUSED)


def _print_worlds() -> None:
    from simulator.worlds import WORLDS

    width = max(map(len, WORLDS))
    for name, entry in WORLDS.items():
        typer.echo(f"{name:{width}}  {entry.about}")


def _reward(value: str | None, bounds: str | None) -> "OtherReward | None":
    from server.reward_anew import OtherReward

    if value is None:
        if bounds is not None:
            raise typer.BadParameter("goes with --value", param_hint="--range")
        return None
    if bounds is None:
        return OtherReward(value)
    try:
        low, high = map(float, bounds.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"{bounds!r}: expected two numbers, as in -20,1", param_hint="--range") from error
    return OtherReward(value, (low, high))


def _say_left_out(decisions: int, *, lang: str) -> None:
    n = WRITINGS[lang].whole(decisions)
    typer.echo(WORDS[lang].left_out.format(n=n), err=True)

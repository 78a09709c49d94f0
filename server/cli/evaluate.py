"""`elige evaluate`: what would each policy have earned?"""

import json
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from server.cli.options import DB, AsJson, Db, read_duration, read_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from server.reward_anew import OtherReward
    from simulator import Finding

REFUSED = 3
"""Exit status: the log can't answer what it was asked."""


def evaluate(
    campaign: Annotated[str | None, typer.Option(help="The campaign. This, or a world.")] = None,
    db: Db = DB,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--log",
            help="Not the database: a folder that elige export wrote; or, with --mapping, a .csv or .parquet file, or "
            "a folder of .parquet files.",
            metavar="PATH",
        ),
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="A YAML file that says which column of --log is what.", metavar="FILE")
    ] = None,
    estimate_propensities: Annotated[
        bool,
        typer.Option(
            "--estimate-propensities", help="Of decisions told without theirs, in place of leaving them out; flagged."
        ),
    ] = False,
    policy: Annotated[
        list[str] | None,
        typer.Option(help="epsilon:epsilon=0.1, fixed:VARIANT … or snapshot:NUMBER; repeatable.", metavar="SPEC"),
    ] = None,
    slot: Annotated[
        str | None, typer.Option(help="Only this one; by default all, as a page where there are several.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="Decisions from then on.", metavar="TIME")] = None,
    until: Annotated[str | None, typer.Option(help="Decisions before then.", metavar="TIME")] = None,
    where: Annotated[str | None, typer.Option(help="Only these contexts: country == 'ES'.", metavar="CEL")] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(help="Also each group: a context key, a label, or segment; repeatable.", metavar="KEY"),
    ] = None,
    every: Annotated[str | None, typer.Option(help="Also each stretch of time: 1d, 6h.", metavar="DURATION")] = None,
    metric: Annotated[
        list[str] | None, typer.Option(help="Also by this metric's own mean a decision; repeatable.")
    ] = None,
    value: Annotated[
        str | None, typer.Option(help="Another reward: a CEL formula over the outcomes that were kept.", metavar="CEL")
    ] = None,
    bounds: Annotated[
        str | None, typer.Option("--range", help="Of that reward; by default the campaign's.", metavar="LOW,HIGH")
    ] = None,
    estimator: Annotated[
        list[str] | None,
        typer.Option(
            help="Only these: ips, snips, dm, dr, sndr, clipped_ips, switch_dr, dros, cressie_read, mips:FEATURE, "
            "kernel:FEATURE, best; repeatable."
        ),
    ] = None,
    interval: Annotated[
        str, typer.Option(help="skewed, normal, bootstrap, empirical_bernstein, likelihood or anytime.", metavar="NAME")
    ] = "skewed",
    model: Annotated[str, typer.Option(help="Of the rewards: linear, vw or none.")] = "linear",
    replay: Annotated[
        str | None,
        typer.Option(
            help="Learners learn while they are judged: auto (the log says how), rejection, dr, progressive.",
            metavar="METHOD",
        ),
    ] = None,
    grid: Annotated[
        list[str] | None,
        typer.Option(
            help="'squarecb:gamma_scale=1|10|100': of all combinations one is chosen, and judged; repeatable.",
            metavar="SPEC",
        ),
    ] = None,
    learn_every: Annotated[
        str, typer.Option(help="With --replay: after so many decisions of their own, or a time: 1h.", metavar="N")
    ] = "100",
    world: Annotated[
        str | None, typer.Option(help="A log drawn from a world that is known, and the truth beside.", metavar="NAME")
    ] = None,
    rounds: Annotated[int, typer.Option(help="With --world: the rounds to draw.")] = 10_000,
    cores: Annotated[
        int | None, typer.Option(help="Processes for a log that is read in pieces; by default one a core.", min=1)
    ] = None,
    seed: Annotated[int, typer.Option(help="Of learners, of folds, and of a world's log.")] = 0,
    list_worlds: Annotated[bool, typer.Option("--list-worlds", help="Only say which worlds there are.")] = False,
    lang: Annotated[str, typer.Option(help="Of the sentences: en or es.")] = "en",
    as_json: AsJson = False,
    html: Annotated[Path | None, typer.Option(help="Also write a page with a figure.", metavar="FILE")] = None,
    diagnose: Annotated[bool, typer.Option("--diagnose", help="Only say what is wrong with the log.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Numbers although a finding is red, marked as forced.")
    ] = False,
    save: Annotated[
        bool, typer.Option("--save", help="Keep it in the database: elige evaluation shows it and computes it again.")
    ] = False,
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
    from server.evaluation.run import Source, run
    from server.evaluation.run import diagnose as examine
    from server.evaluation.snapshots import SNAPSHOT
    from server.evaluation.stored import Stored
    from server.evaluation.worlds import Simulated
    from server.files.exported import Exported
    from server.files.streamed import Streamed, is_streamed
    from server.files.tabled import ENDINGS, Tabled, read_mapping
    from server.store.database import Database
    from simulator import USUAL, render, to_html, to_json
    from simulator.worlds import world as known_world

    if list_worlds:
        _print_worlds()
        return
    filed = folder is not None and (folder.suffix in ENDINGS or (mapping is not None and folder.is_dir()))
    if filed != (mapping is not None):
        what = "a .csv or .parquet file, or a folder of .parquet files"
        raise typer.BadParameter(f"expected with {what} as --log, and only then", param_hint="--mapping")
    if (name := campaign or world or (folder.stem if filed and folder else None)) is None or (campaign and world):
        raise typer.BadParameter("expected one of the two", param_hint="--campaign, --world")
    if save and (world or folder or diagnose):
        raise typer.BadParameter("goes with the log of a database, to be judged", param_hint="--save")
    for spec in policy or ():
        if folder is not None and spec.startswith(SNAPSHOT):
            what = "a file" if filed else "an export"
            raise typer.BadParameter(f"{spec}: {what} holds no snapshots; ask the database", param_hint="--policy")
    request = EvaluationRequest(
        campaign=name,
        slot=slot,
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
    truth = known_world(world).expected_rewards if world else None
    if mapping is not None and folder is not None:
        source: Source = Tabled(folder, read_mapping(mapping))
    else:
        source = Simulated(rounds) if world else Stored(Database(db)) if folder is None else Exported(folder)
    now = None if world else time()
    with Progress(
        TextColumn("{task.description}"), BarColumn(), console=Console(stderr=True), transient=True
    ) as progress:
        task = progress.add_task("reading the log", total=1.0)

        def tell(what: str, done: float) -> None:
            progress.update(task, description=what, completed=done)

        if diagnose:
            findings = examine(source, request, now=now, progress=tell, left_out=_say_left_out)
        elif mapping is not None and folder is not None and is_streamed(folder):
            evaluation = Streamed(folder, read_mapping(mapping), cores).evaluate(request, progress=tell)
        elif save:
            evaluation, saved = computed_and_kept(db, request, progress=tell)
        else:
            evaluation = run(source, request, now=now, truth=truth, progress=tell, left_out=_say_left_out)
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
            typer.echo(f"written to {html}")
    if save:
        typer.echo(f"saved: elige evaluation show {saved}", err=as_json)
    if not evaluation.answered:
        raise typer.Exit(REFUSED)


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


def _say_left_out(decisions: int) -> None:
    typer.echo(f"left out: {decisions:,} decisions that were told without their propensity", err=True)

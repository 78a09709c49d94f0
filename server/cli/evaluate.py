"""`elige evaluate`: what would each policy have earned?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from server.cli.options import DB, AsJson, Db, read_time

if TYPE_CHECKING:
    from server.reward_anew import OtherReward


def evaluate(
    campaign: Annotated[str, typer.Option(help="The campaign.")],
    db: Db = DB,
    folder: Annotated[
        Path | None, typer.Option("--log", help="Read what elige export wrote, not the database.", metavar="FOLDER")
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(help="epsilon:epsilon=0.1, fixed:VARIANT … or snapshot:NUMBER; repeatable.", metavar="SPEC"),
    ] = None,
    slot: Annotated[str | None, typer.Option(help="By default the campaign's first.")] = None,
    since: Annotated[str | None, typer.Option(help="Decisions from then on.", metavar="TIME")] = None,
    until: Annotated[str | None, typer.Option(help="Decisions before then.", metavar="TIME")] = None,
    where: Annotated[str | None, typer.Option(help="Only these contexts: country == 'ES'.", metavar="CEL")] = None,
    by: Annotated[
        str | None, typer.Option(help="Also each group of people: a context key, or segment.", metavar="KEY")
    ] = None,
    value: Annotated[
        str | None, typer.Option(help="Another reward: a CEL formula over the outcomes that were kept.", metavar="CEL")
    ] = None,
    bounds: Annotated[
        str | None, typer.Option("--range", help="Of that reward; by default the campaign's.", metavar="LOW,HIGH")
    ] = None,
    estimator: Annotated[
        list[str] | None,
        typer.Option(help="Only these: ips, snips, dm, dr, sndr, clipped_ips, switch_dr, dros; repeatable."),
    ] = None,
    lang: Annotated[str, typer.Option(help="Of the sentences: en or es.")] = "en",
    as_json: AsJson = False,
    html: Annotated[Path | None, typer.Option(help="Also write a page with a figure.", metavar="FILE")] = None,
) -> None:
    """What each policy would have earned, from the log, with 95 % intervals: by IPS, SNIPS, DM and DR unless you say.

    Beside the policies you name stand always the logged one, uniform, and every variant fixed. A learner is trained
    on the first half of the period and judged on the second. What the log can't judge is refused, with the reason.
    With --value the outcomes inside each window are made into another reward; what came late stays out.
    """
    from server.evaluation.request import EvaluationRequest
    from server.evaluation.run import run
    from server.evaluation.snapshots import SNAPSHOT
    from server.evaluation.stored import Stored
    from server.files.exported import Exported
    from server.store.database import Database
    from simulator import USUAL, render, to_html, to_json

    for spec in policy or ():
        if folder is not None and spec.startswith(SNAPSHOT):
            raise typer.BadParameter(f"{spec}: an export holds no snapshots; ask the database", param_hint="--policy")
    request = EvaluationRequest(
        campaign=campaign,
        slot=slot,
        since=read_time(since, "--since"),
        until=read_time(until, "--until"),
        policies=tuple(policy or ()),
        where=where,
        reward=_reward(value, bounds),
        by=by,
        estimators=tuple(estimator or USUAL),
        lang=lang,
    )
    source = Stored(Database(db)) if folder is None else Exported(folder)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), console=Console(stderr=True), transient=True
    ) as progress:
        task = progress.add_task("reading the log", total=1.0)
        evaluation = run(
            source,
            request,
            progress=lambda what, done: progress.update(task, description=what, completed=done),
            left_out=_say_left_out,
        )
    if html is not None:
        html.write_text(to_html(evaluation), encoding="utf-8")
    if as_json:
        typer.echo(to_json(evaluation))
        return
    Console().print(render(evaluation))
    if html is not None:
        typer.echo(f"written to {html}")


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

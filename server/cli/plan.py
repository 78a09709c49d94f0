"""`elige plan`: will my traffic suffice?"""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from server.cli.options import DB, AsJson, Db

if TYPE_CHECKING:
    from server.planning import Planned
    from simulator.sentences import Language


def plan(
    campaign: Annotated[str, typer.Option(help="The campaign.")],
    db: Db = DB,
    difference: Annotated[
        float | None, typer.Option(help="The smallest worth finding, in reward a decision; by default a tenth of it.")
    ] = None,
    decisions_per_day: Annotated[float | None, typer.Option(help="By default those of the last 28 days.")] = None,
    mean_reward: Annotated[float | None, typer.Option(help="Of the default variants; by default as recently.")] = None,
    reward_deviation: Annotated[float | None, typer.Option(help="By default that of the recent rewards.")] = None,
    policy: Annotated[str | None, typer.Option(help="By default the campaign's.", metavar="SPEC")] = None,
    level: Annotated[float, typer.Option(help="With which intervals hold the truth.")] = 0.95,
    power: Annotated[float, typer.Option(help="With which the difference should be found.")] = 0.8,
    horizon: Annotated[str, typer.Option(help="How far ahead to look, up to two years.", metavar="DURATION")] = "90d",
    seed: Annotated[int, typer.Option(help="Of the simulation.", min=0)] = 0,
    lang: Annotated[str, typer.Option(help="Of the sentences: en or es.")] = "en",
    as_json: AsJson = False,
) -> None:
    """Whether, and when, a campaign's traffic suffices to find a difference: simulated from its own rates.

    One variant is better than the default by the difference; the campaign's policy decides and learns; an evaluation of
    the log, as it grows, finds the difference or not. What the log does not say, options do.
    """
    from policies.registry import PolicySpec
    from server.durations import parse_duration
    from server.planning import PlanAsked
    from server.planning import plan as make
    from server.store.database import Database

    try:
        ahead = parse_duration(horizon)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--horizon") from error
    request = PlanAsked(
        campaign=campaign,
        difference=difference,
        decisions_per_day=decisions_per_day,
        mean_reward=mean_reward,
        reward_deviation=reward_deviation,
        policy=None if policy is None else PolicySpec.parse(policy),
        level=level,
        power=power,
        horizon=ahead,
        seed=seed,
        language=lang,
    )
    planned = make(Database(db, create=False), request, now=datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps(planned.to_dict(), indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False)
    console.print(_points(planned, lang))
    console.print(_assumptions(planned, lang))
    console.print(Text(planned.summary, style="bold"))


def _points(planned: "Planned", lang: str) -> Table:
    from server.planning.words import language_of

    language, words = language_of(lang)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in (words.after, words.decisions, words.chance, words.gained, words.least, words.most):
        table.add_column(heading, justify="right")
    for at in planned.points:
        gains = (_written(gain, language) for gain in (at.gain, at.gain_low, at.gain_high))
        days = language.number(at.after / timedelta(days=1), 6)
        table.add_row(days, language.whole(at.decisions), language.cell(at.power), *gains)
    return table


def _assumptions(planned: "Planned", lang: str) -> Table:
    from server.planning.words import language_of

    language, words = language_of(lang)
    table = Table(words.assumed, "", words.source, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name, one in planned.assumptions.items():
        value = one.value if isinstance(one.value, str) else _written(one.value, language)
        table.add_row(Text(words.names[name]), Text(value), Text(one.source))
    return table


def _written(value: float, language: "Language") -> str:
    if value == round(value):
        return language.whole(value)
    return language.whole(value) if abs(value) >= 1e3 else language.number(value)

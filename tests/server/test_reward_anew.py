"""Outcomes are kept, so that another formula can say what decisions would have earned by it."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from server.cli import app
from server.errors import InvalidCampaign, InvalidRequest
from server.evaluation.log import read_log
from server.files.export import export_log
from server.files.exported import read_exported_log
from server.reward_anew import OtherReward
from server.store.database import Database
from simulator import evaluate, to_json

HOUR = timedelta(hours=1)


@pytest.fixture
def learned(put: Any, hero: str, log: Any, clock: Any, new_trainer: Any, database: Database) -> Database:
    """Five visits: two bought, one of them late, too; one did something for each slot; one was told of late; one did
    nothing.
    """
    put(hero.replace("range: [0, 3]", "range: [0, 3], default: 0"))
    one, other, slot, late, _ = log.decide([{}] * 5)
    log.happen(one, "revenue", 100.0)
    log.happen(one, "click")
    log.happen(one, "revenue", 900.0, after=HOUR)
    log.happen(other, "revenue", 300.0)
    log.happen(other, "revenue", -100.0)
    log.happen(slot, slot="cta")
    log.happen(slot, "revenue", 50.0, slot="headline")
    log.happen(late, "revenue", 500.0, after=HOUR)
    new_trainer().step(clock.move(hours=2))
    log.happen(late, "click")  # inside its window, but it was matured before
    return database


def test_another_formula(learned: Database) -> None:
    def rewards(value: str, slot: str = "headline") -> list[float]:
        return sorted(read_log(learned, "hero", slot=slot, reward=OtherReward(value, (0.0, 500.0))).rewards.tolist())

    assert rewards("revenue") == [0.0, 0.0, 50.0, 100.0, 200.0]
    assert rewards("revenue", "cta") == [0.0, 0.0, 0.0, 100.0, 200.0]
    assert rewards("click") == [0.0, 0.0, 0.0, 0.0, 1.0]
    assert rewards("click", "cta") == [0.0, 0.0, 0.0, 1.0, 1.0]
    # the log itself is as it was
    assert sorted(read_log(learned, "hero").rewards.tolist()) == [0.0, 0.0, 0.5, 2.0, 2.0]


def test_the_same_formula_gives_what_was_earned(put: Any, hero: str, log: Any, clock: Any, new_trainer: Any) -> None:
    put(hero)
    for made in (log.visits(20), log.visits(20)):
        log.happen(made[0], "revenue", 30.0, slot="cta")
    new_trainer().step(clock.move(hours=1))
    for slot in ("headline", "cta"):
        kept = read_log(log.database, "hero", slot=slot)
        anew = read_log(log.database, "hero", slot=slot, reward=OtherReward("click + 0.01 * revenue"))
        assert to_json(evaluate(anew)) == to_json(evaluate(kept))


def test_files_say_the_same(learned: Database, tmp_path: Path) -> None:
    export_log(learned, tmp_path)
    for slot in ("headline", "cta"):
        given = {"slot": slot, "reward": OtherReward("revenue + 7 * click", (0.0, 500.0))}
        kept, told = read_log(learned, "hero", **given), read_exported_log(tmp_path, "hero", **given)  # type: ignore[arg-type]
        assert (kept.rewards == told.rewards).all()
        assert to_json(evaluate(kept)) == to_json(evaluate(told))


def test_what_counts_for_nothing_goes_on_doing_so(
    put: Any, hero: str, log: Any, clock: Any, new_trainer: Callable[..., Any], database: Database
) -> None:
    put(hero.replace("revenue: sum", "revenue: sum, bounce: cancels"))
    bounced, *_ = log.decide([{}] * 3)
    log.happen(bounced, "bounce")
    (waits,) = log.decide([{}], defer_activation=True)
    log.happen(waits)
    new_trainer().step(clock.move(days=2))
    assert read_log(database, "hero", reward=OtherReward("2 * click")).rewards.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("value", "bounds", "message"),
    [
        ("clicks", None, "no name 'clicks'"),
        ("click / 0", None, "finite"),
        ("click", (1.0, 2.0), "0 is outside the range"),
        ("click", (2.0, 1.0), "no range"),
    ],
)
def test_rewards_that_can_not_be(learned: Database, value: str, bounds: Any, message: str) -> None:
    with pytest.raises(InvalidCampaign, match=message):
        read_log(learned, "hero", reward=OtherReward(value, bounds))


def test_a_decision_without_an_answer_is_not_left_out(learned: Database) -> None:
    with pytest.raises(InvalidRequest, match=r"decision \w+: .*expected a finite number"):
        read_log(learned, "hero", reward=OtherReward("click / (revenue - 200)"))


def test_by_command(learned: Database, url: str) -> None:
    ask = ["evaluate", "--campaign", "hero", "--db", url, "--json"]

    def evaluated(*given: str) -> tuple[dict[str, Any], dict[str, Any]]:
        ran = CliRunner().invoke(app, [*ask, *given])
        assert ran.exit_code == 0, ran.output
        told = json.loads(ran.stdout)
        return told, told.pop("provenance")

    (kept, made), (same, _), (other, otherwise) = (
        evaluated(*given)
        for given in ([], ["--value", "click + 0.01 * revenue"], ["--value", "revenue", "--range", "0,500"])
    )
    assert kept == same != other
    assert (made["reward"], otherwise["reward"]) == ("click + 0.01 * revenue", "revenue"), "numbers say what made them"
    for given, said in (
        (["--range", "0,1"], "goes with --value"),
        (["--value", "click", "--range", "0"], "expected two numbers"),
    ):
        ran = CliRunner().invoke(app, [*ask, *given])
        assert (ran.exit_code, said in ran.stderr) == (2, True)

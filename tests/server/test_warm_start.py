"""A log that others kept, told to a campaign that exists: learned in the order of time, each row once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from policies.types import Action, RewardRange
from server.errors import Conflict, InvalidRequest, NoSuchCampaign, NotDeclared
from server.evaluation.log import read_log
from server.records import Kind, Reason
from server.store import decisions as decision_rows
from server.store.database import Database
from server.warm_start import tell_log
from simulator import Round
from simulator.sources.files import Source

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Tell = Callable[..., Any]
APPRENTICE = """\
campaign: hero
metrics: {click: once}
reward: {window: 30m}
policy: best_variant
learn_from: [drawn, observed]
context: {country: text}
slots:
  headline:
    default: hours
    variants: [{id: hours}, {id: price}, {id: trust}]
"""
CANDIDATES = APPRENTICE.replace("[{id: hours}, {id: price}, {id: trust}]", "[{id: hours}]\n    candidates: true")


def source(n: int = 300, *, timed: bool = True, **changes: Any) -> Source:
    """A randomised log over two of the variants: `price` earns twice as often. The latest rows are first."""
    rng = np.random.default_rng(4)
    actions = (Action("price", {"angle": "price"}), Action("hours"))
    rounds = []
    for place in range(n):
        chosen = int(rng.integers(2))
        clicked = rng.random() < (0.6 if chosen == 0 else 0.3)
        rounds.append(
            Round(
                context={"country": "ES" if place % 2 else "PT", "device": "phone"},
                actions=actions,
                chosen=actions[chosen].id,
                propensity=0.7 if chosen == 0 else 0.3,
                reward=float(clicked),
                time=NOW.timestamp() - 60 * (place + 1) if timed else float(place),
                probabilities=(0.7, 0.3),
                person=f"p{place // 2}",
            )
        )
    named = Source("old.csv", "variant", "visit", actions, tuple(rounds), RewardRange(), timed=timed)
    return replace(named, **changes)


@pytest.fixture
def tell(database: Database) -> Tell:
    def tell(of: Source, **given: Any) -> Any:
        return tell_log(database, of, **{"campaign": "hero", "now": NOW, **given})

    return tell


@pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
def test_a_campaign_starts_with_what_the_log_knew(
    tell: Tell, put: Any, log: Any, new_trainer: Any, database: Database
) -> None:
    put(APPRENTICE)
    told = tell(source())
    assert (told.slot, told.decisions, told.known, told.learned) == ("headline", 300, 0, True)
    assert told.outcomes == sum(one.reward for one in source().rounds)
    assert told.ignored == {"device": 300}
    progress = new_trainer().step(NOW + timedelta(seconds=1))
    assert (progress.matured, progress.learned) == (300, 300)
    (decision,) = log.decide([{"country": "ES"}])
    assert decision.snapshot is not None
    (choice,) = decision.choices
    served = dict(zip(choice.eligible, choice.probabilities, strict=True))
    assert served["price"] > 0.5 > served["trust"] > 10 * served["hours"]  # nobody knows what was not in the log


def test_rows_are_observed_decisions_in_the_order_of_time(
    tell: Tell, put: Any, new_trainer: Any, database: Database
) -> None:
    put(APPRENTICE)
    tell(source(50))
    new_trainer().step(NOW + timedelta(seconds=1))
    with database.reading() as connection:
        matured = decision_rows.matured(connection, "hero", limit=100)
    assert [one.decision.at for one in matured] == [NOW - timedelta(minutes=50 - place) for place in range(50)]
    assert [one.decision.labels["row"] for one in matured] == list(range(50, 0, -1))
    rounds = list(reversed(source(50).rounds))
    assert [one.reward for one in matured] == [one.reward for one in rounds]
    for row, one in zip(matured, rounds, strict=True):
        (choice,) = row.decision.choices
        assert (choice.kind, choice.reason, choice.variant) == (Kind.OBSERVED, Reason.IMPORTED, one.chosen)
        assert (choice.eligible, choice.probabilities) == (("hours", "price"), (0.3, 0.7))  # in the campaign's order
        assert row.decision.context == {"country": one.context["country"]}
    assert len({row.decision.person for row in matured}) == 25
    judged = read_log(database, "hero")
    assert judged.propensities.tolist() == [one.propensity for one in rounds]


def test_a_trainer_may_run_meanwhile(
    tell: Tell, put: Any, new_trainer: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(APPRENTICE)
    monkeypatch.setattr("server.warm_start.CHUNK", 20)
    trainer = new_trainer()
    tell(source(100), progress=lambda share: trainer.step(NOW))
    with database.reading() as connection:
        matured = decision_rows.matured(connection, "hero", limit=200)
    assert len(matured) == 100
    assert [one.decision.at for one in matured] == sorted(one.decision.at for one in matured)


def test_a_file_is_told_once_however_often_it_is_read(tell: Tell, put: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(APPRENTICE)
    monkeypatch.setattr("server.warm_start.CHUNK", 20)

    def stop(share: float) -> None:
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tell(source(100), progress=stop)
    again = tell(source(100), now=NOW + timedelta(hours=1))
    assert (again.decisions, again.known) == (40, 60)
    grown = source(130)
    longer = replace(grown, rounds=source(100).rounds + grown.rounds[100:])
    assert tell(longer).decisions == 30
    assert tell(source(10, name="other.csv")).decisions == 10


def test_another_file_of_the_same_name_is_refused(tell: Tell, put: Any, sql: Any) -> None:
    put(APPRENTICE)
    tell(source(10))
    rounds = source(10).rounds
    other = source(11, rounds=(*rounds[:4], replace(rounds[4], context={"country": "FR"}), *rounds[5:], rounds[0]))
    with pytest.raises(Conflict, match=r"row 5 of old.csv was imported before, and was another"):
        tell(other)
    assert sql("SELECT count(*) FROM decisions") == [(10,)]


def test_rows_without_times_end_now(tell: Tell, put: Any, sql: Any, database: Database) -> None:
    put(APPRENTICE)
    tell(source(3, timed=False))
    with database.reading() as connection:
        made = decision_rows.newest(connection, "hero", limit=9)
    assert [one.at for one in made] == [NOW - timedelta(seconds=back) for back in range(3)]
    assert tell(source(3, timed=False), now=NOW + timedelta(days=1)).known == 3


def test_variants_that_the_slot_does_not_have(tell: Tell, put: Any, sql: Any) -> None:
    put(APPRENTICE.replace("{id: price}, ", ""))
    with pytest.raises(
        InvalidRequest, match=r"slot 'headline' of campaign 'hero' has no variant 'price'; it has: 'hours'"
    ):
        tell(source())
    assert sql("SELECT count(*) FROM decisions") == [(0,)]


def test_where_calls_bring_variants_the_log_does(tell: Tell, put: Any, new_trainer: Any, database: Database) -> None:
    put(CANDIDATES)
    tell(source())
    new_trainer().step(NOW + timedelta(seconds=1))
    log = read_log(database, "hero")
    assert {action.id: action.features for action in log.actions} == {"hours": {}, "price": {"angle": "price"}}


def test_a_row_that_can_not_be_is_named(tell: Tell, put: Any) -> None:
    put(APPRENTICE)
    rounds = source(3).rounds
    with pytest.raises(InvalidRequest, match=r"old.csv, row 2: at .* lies in the future"):
        tell(source(3, rounds=(rounds[0], replace(rounds[1], time=NOW.timestamp() + 900), rounds[2])))


def test_which_slot_and_which_metric(tell: Tell, put: Any, hero: str, sql: Any) -> None:
    put(hero)
    with pytest.raises(NotDeclared, match=r"which metric is the reward of the file\? .* declares 'click', 'revenue'"):
        tell(source(5), slot="headline")
    with pytest.raises(NotDeclared, match="no metric 'visit'"):
        tell(source(5), slot="headline", metric="visit")
    with pytest.raises(NotDeclared, match=r"which slot\? campaign 'hero' has: 'headline', 'cta'"):
        tell(source(5), metric="revenue")
    with pytest.raises(NotDeclared, match="has no slot 'footer'"):
        tell(source(5), slot="footer", metric="revenue")
    told = tell(source(5, slot="headline"), metric="revenue")
    assert (told.slot, told.learned) == ("headline", False)
    assert sql("SELECT DISTINCT metric FROM outcomes") == [("revenue",)]


def test_no_campaign(tell: Tell) -> None:
    with pytest.raises(NoSuchCampaign):
        tell(source(5))

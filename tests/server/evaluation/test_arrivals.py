"""When rewards came, from the outcomes that were kept."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import isnan
from typing import Any

import numpy as np
import pytest

from server.campaigns.model import Campaign
from server.evaluation.arrivals import arrival
from server.evaluation.log import read_log
from server.evaluation.request import EvaluationRequest
from server.evaluation.run import diagnose
from server.evaluation.stored import Stored
from server.records import Decision, Group, Outcome
from server.store import outcomes as outcome_rows
from server.store.database import Database
from simulator import Severity

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CAMPAIGN = Campaign.from_document(
    {
        "campaign": "hero",
        "metrics": {"click": "once", "revenue": "sum", "bounce": "cancels"},
        "reward": {"window": "1h", "value": "click + revenue"},
        "slots": {"headline": {"default": "a", "variants": [{"id": "a"}, {"id": "b"}]}},
    }
)
DECISION = Decision(
    id="d",
    campaign="hero",
    version=1,
    at=NOON,
    person=None,
    context={},
    ignored_context=(),
    labels={},
    time_zone=None,
    group=Group.POLICY,
    snapshot=None,
    window_closes_at=NOON + timedelta(hours=1),
    choices=(),
)


def came(*outcomes: tuple[str, int]) -> list[Outcome]:
    """metric and minutes after noon."""
    times = [(metric, NOON + timedelta(minutes=minutes)) for metric, minutes in outcomes]
    return [Outcome("d", "hero", metric, 1.0, at=at, received_at=at) for metric, at in times]


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ((("click", 30),), 0.5),
        ((("click", 0),), 0.0),
        ((("click", 15), ("click", 45)), 0.25),
        ((("revenue", 15), ("revenue", 45)), 0.75),
        ((("click", 6), ("revenue", 12)), 0.2),
        ((("click", 6), ("bounce", 12), ("open", 18), ("revenue", 66)), 0.1),
    ],
    ids=["half", "at once", "once", "sum", "two metrics", "what does not count"],
)
def test_the_last_that_counts(outcomes: tuple[tuple[str, int], ...], expected: float) -> None:
    assert arrival(DECISION, came(*outcomes), CAMPAIGN) == pytest.approx(expected)


def test_the_window_begins_when_it_was_shown() -> None:
    shown = replace(DECISION, activated_at=NOON + timedelta(minutes=20))
    assert arrival(shown, came(("click", 40)), CAMPAIGN) == pytest.approx(0.5)


def test_nothing_came() -> None:
    assert isnan(arrival(DECISION, [], CAMPAIGN))
    assert isnan(arrival(DECISION, came(("open", 3)), CAMPAIGN))
    assert isnan(arrival(replace(DECISION, window_closes_at=None), came(("click", 3)), CAMPAIGN))


def test_a_log_knows_when_its_rewards_came(
    put: Callable[[str], object], hero: str, log: Any, clock: Any, new_trainer: Callable[[], Any], database: Database
) -> None:
    """40 decisions whose window is half an hour; every second is clicked, after 3 or after 28.5 minutes."""
    put(hero)
    made = log.decide([{"country": "ES"}] * 80)
    clicked = [(one, one.at + timedelta(minutes=28.5 if i % 4 else 3.0)) for i, one in enumerate(made) if i % 2 == 0]
    with database.writing() as connection:
        outcome_rows.append(connection, [Outcome(one.id, "hero", "click", 1.0, at, at) for one, at in clicked])
    new_trainer().step(clock.move(minutes=31))
    arrivals = read_log(database, "hero").arrivals
    assert arrivals is not None
    assert np.isnan(arrivals).sum() == 40
    assert sorted(set(arrivals[~np.isnan(arrivals)].round(9))) == [0.1, 0.95]
    (found,) = (
        one for one in diagnose(Stored(database), EvaluationRequest("hero", slot="cta")) if one.check == "reward_delay"
    )
    assert found.severity is Severity.AMBER
    assert found.numbers["late"] == 0.5

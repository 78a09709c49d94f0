"""Plans from a campaign's own log, and from what is told."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from policies.registry import PolicyError, PolicySpec
from server.errors import InvalidRequest, NoRates, NoSuchCampaign
from server.planning import Assumption, PlanAsked, plan
from server.planning.rates import decisions_per_day, recent_rewards

CLICKS = """\
campaign: hero
metrics: {click: once}
reward: {window: 12h}
policy: {weighted: {hours: 3, price: 1}}
slots:
  headline:
    default: hours
    variants: [{id: price}, {id: hours}]
"""
TOLD = PlanAsked("hero", decisions_per_day=2_000.0, mean_reward=0.1, difference=0.02, policy=PolicySpec("uniform"))


def test_told_everything_a_new_campaign_can_be_planned(database: Any, put: Any, clock: Any) -> None:
    put(CLICKS)
    planned = plan(database, TOLD, now=clock())
    assert planned.even_split == pytest.approx(7_677, abs=1)  # 2 · 2.8016² · (.1·.9 + .12·.88) / .02²
    assert planned.decisions_needed == pytest.approx(planned.even_split, rel=0.06)
    assert planned.time_needed is not None
    window = 0.5  # days after the last decision that it takes
    days = (planned.decisions_needed or 0) / 2_000 + window
    assert planned.time_needed / timedelta(days=1) == pytest.approx(days, abs=0.01)
    assert planned.points[-1].after == timedelta(days=90)
    assert planned.summary.startswith("Your traffic suffices: with 'uniform', the log tells a difference of 0.02")
    assert "An even split among the 2 variants would take about 7,700 decisions, 5 days." in planned.summary
    assert planned.assumptions["mean_reward"].source == "as asked"
    assert planned.assumptions["better_variant"].value == "price"
    assert planned.assumptions["reward_deviation"].value == pytest.approx(0.3)
    assert planned == plan(database, TOLD, now=clock())


def test_in_spanish(database: Any, put: Any, clock: Any) -> None:
    put("\n".join(line for line in CLICKS.splitlines() if "policy" not in line))
    planned = plan(database, replace(TOLD, language="es", policy=None, horizon=timedelta(days=3)), now=clock())
    assert "unas 7.700 decisiones, 5 días" in planned.summary
    assert "una diferencia de 0,02 por decisión" in planned.summary
    assert planned.assumptions["policy"] == Assumption(
        "auto", "la campaña; en la simulación hace su papel best_variant"
    )
    assert planned.assumptions["explore"].value == 0.02


def test_too_little_traffic_says_what_there_is(database: Any, put: Any, clock: Any) -> None:
    put(CLICKS)
    few = plan(database, replace(TOLD, decisions_per_day=50.0, horizon=timedelta(days=10)), now=clock())
    assert (few.decisions_needed, few.time_needed) == (None, None)
    assert few.summary.startswith("Your traffic does not suffice: with 'uniform'")
    assert few.points[-1].power < 0.3
    document = few.to_dict()
    assert document["decisions_needed"] is None
    assert document["points"][-1]["after"] == "P10D"
    assert document["assumptions"]["decisions_per_day"] == {"value": 50.0, "source": "as asked"}


def visited(log: Any, clock: Any, *, n: int, days: float) -> None:
    """n persons who come twice each, over some days; a third of the persons click whatever they see."""
    for person in range(n):
        for one in log.decide([{}, {}], person=f"p{person}"):
            if person % 3 == 0:
                log.happen(one)
        clock.move(seconds=days * 86_400.0 / n)


def test_rates_come_from_the_log(database: Any, put: Any, log: Any, clock: Any, new_trainer: Any) -> None:
    put(CLICKS)
    visited(log, clock, n=80, days=3)
    new_trainer().step(clock.move(hours=13))
    per_day = decisions_per_day(database, "hero", now=clock())
    assert per_day == pytest.approx(160 / (3 + 13 / 24), rel=0.01)
    planned = plan(database, PlanAsked("hero", policy=PolicySpec("uniform")), now=clock())
    told = planned.assumptions
    assert told["mean_reward"].value == pytest.approx(1 / 3, abs=0.06)
    assert told["mean_reward"].source.startswith("the newest 160 rewards of the last 28 days, those of the defaults")
    assert told["reward_deviation"].source == "rewards are 0 or 1"
    assert told["difference"].value == pytest.approx(float(told["mean_reward"].value) / 10.0)
    # who comes twice does the same twice: one person is worth one visit, half of the decisions
    assert told["variance_by_persons"].value == pytest.approx(2.0, abs=0.05)


def test_what_is_long_ago_is_no_rate(database: Any, put: Any, log: Any, clock: Any, new_trainer: Any) -> None:
    put(CLICKS)
    visited(log, clock, n=10, days=1)
    new_trainer().step(clock.move(days=40))
    assert decisions_per_day(database, "hero", now=clock()) is None
    with pytest.raises(
        NoRates, match="campaign 'hero' has no decisions of the last 28 days: say how many are expected"
    ):
        plan(database, PlanAsked("hero"), now=clock())
    with pytest.raises(NoRates, match="has no rewards of the last 28 days: say which mean reward is expected"):
        plan(database, PlanAsked("hero", decisions_per_day=10.0), now=clock())


def test_the_defaults_are_weighed_by_their_propensity(
    database: Any, put: Any, log: Any, clock: Any, new_trainer: Any
) -> None:
    """What is shown seldom, and earns more, counts as often as it was not the default: not at all."""
    put(CLICKS)
    made = log.decide([{} for _ in range(400)])
    for one in made:
        if one.choices[0].variant == "price":
            log.happen(one)
    new_trainer().step(clock.move(hours=13))
    campaign = _campaign(database)
    found = recent_rewards(database, campaign, "headline", now=clock())
    assert found is not None
    assert (found.n, found.mean, found.of_defaults) == (400, 0.0, True)
    with pytest.raises(NoRates, match="no rewards that differ of the last 28 days: say which standard deviation"):
        plan(database, PlanAsked("hero"), now=clock())


def test_what_was_shown_seldom_speaks_for_more(database: Any, put: Any, log: Any, clock: Any, new_trainer: Any) -> None:
    """Nobody clicks while the default has three quarters, everybody while it has one: half of all would."""
    put(CLICKS)
    log.decide([{} for _ in range(200)])
    put(CLICKS.replace("hours: 3, price: 1", "hours: 1, price: 3"))
    for one in log.decide([{} for _ in range(200)]):
        if one.choices[0].variant == "hours":
            log.happen(one)
    new_trainer().step(clock.move(hours=13))
    found = recent_rewards(database, _campaign(database), "headline", now=clock())
    assert found is not None
    assert found.of_defaults
    assert found.mean == pytest.approx(0.5, abs=0.08)  # unweighted, it would be a quarter


def test_defaults_that_were_shown_too_seldom_are_not_believed(
    database: Any, put: Any, log: Any, clock: Any, new_trainer: Any
) -> None:
    put(CLICKS)
    made = log.decide([{} for _ in range(60)])
    for one in made[::2]:
        log.happen(one)
    new_trainer().step(clock.move(hours=13))
    found = recent_rewards(database, _campaign(database), "headline", now=clock())
    assert found is not None
    assert (found.mean, found.of_defaults) == (0.5, False)


def _campaign(database: Any) -> Any:
    from server.campaigns.model import Campaign
    from server.store import campaigns as campaign_rows

    with database.reading() as connection:
        return Campaign.from_document(campaign_rows.read_version(connection, "hero").document)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"difference": 0.0}, "difference 0: expected a number above 0"),
        ({"decisions_per_day": -3.0}, "decisions_per_day -3: expected a number above 0"),
        ({"reward_deviation": float("nan")}, "reward_deviation nan: expected a number above 0"),
        ({"reward_deviation": 1e308}, r"reward_deviation 1e\+308: expected a number above 0, from 1e-100 to 1e\+100"),
        ({"difference": 1e-300}, "difference 1e-300: expected a number above 0, from 1e-100"),
        ({"decisions_per_day": 1e13}, r"decisions_per_day 1e\+13: expected a number above 0, from 0 to 1e\+12"),
        ({"power": 5e-324}, "power 4.94066e-324: expected a number between 0 and 1, from 0.001 to 0.999999"),
        ({"mean_reward": float("inf")}, r"mean_reward inf: expected -1e\+100 to 1e\+100"),
        ({"level": 1.0}, "level 1: expected a number between 0 and 1"),
        ({"power": 0.0}, "power 0: expected a number between 0 and 1"),
        ({"horizon": timedelta(hours=3)}, "horizon PT3H: expected from 1 day to 2 years"),
        ({"horizon": timedelta(days=-1)}, "horizon -1 day, 0:00:00: expected from 1 day to 2 years"),
        ({"horizon": timedelta(days=800)}, "horizon P800D: expected from 1 day to 2 years"),
        ({"seed": -1}, "seed -1: expected 0 or more"),
        ({"language": "fr"}, "language 'fr': expected one of en, es"),
    ],
)
def test_numbers_outside_their_range(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        replace(TOLD, **change)


def test_what_can_not_be_planned(database: Any, put: Any, clock: Any) -> None:
    with pytest.raises(NoSuchCampaign):
        plan(database, TOLD, now=clock())
    put(CLICKS)
    for change, message in (
        ({"difference": 0.95}, "mean reward 0.1 and difference 0.95: rewards are 0 or 1"),
        ({"mean_reward": 0.0, "difference": None, "reward_deviation": 1.0}, "a tenth of it is no difference"),
        ({"decisions_per_day": 0.001}, "expected at least one decision"),
        ({"policy": PolicySpec("fixed", {"variant": "trust"})}, "no variant 'trust' in slot 'headline'"),
    ):
        with pytest.raises(InvalidRequest, match=message):
            plan(database, replace(TOLD, **change), now=clock())
    with pytest.raises(PolicyError, match="no policy 'nosuch'"):
        replace(TOLD, policy=PolicySpec("nosuch"))

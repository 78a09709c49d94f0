"""What a decision earned: which outcomes are taken, which count, and as how much."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.campaigns.file import load_campaigns
from server.campaigns.model import Campaign
from server.errors import InvalidRequest, NotDeclared
from server.outcomes import RewardRequest, aggregate, earn, read_outcome
from server.records import Excluded, Outcome
from server.times import AHEAD, CLOCK_SKEW

DECIDED = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW = DECIDED + timedelta(minutes=10)
CLOSES = DECIDED + timedelta(minutes=30)


def campaign(
    metrics: str = "{click: once, revenue: sum}", value: str = "click + 0.01 * revenue", **reward: Any
) -> Campaign:
    more = "".join(f", {name}: {one}" for name, one in reward.items())
    text = f"""\
campaign: hero
metrics: {metrics}
reward: {{window: 30m, range: [-5, 100], value: "{value}"{more}}}
slots:
  headline: {{default: a, variants: [{{id: a}}, {{id: b}}]}}
  cta: {{default: x, variants: [{{id: x}}, {{id: y}}]}}
"""
    (loaded,) = load_campaigns(text, file_name="test.yaml")
    return loaded


HERO = campaign()


def read(of: Campaign = HERO, **request: Any) -> Outcome:
    return read_outcome(RewardRequest("d", **request), decided=DECIDED, campaign=of, now=NOW)


def outcome(metric: str, value: float, *, minute: float = 1, slot: str | None = None) -> Outcome:
    return Outcome("d", "hero", metric, value, DECIDED + timedelta(minutes=minute), NOW, slot)


def earned(*outcomes: Outcome, of: Campaign = HERO) -> float | None:
    return earn(of, "d", outcomes, closes_at=CLOSES).reward


def test_defaults() -> None:
    taken = read(metric="click")
    assert (taken.value, taken.at, taken.received_at, taken.slot, taken.key) == (1.0, NOW, NOW, None, None)
    assert read(campaign("{click: once}", "click")).metric == "click"


@pytest.mark.parametrize(
    ("request_", "error", "message"),
    [
        ({}, NotDeclared, "which metric.* declares 'click', 'revenue'"),
        ({"metric": "sale"}, NotDeclared, "no metric 'sale'; it declares 'click', 'revenue'"),
        ({"metric": "Click"}, NotDeclared, "no metric 'Click'"),
        ({"metric": "click", "slot": "footer"}, NotDeclared, "no slot 'footer'; it has: 'headline', 'cta'"),
        ({"metric": "click", "value": math.nan}, InvalidRequest, "value nan: expected a finite number"),
        ({"metric": "click", "value": math.inf}, InvalidRequest, "value inf"),
        ({"metric": "click", "value": -math.inf}, InvalidRequest, "value -inf"),
        ({"metric": "click", "key": "k" * 257}, InvalidRequest, "key of 257 bytes: expected 1 to 256"),
        ({"metric": "click", "key": "ñ" * 129}, InvalidRequest, "key of 258 bytes"),
        ({"metric": "click", "key": "\ud800"}, InvalidRequest, "half of a surrogate pair"),
        ({"metric": "click", "at": DECIDED - CLOCK_SKEW - timedelta(microseconds=1)}, InvalidRequest, "before the dec"),
        ({"metric": "click", "at": NOW + AHEAD + timedelta(microseconds=1)}, InvalidRequest, "lies in the future"),
        ({"metric": "click", "at": datetime(1, 1, 1, tzinfo=UTC)}, InvalidRequest, "before the decision"),
        ({"metric": "click", "at": datetime.max.replace(tzinfo=UTC)}, InvalidRequest, "lies in the future"),
    ],
    ids=lambda one: str(one)[:30] if isinstance(one, dict) else "",
)
def test_wrong_reports_are_refused(request_: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read(**request_)


def test_clocks_that_differ_by_a_little_are_forgiven() -> None:
    assert read(metric="click", at=DECIDED - CLOCK_SKEW).at == DECIDED
    assert read(metric="click", at=NOW + AHEAD).at == NOW + AHEAD
    ours_jumped_back = DECIDED - timedelta(hours=1)
    request = RewardRequest("d", metric="click")
    assert read_outcome(request, decided=DECIDED, campaign=HERO, now=ours_jumped_back).at == DECIDED


@pytest.mark.parametrize("key", ["k" * 256, " ", "a|b\n\t:", "\x00", "😀" * 64])
def test_any_text_is_a_key(key: str) -> None:
    assert read(metric="click", key=key).key == key


@pytest.mark.parametrize(("how", "value"), [("once", 3.0), ("sum", 4.5), ("max", 5.0), ("last", -3.5)])
def test_the_four_aggregations(how: Any, value: float) -> None:
    assert aggregate(how, [3.0, 5.0, -3.5]) == value
    assert aggregate(how, []) == 0.0
    of = campaign(f"{{m: {how}}}", "m")
    # in the order in which they happened, which the log gives
    assert earned(outcome("m", 3.0), outcome("m", 5.0), outcome("m", -3.5), of=of) == value


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)), st.sampled_from(["once", "sum", "max", "last"]))
def test_no_values_break_an_aggregation(values: list[float], how: Any) -> None:
    assert isinstance(aggregate(how, values), float)


def test_a_sum_beyond_all_doubles_spoils_one_reward_and_nothing_else() -> None:
    of = campaign("{m: sum}", "m")
    spoilt = earn(of, "d", [outcome("m", 1e308), outcome("m", 1e308)], closes_at=CLOSES)
    assert spoilt.reward is None
    assert "expected a finite number" in (spoilt.error or "")
    bounded = campaign("{m: sum}", "clip(m, 0, 5)")
    assert earned(outcome("m", 1e308), outcome("m", 1e308), of=bounded) == 5.0


def test_only_what_happened_inside_the_window_counts() -> None:
    assert earned(outcome("click", 1.0, minute=30)) == 1.0
    assert earned(outcome("click", 1.0, minute=30.0001)) == 0.0
    with_default = campaign(default=-2)
    assert earned(of=with_default) == -2.0
    assert earned(outcome("click", 1.0, minute=31), of=with_default) == -2.0
    assert earned(outcome("click", 0.0), of=with_default) == 0.0


def test_a_metric_of_another_version_counts_for_nothing() -> None:
    assert earned(outcome("gone", 7.0), of=campaign(default=-2)) == -2.0
    assert earned(outcome("gone", 7.0), outcome("click", 1.0)) == 1.0


def test_refunds_and_corrections() -> None:
    assert earned(outcome("revenue", 300.0), outcome("revenue", -100.0)) == pytest.approx(2.0)


def test_an_outcome_that_cancels_leaves_nothing_to_earn() -> None:
    of = campaign("{click: once, bounce: cancels}", "click", default=-2)
    bounced = earn(of, "d", [outcome("click", 1.0), outcome("bounce", 1.0, slot="cta")], closes_at=CLOSES)
    assert (bounced.reward, bounced.slot_rewards, bounced.error) == (None, {}, None)
    assert bounced.excluded is Excluded.CANCELLED
    # after the window, or said not to have happened
    for late in (outcome("bounce", 1.0, minute=31), outcome("bounce", 0.0)):
        sound = earn(of, "d", [late], closes_at=CLOSES)
        assert (sound.reward, sound.excluded) == (-2.0, None)


def test_a_formula_without_an_answer_is_an_error_not_a_reward() -> None:
    of = campaign(value="click / (revenue - 100)")
    spoilt = earn(of, "d", [outcome("revenue", 100.0), outcome("click", 1.0)], closes_at=CLOSES)
    assert (spoilt.reward, spoilt.slot_rewards) == (None, {})
    assert "click / (revenue - 100)" in (spoilt.error or "")


def test_slots_with_outcomes_of_their_own() -> None:
    outcomes = [
        outcome("click", 1.0, slot="cta"),
        outcome("revenue", 100.0),
        outcome("revenue", 50.0, slot="headline"),
    ]
    result = earn(HERO, "d", outcomes, closes_at=CLOSES)
    assert result.reward == pytest.approx(2.5)
    assert result.slot_rewards == {"cta": pytest.approx(2.0), "headline": pytest.approx(1.5)}

"""What is concluded: no more often wrong than it says, in words that say what the numbers do."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from policies.types import Action, RewardRange
from simulator import Log, Round, evaluate
from simulator.comparisons import holm, more_decisions
from simulator.estimators import NORMAL, Evidence, Method, difference, estimates_of, mean, snips, with_method
from simulator.estimators.basis import ANYTIME, BERNSTEIN
from simulator.intervals.clustered import Possible, p_value, skewed
from simulator.sentences import LANGUAGES

VARIANTS = (Action("a"), Action("b"), Action("c"))
RATES = {"a": 0.2, "b": 0.3, "c": 0.2}


def log_of(n: int, *, seed: int = 1, rates: dict[str, float] = RATES) -> Log:
    rng = np.random.default_rng(seed)
    chosen = [VARIANTS[place].id for place in rng.integers(3, size=n)]
    return Log.from_rounds(
        [
            Round({}, VARIANTS, one, 1 / 3, float(rng.random() < rates[one]), float(row), [1 / 3] * 3)
            for row, one in enumerate(chosen)
        ],
        default="a",
        reward_range=RewardRange(0.0, 1.0),
    )


def test_holm_is_the_textbook_s() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_the_p_value_is_where_the_interval_leaves_nought_out() -> None:
    rng = np.random.default_rng(2)
    influence = rng.normal(size=3_000)
    influence -= influence.mean()
    persons = np.arange(3_000)
    for value in (0.02, -0.03, 0.05):
        p = p_value(value, influence, persons, up=1.0, down=1.0)
        just, less = (
            skewed(value, influence, persons, up=1.0, down=1.0, confidence=1.0 - p * by) for by in (1.001, 0.999)
        )
        assert not just.low <= 0.0 <= just.high
        assert less.low <= 0.0 <= less.high
        z = abs(value) / (influence.std() / np.sqrt(3_000))
        assert p == pytest.approx(2 * stats.norm.sf(z), rel=0.1)
    assert p_value(0.0, influence, persons, up=1.0, down=1.0) == 1.0


def test_more_decisions_are_those_of_the_textbook() -> None:
    """Two-sided 5 %, power 80 %: (1.96 + .84)² variances over the squared difference."""
    found = mean(np.random.default_rng(0).normal(0.05, 1.0, size=500), np.arange(500))
    needed = more_decisions(found, np.arange(500), 1, 0.95)
    assert needed is not None
    assert needed + 500 == pytest.approx(7.849 * 500 * (found.standard_error / found.value) ** 2, rel=0.01)
    assert more_decisions(found, np.arange(500), 10, 0.95) > needed  # type: ignore[operator]
    assert more_decisions(mean(np.zeros(4), np.arange(4)), np.arange(4), 1, 0.95) is None


@pytest.mark.parametrize("interval", [ANYTIME, BERNSTEIN])
def test_the_decisions_that_a_wide_interval_asks_for_tell_as_often_as_promised(interval: str) -> None:
    """Rates of .13 and .11. What a symmetric interval needs would tell in less than a fifth of the logs."""
    possible, method = Possible(3.0, 3.0, 0.0, 1.0), Method(interval, 0.95)
    rng = np.random.default_rng(3)

    def gain_of(shown: Any, rewards: Any) -> Any:
        persons = np.arange(len(shown))
        served = Evidence(rewards, rewards, rewards, rewards, persons, possible)
        earned = with_method(mean(rewards, persons, possible=possible), "mean", served, method)
        seen = Evidence(rewards, 3.0 * shown, rewards, rewards, persons, possible)
        return difference(estimates_of(["ips"], seen, method)["ips"], earned, persons, confidence=0.95)

    def drawn(n: int) -> Any:
        shown = rng.integers(3, size=n) == 1
        return shown, (rng.random(n) < np.where(shown, 0.13, 0.10)).astype(float)

    of_three = np.tile([True, False, False], 300)
    rewards = np.zeros(900)
    rewards[0 : 39 * 3 : 3] = rewards[1 : 60 * 3 : 3] = 1.0  # .13 of those shown, .10 of the others
    gain = gain_of(of_three, rewards)
    assert gain.value == pytest.approx(0.13 - 0.11)
    needed = more_decisions(gain, np.arange(900), 1, 0.95)
    assert needed is not None
    assert needed > 3 * (more_decisions(replace(gain, basis=None), np.arange(900), 1, 0.95) or 0)
    told = sum(gain_of(*drawn(900 + needed)).low > 0.0 for _ in range(100))
    assert 66 <= told <= 92, "80 of 100, give or take three times their standard error"


def test_where_few_events_are_left_to_lose_more_decisions_are_needed() -> None:
    """.0125 against .02, shown once in ten: the longer side of the interval is the one that has to leave 0 out."""
    possible, rng = Possible(10.0, 10.0, 0.0, 1.0), np.random.default_rng(5)

    def gain_of(shown: Any, rewards: Any) -> Any:
        persons = np.arange(len(shown))
        served = mean(rewards, persons, possible=Possible(1.0, 1.0, 0.0, 1.0))
        return difference(snips(rewards, 10.0 * shown, persons, possible=possible), served, persons)

    def drawn(n: int) -> Any:
        shown = rng.integers(10, size=n) == 0
        return shown, (rng.random(n) < np.where(shown, 0.0125, 0.02)).astype(float)

    shown = np.arange(4_000) % 10 == 0
    rewards = np.zeros(4_000)
    rewards[np.flatnonzero(shown)[:5]] = rewards[np.flatnonzero(~shown)[:72]] = 1.0
    gain, persons = gain_of(shown, rewards), np.arange(4_000)
    needed, symmetric = (more_decisions(one, persons, 1, 0.95) for one in (gain, replace(gain, interval=NORMAL)))
    assert needed is not None
    assert symmetric is not None
    assert needed > 1.2 * symmetric
    told = sum(gain_of(*drawn(4_000 + needed)).high < 0.0 for _ in range(80))
    assert 53 <= told <= 75, "64 of 80, give or take three times their standard error"


def test_a_difference_that_is_shown_is_said_in_both_languages() -> None:
    log = log_of(9_000)
    english, spanish = (evaluate(log, ["fixed:b"], lang=lang) for lang in ("en", "es"))
    (one,) = (found for found in english.comparisons if found.policy == "fixed:b")
    assert one.relative is not None
    assert one.p_value < 0.001
    assert one.more_decisions is None
    shown = [f"{100 * share:.0f} %" for share in (one.relative.value, one.relative.low, one.relative.high)]
    assert one.sentence == (f"'fixed:b' earns {shown[0]} more than what was served (95 %: {shown[1]} to {shown[2]}).")
    (other,) = (found for found in spanish.comparisons if found.policy == "fixed:b")
    assert other.sentence.startswith(f"'fixed:b' gana un {shown[0]} más que lo que se mostró (95 %: de ")
    assert spanish.verdict.startswith("'fixed:b' es lo que más gana: 0,3")
    assert english.verdict.startswith("'fixed:b' earns most: 0.3")
    assert one.sentence in [said["sentence"] for said in english.to_dict()["comparisons"]]  # type: ignore[attr-defined]


def test_a_difference_that_is_not_shown_says_what_it_would_take() -> None:
    found = evaluate(log_of(600, rates={"a": 0.2, "b": 0.21, "c": 0.2}))
    one = next(one for one in found.comparisons if one.policy == "fixed:b")
    assert one.p_value > 0.05
    assert one.more_decisions is not None
    assert one.more_decisions > 600
    assert "This log can't tell 'fixed:b' from what was served (95 %: " in one.sentence
    assert f"about {LANGUAGES['en'].count(one.more_decisions)} more decisions would" in one.sentence


def test_of_many_that_do_not_differ_one_is_claimed_no_more_often_than_by_one_in_twenty() -> None:
    """200 logs in which all variants are alike; three comparisons each. Standard error .015."""
    claims = 0
    for seed in range(200):
        found = evaluate(log_of(400, seed=seed, rates=dict.fromkeys("abc", 0.2)), estimators=["snips"])
        claims += any(one.p_value < 0.05 for one in found.comparisons)
    assert claims / 200 < 0.095


@pytest.mark.parametrize(
    ("value", "en", "es"), [(0.0834, "8.3 %", "8,3 %"), (0.123, "12 %", "12 %"), (-0.0012, "-0.12 %", "-0,12 %")]
)
def test_shares(value: float, en: str, es: str) -> None:
    assert [LANGUAGES[lang].share(value) for lang in ("en", "es")] == [en, es]


def test_counts() -> None:
    assert [LANGUAGES[lang].count(41_234) for lang in ("en", "es")] == ["41,000", "41.000"]


def test_another_language_is_refused() -> None:
    with pytest.raises(ValueError, match=r"language 'fr': expected one of \['en', 'es'\]"):
        evaluate(log_of(300), lang="fr")


def test_every_template_is_filled_alike_in_both_languages() -> None:
    def parts(text: str) -> set[str]:
        import string

        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    named: Callable[[Any], dict[str, set[str]]] = lambda one: {  # noqa: E731
        name: parts(getattr(one, name)) for name in one.__dataclass_fields__
    }
    assert named(LANGUAGES["en"]) == named(LANGUAGES["es"])

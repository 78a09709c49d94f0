"""10,000 decisions and their rewards through the real server."""

import json
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing

import numpy as np
import pytest
from scipy.stats import chi2

from elige.client import Decision, RewardAnswer
from tests.system.running import Server, eventually

N = 10_000
CAMPAIGN = """
campaign: hero
metrics: {click: once}
reward: {window: 4s}
context: {country: text, orders: number}
slots:
  headline:
    default: a
    variants: [{id: a}, {id: b}, {id: c}]
  cta:
    default: x
    policy: "weighted:x=1,y=3"
    variants: [{id: x}, {id: y}]
"""


@pytest.mark.slow
def test_ten_thousand_decisions_and_their_rewards(serve: Callable[..., Server], database: str) -> None:
    server = serve()
    rng = np.random.default_rng(5)
    decisions: list[Decision] = []
    clicked: set[str] = set()
    with server.client(timeout=60.0) as elige:
        elige.put_campaign(CAMPAIGN)
        for turn in range(10):
            before = elige.get_campaign("hero").snapshot
            countries = rng.choice(["ES", "PT", "MX"], size=N // 10).tolist()
            answers = elige.decide_many(
                {
                    "campaign": "hero",
                    "context": {"country": country, "orders": float(i % 7)},
                    "want_probabilities": True,
                }
                for i, country in enumerate(countries)
            )
            made = [answer for answer in answers if isinstance(answer, Decision)]
            assert len(made) == N // 10, answers[0]
            liked = {"ES": "a", "PT": "b", "MX": "c"}
            clicks = [
                decision.id
                for decision, country in zip(made, countries, strict=True)
                if rng.random() < (0.6 if decision["headline"].variant == liked[country] else 0.2)
            ]
            told = elige.reward_many({"decision_id": one, "metric": "click", "key": one} for one in clicks)
            became = [answer.status for answer in told if isinstance(answer, RewardAnswer)]
            # late, where the machine takes longer than the window over a batch
            assert len(became) == len(clicks)
            assert set(became) <= {"accepted", "late"}
            decisions += made
            clicked |= {one for one, status in zip(clicks, became, strict=True) if status == "accepted"}
            if turn < 3:  # while the first windows are open; from then on one closes with every turn
                time.sleep(1.0)
            else:
                eventually(lambda before=before: elige.get_campaign("hero").snapshot != before)  # type: ignore[misc]

        # every acknowledged decision and outcome is in the log, and what is there is what was answered
        eventually(lambda: _count(database, "rewards") == N)
        logged = _choices(database)
        assert len(logged) == 2 * N
        for decision in decisions:
            for slot, choice in decision.choices.items():
                eligible, probabilities, variant, propensity = logged[decision.id, slot]
                assert dict(zip(eligible, probabilities, strict=True)) == choice.probabilities
                assert (variant, propensity) == (choice.variant, choice.propensity)
                assert abs(sum(probabilities) - 1.0) < 1e-9
        assert _rewarded(database) == clicked

        # it learned, in several steps, and explain agrees for decisions of every snapshot
        by_snapshot = defaultdict(list)
        for decision in decisions:
            by_snapshot[decision.snapshot].append(decision.id)
        assert len(by_snapshot) > 5
        for ids in by_snapshot.values():
            for one in rng.choice(ids, size=min(20, len(ids)), replace=False):
                assert elige.explain(str(one)).agrees

    _frequencies_agree(decisions)
    late = decisions[-1000:]
    best = np.mean([max(one["headline"].probabilities.values()) for one in late])
    assert best > 0.5  # by now the policy is far from uniform, so that the frequencies meant something


def _frequencies_agree(decisions: list[Decision]) -> None:
    """Chi-square of what was drawn against the logged probabilities, whose sums are exact expectations."""
    for slot in ("headline", "cta"):
        variants = sorted(decisions[0][slot].probabilities)
        p = np.array([[one[slot].probabilities[variant] for variant in variants] for one in decisions])
        drawn = np.array([[one[slot].variant == variant for variant in variants] for one in decisions])
        gap = (drawn - p).sum(axis=0)[:-1]
        # of sums of independent, differently distributed draws: z' Σ⁻¹ z is chi-square with k − 1 degrees of freedom
        covariance = np.diag(p.sum(axis=0))[:-1, :-1] - (p.T @ p)[:-1, :-1]
        statistic = float(gap @ np.linalg.solve(covariance, gap))
        assert chi2.sf(statistic, len(variants) - 1) > 1e-4, slot


def _count(database: str, table: str) -> int:
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as connection:
        return int(connection.execute(f"select count(*) from {table}").fetchone()[0])


def _choices(database: str) -> dict[tuple[str, str], tuple[list[str], list[float], str, float]]:
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as connection:
        rows = connection.execute("select decision_id, slot, eligible, probabilities, variant, propensity from choices")
        return {(row[0], row[1]): (json.loads(row[2]), json.loads(row[3]), row[4], row[5]) for row in rows}


def _rewarded(database: str) -> set[str]:
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as connection:
        return {row[0] for row in connection.execute("select decision_id from rewards where reward = 1.0")}

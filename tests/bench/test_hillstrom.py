"""Policies trained on one half and judged on the other."""

from collections.abc import Iterator

import numpy as np
import pytest

from bench import hillstrom
from bench.hillstrom import FIXED, VARIANTS, Judged, Measured, judge, log_of, mean, measure, split
from bench.real_data import NoData, real_data

N = 2_000


def customers() -> list[hillstrom.Row]:
    """Those who bought men's wear visit after the e-mail with men's wear, the others after that with women's."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(N):
        mens, segment = int(rng.integers(2)), str(rng.choice([action.id for action in VARIANTS]))
        visit = int(segment == ("Mens E-Mail" if mens else "Womens E-Mail") and rng.random() < 0.8)
        rows.append(
            {
                "recency": "3",
                "history": f"{i}.5",
                "mens": str(mens),
                "womens": str(1 - mens),
                "newbie": "0",
                "zip_code": "Urban",
                "channel": "Web",
                "segment": segment,
                "visit": str(visit),
                "spend": str(visit * 20.0),
            }
        )
    return rows


@pytest.fixture
def invented(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    rows = customers()
    monkeypatch.setattr(hillstrom, "_rows", lambda: rows)
    split.cache_clear()
    yield
    split.cache_clear()


@pytest.mark.usefixtures("invented")
def test_every_customer_is_in_one_half_and_another_seed_deals_again() -> None:
    one, other = split("visit", 0), split("visit", 1)
    learned, judged = ({context["history"] for context in log.contexts} for log in (one.trained, one.judged))
    assert len(learned) == len(judged) == N // 2
    assert not learned & judged
    assert learned != {context["history"] for context in other.trained.contexts}


@pytest.mark.usefixtures("invented")
@pytest.mark.parametrize(("reward", "earns"), [("visit", 0.8), ("spend", 16.0)])
def test_a_policy_is_trained_then_compared_with_each_variant_alone(reward: str, earns: float) -> None:
    learned = judge(reward, 0, "linear")
    assert learned.earned.value == pytest.approx(earns, rel=0.1)
    assert all(gain.value - gain.half > 0.3 * earns for gain in learned.gains)
    # nobody visits without an e-mail, so that all that was earned is a gain
    assert learned.gains[0].value == pytest.approx(learned.earned.value, rel=0.01)
    alone = judge(reward, 0, FIXED[1])
    assert alone.gains[1] == Measured(0.0, 0.0)
    assert alone.earned.value == pytest.approx(earns / 2, rel=0.2)


def test_the_half_width_over_splits_is_theirs_on_average() -> None:
    assert mean([Measured(1.0, 0.4), Measured(2.0, 0.6)]) == Measured(1.5, 0.5)


def test_rows_are_compared_with_the_best_variant_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    earned = {FIXED[0]: 0.1, FIXED[1]: 0.3, FIXED[2]: 0.2, "linear": 0.25}

    def judged(reward: str, seed: int, policy: str) -> Judged:
        gains = tuple(Measured(earned[policy] - earned[fixed], 0.01) for fixed in FIXED)
        return Judged(Measured(earned[policy], 0.02), gains)

    monkeypatch.setattr(hillstrom, "judge", judged)
    monkeypatch.setattr(hillstrom, "spread", lambda task, cells: [task(*cell) for cell in cells])
    monkeypatch.setattr(hillstrom, "real_data", lambda path: path)
    figures = measure(["linear"], 2)
    assert figures.header == ("policy", "visit", f"less {FIXED[1]}", "spend", f"less {FIXED[1]}")
    assert [row[0] for row in figures.rows] == [*FIXED, "linear"]
    assert figures.rows[-1][1:3] == ("0.2500 ± 0.0200", "-0.0500 ± 0.0100")
    assert figures.rows[1][2] == "+0.0000 ± 0.0100"


def test_the_real_campaign_gives_the_values_that_others_found() -> None:
    try:
        real_data(hillstrom.FILE)
    except NoData as absent:
        pytest.skip(str(absent))
    split.cache_clear()
    for policy, value in {"uniform": 0.1461, FIXED[0]: 0.1061, FIXED[1]: 0.1815, FIXED[2]: 0.1506}.items():
        found = judge("visit", 0, policy).earned
        assert abs(found.value - value) < found.half < 0.008
    log = log_of(hillstrom._rows()[:100], "spend")
    assert log.contexts[0]["channel"] == "Phone"
    assert log.contexts[0]["mens"] is True
    assert "history_segment" not in log.contexts[0]
    split.cache_clear()

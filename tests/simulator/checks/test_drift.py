from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from simulator import Log, Severity
from simulator.checks.drift import context_drift, moved, reward_drift
from simulator.checks.wording import Voice
from simulator.logs.contexts import Contexts

MakeLog = Callable[..., Log]
LATE = np.arange(2000) >= 1000


def with_contexts(log: Log, rows: list[dict[str, object]]) -> Log:
    return replace(log, contexts=Contexts.of(rows))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "of",
    [
        lambda late, luck: {"x": "ES" if luck < (0.7 if late else 0.5) else "PT"},
        lambda late, luck: {"x": luck + 0.2 * late},
        lambda late, luck: {"x": luck < (0.7 if late else 0.5)},
        lambda late, luck: {} if late and luck < 0.2 else {"x": 1.0},
        lambda late, luck: {"x": ("new",) if late and luck < 0.2 else ("old", "new")},
    ],
    ids=["text", "number", "flag", "missing", "texts"],
)
def test_contexts_that_move_are_named(sound: MakeLog, of: Callable[[bool, float], dict[str, object]]) -> None:
    luck = np.random.default_rng(3).random(2000)
    rows = [{**of(late, one), "same": "ab"[row % 2]} for row, (late, one) in enumerate(zip(LATE, luck, strict=True))]
    found = context_drift(with_contexts(sound(), rows), Voice())
    assert found is not None
    assert found.severity is Severity.AMBER
    assert "'x' is not what it was" in found.says
    assert found.numbers["psi"] > 0.1


def test_the_stability_index_is_the_textbook_s(sound: MakeLog) -> None:
    rows = [{"x": "a" if row % 1000 < (300 if late else 500) else "b"} for row, late in enumerate(LATE)]
    (found,) = moved(with_contexts(sound(), rows))
    textbook = (0.3 - 0.5) * np.log(0.3 / 0.5) + (0.7 - 0.5) * np.log(0.7 / 0.5)
    assert found.psi == pytest.approx(textbook - 2 / 1000, abs=1e-3), "less what chance makes of it"
    assert found.p_value < 1e-12


def test_neither_a_sure_trifle_nor_a_large_accident_is_drift(sound: MakeLog) -> None:
    n = 40_000
    half = np.arange(n) >= n // 2
    trifle = [{"x": "a" if row % 1000 < (550 if late else 500) else "b"} for row, late in enumerate(half)]
    log = sound("uniform", n=n)
    (found,) = moved(with_contexts(log, trifle))
    assert found.p_value < 1e-12
    few = context_drift(with_contexts(log, trifle), Voice())
    assert few is not None
    assert few.severity is Severity.GREEN
    accident = [{"x": "a" if row % 60 < (36 if row >= 60 else 24) else "b"} for row in range(120)]
    (found,) = moved(with_contexts(sound("uniform", n=120), accident))
    assert found.psi > 0.1
    assert found.p_value > 1e-3


def test_a_few_persons_who_come_often_are_no_drift(sound: MakeLog) -> None:
    """Ten persons of one kind make most of the second half's visits: ten accidents, not a thousand."""
    persons = np.where(LATE, 5000 + np.arange(2000) % 10, np.arange(2000))
    kind = np.random.default_rng(0).integers(2, size=6000)
    kind[5000:5010] = [1, 1, 1, 1, 1, 1, 1, 1, 0, 0]
    log = with_contexts(sound("uniform", persons=persons), [{"x": "ab"[kind[one]]} for one in persons])
    (found,) = moved(log)
    assert found.p_value > 1e-3
    (blind,) = moved(replace(log, persons=np.arange(2000)))
    assert blind.p_value < 1e-12


@pytest.mark.parametrize(("persons", "told"), [(19, False), (20, True)])
def test_a_handful_of_persons_can_not_tell_whether_contexts_move(sound: MakeLog, persons: int, told: bool) -> None:
    """Where everybody has one value, who comes when is all that there is to see: of two, any change looks sure."""
    person = np.arange(1900 if persons == 19 else 2000) % persons
    log = sound("uniform", n=person.size, persons=person)
    assert (context_drift(with_contexts(log, [{"x": "ab"[one % 2]} for one in person]), Voice()) is not None) == told
    often = np.where(np.arange(person.size) % 2, 5000, person)
    assert moved(with_contexts(replace(log, persons=often), [{"x": "ab"[one % 2]} for one in often])) == []


def test_contexts_without_keys_and_short_logs_are_not_looked_at(sound: MakeLog) -> None:
    assert context_drift(with_contexts(sound(), [{}] * 2000), Voice()) is None
    assert context_drift(sound("uniform", n=90), Voice()) is None
    assert reward_drift(sound("uniform", n=90), Voice()) is None


def test_what_an_earlier_slot_chose_is_not_who_comes(sound: MakeLog) -> None:
    log = with_contexts(sound(), [{"slot.cta": "b" if late else "a"} for late in LATE])
    assert context_drift(log, Voice()) is None


def test_few_rewards_tell_no_drift(sound: MakeLog) -> None:
    rewards = np.zeros(2000)
    rewards[1000:1030] = 1.0
    assert reward_drift(sound("uniform", rewards=rewards), Voice()) is None


def test_rewards_that_stop_are_drift(sound: MakeLog) -> None:
    """Nothing in a whole half, where there was enough in the other: the counting of clicks has probably broken."""
    rewards = np.zeros(2000)
    rewards[100:200] = 1.0
    found = reward_drift(sound("uniform", rewards=rewards), Voice())
    assert found is not None
    assert found.severity is Severity.AMBER


def test_rewards_that_change_are_drift(sound: MakeLog) -> None:
    rewards = (np.random.default_rng(0).random(2000) < np.where(LATE, 0.3, 0.1)).astype(float)
    found = reward_drift(sound(rewards=rewards), Voice())
    assert found is not None
    assert found.severity is Severity.AMBER
    assert found.numbers["first"] == pytest.approx(0.1, abs=0.03)
    assert found.numbers["second"] == pytest.approx(0.3, abs=0.05)


def test_a_policy_that_gets_better_is_no_drift(sound: MakeLog) -> None:
    """`a` always earns more; it is shown ever more often, so that more is earned, by the same choices the same."""
    rng = np.random.default_rng(1)
    share = np.where(LATE, 0.85, 0.25)
    pmf = np.stack([share, *[(1 - share) / 3] * 3], axis=1)
    chosen = np.minimum((rng.random(2000)[:, None] > pmf.cumsum(axis=1)).sum(axis=1), 3)
    rewards = (rng.random(2000) < np.where(chosen == 0, 0.4, 0.1)).astype(float)
    columns = {"probabilities": pmf, "propensities": pmf[np.arange(2000), chosen], "chosen": chosen}
    assert rewards[LATE].mean() > 1.5 * rewards[~LATE].mean()
    found = reward_drift(sound("uniform", rewards=rewards, **columns), Voice())
    assert found is not None
    assert found.severity is Severity.GREEN

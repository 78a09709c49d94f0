"""Progressive loss: taken before learning, weighted by what the policy would have done, and never in the way."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest

from policies.entries import Entry
from policies.registry import MENU
from policies.types import Action, Features, Pmf, RewardRange, TrainingExample
from server.records import SlotState, Snapshot
from server.store import training as training_rows
from server.store.database import Database
from server.training import losses as module
from server.training import trainer as trainer_module
from server.training.losses import MOST, Losses, added, measure
from server.training.retrain import retrain
from server.training.trainer import Progress


class Counting:
    """A learner whose share for its favourite, the first variant, grows with what it has learned: n / (n + 100)."""

    arguments = "--counting"
    asked: ClassVar[list[int]] = []

    def __init__(self, state: bytes | None) -> None:
        self.learned = int(state or 0)

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        Counting.asked.append(self.learned)
        first = self.learned / (self.learned + 100)
        return np.array([first, *[(1.0 - first) / (len(actions) - 1)] * (len(actions) - 1)])

    def learn(self, examples: Iterable[TrainingExample]) -> None:
        self.learned += len(list(examples))

    def dump(self) -> bytes:
        return str(self.learned).encode()


@pytest.fixture
def counting(hero: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The text of a campaign with one slot and that learner; rewards from 0 to 3."""
    monkeypatch.setitem(MENU, "counting", Entry("counts", lambda given: Counting(given.state), learns=True))
    monkeypatch.setattr(Counting, "asked", [])
    return hero[: hero.index("  cta:")].replace("context:", "policy: counting\ncontext:")


def snapshots(database: Database) -> list[Snapshot]:
    """Oldest first."""
    with database.reading() as connection:
        return training_rows.list_snapshots(connection, "hero", before=None, limit=99)[::-1]


def test_the_sums_are_those_of_the_formula_over_the_whole_lineage(
    put: Any, counting: str, log: Any, clock: Any, new_trainer: Any, database: Database
) -> None:
    put(counting)
    trainer = new_trainer()
    expected = [0.0, 0.0]
    for learned in (0, 20):
        made = log.visits(20)
        trainer.step(clock.move(hours=1))
        with database.reading() as connection:
            rewards = {row.decision.id: row.reward for row in training_rows_of(connection, after=learned)}
        for decision in made:
            (choice,) = decision.choices
            first = learned / (learned + 100)
            share = first if choice.variant == choice.eligible[0] else (1.0 - first) / 2
            weight = min(share / choice.propensity, MOST)
            expected[0] += weight * (3.0 - rewards[decision.id]) / 3.0
            expected[1] += weight
    newest = snapshots(database)[-1].slots[0]
    assert (newest.loss_sum, newest.loss_weight) == pytest.approx(expected)
    assert newest.progressive_loss == pytest.approx(expected[0] / expected[1])
    assert newest.examples == 40
    # asked before it learned, a copy, and once for each decision; what is asked later is not its own learner
    assert Counting.asked.count(0) >= 20
    assert retrain(database, "hero").agrees


def training_rows_of(connection: Any, *, after: int) -> Sequence[Any]:
    from server.store import decisions

    return decisions.matured(connection, "hero", after=after, limit=99)


def example(reward: float, *, propensity: float) -> TrainingExample:
    actions = (Action("a", {}), Action("b", {}))
    return TrainingExample({}, actions, np.array([propensity, 1.0 - propensity]), 0, reward)


@pytest.mark.parametrize(
    ("reward", "propensity", "weight", "loss"),
    [
        (3.0, 0.5, 1.0, 0.0),
        (0.0, 0.5, 1.0, 1.0),
        (1.5, 0.25, 2.0, 0.5),
        (9.0, 0.5, 1.0, 0.0),  # outside the range
        (-9.0, 0.5, 1.0, 1.0),
        (0.0, 0.001, MOST, 1.0),
    ],
)
def test_one_decision(reward: float, propensity: float, weight: float, loss: float) -> None:
    even = Counting(b"100")
    found = module._losses(even, [example(reward, propensity=propensity)], RewardRange(0.0, 3.0))
    assert (found.loss_sum, found.weight) == pytest.approx((weight * loss, weight))


def test_of_a_long_segment_some_are_asked_and_stand_for_all(
    put: Any, counting: str, log: Any, clock: Any, new_trainer: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(counting)
    monkeypatch.setattr(module, "ASKED", 10)
    seen: list[int] = []
    examples = module.training_examples
    monkeypatch.setattr(
        module, "training_examples", lambda row, *rest: seen.append(row.sequence) or examples(row, *rest)
    )
    log.visits(95)
    new_trainer().step(clock.move(hours=1))
    assert seen == [1, 10, 20, 29, 39, 48, 58, 67, 77, 86]
    (slot,) = snapshots(database)[0].slots
    assert slot.loss_weight is not None
    assert 95 * 0.5 < slot.loss_weight < 95 * 2


def test_bytes_are_those_that_come_out_without_it(
    put: Any, hero: str, log: Any, clock: Any, new_trainer: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(hero)
    log.visits(60)
    now = clock.move(hours=1)
    trainer = new_trainer()
    trainer.step(now)
    (measured,) = snapshots(database)
    assert all(slot.progressive_loss is not None for slot in measured.slots)
    with database.reading() as connection:
        rows = training_rows_of(connection, after=0)
    campaign = trainer._version("hero", 1)
    plain, _ = trainer_module.learn_segment(campaign, {}, rows, lambda version: campaign)
    assert [slot.digest for slot in plain] == [
        next(one.digest for one in measured.slots if one.slot == slot.slot) for slot in plain
    ]


def test_a_copy_that_fails_does_not_stop_the_training(
    put: Any, counting: str, log: Any, clock: Any, new_trainer: Any, database: Database, said: list[Any]
) -> None:
    put(counting)
    trainer = new_trainer()
    log.visits(10)
    trainer.step(clock.move(hours=1))
    log.visits(10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "build_policy", lambda *_: 1 / 0)
        assert trainer.step(clock.move(hours=1)) == Progress(10, 10)
    first, second = (one.slots[0] for one in snapshots(database))
    assert (second.loss_sum, second.loss_weight, second.examples) == (first.loss_sum, first.loss_weight, 20)
    (told,) = [entry for entry in said if entry["event"] == "loss not measured"]
    assert (told["slot"], told["reason"]) == ("headline", "ZeroDivisionError: division by zero")


def test_snapshots_of_before_it_was_measured_begin_at_zero(
    put: Any, counting: str, log: Any, clock: Any, new_trainer: Any, database: Database, sql: Callable[..., Any]
) -> None:
    put(counting)
    trainer = new_trainer()
    log.visits(10)
    trainer.step(clock.move(hours=1))
    sql("UPDATE snapshot_slots SET examples = NULL, loss_sum = NULL, loss_weight = NULL")
    assert snapshots(database)[0].slots[0].progressive_loss is None
    log.visits(4)
    trainer.step(clock.move(hours=1))
    newest = snapshots(database)[-1].slots[0]
    assert newest.examples == 4
    assert newest.progressive_loss is not None


def test_where_nothing_was_learned_there_is_no_loss() -> None:
    state = SlotState("s", "p", "a", "c", b"x", "d")
    assert added(state, None, None).progressive_loss is None
    more = added(state, replace(state, loss_sum=1.0, loss_weight=4.0), Losses(1.0, 1.0))
    assert more.progressive_loss == 0.4


def test_a_policy_that_does_not_learn_is_not_asked(put: Any, hero: str, new_trainer: Any) -> None:
    put(hero.replace("context:", "policy: uniform\ncontext:"))
    campaign = new_trainer()._version("hero", 1)
    assert measure(campaign, {}, (), lambda version: campaign) == {}

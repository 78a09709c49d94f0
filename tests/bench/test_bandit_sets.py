"""A pass over a set: every row once, decided before it is learned."""

import numpy as np

from bench.bandit_sets import one_pass
from policies.base import uniform
from policies.types import Action, Pmf
from simulator.worlds.classification import Problem

ROWS = 40
GIVEN = Problem(
    x=np.zeros((ROWS, 0)),
    contexts=({},) * ROWS,
    right=np.arange(ROWS) % 3,
    variants=(Action("a"), Action("b"), Action("c")),
)


def always(variant: int) -> Pmf:
    return np.array([float(i == variant) for i in range(3)])


def learn_nothing(row: int, pmf: Pmf, chosen: int, reward: float) -> None:
    pass


def test_only_the_right_variant_earns() -> None:
    assert one_pass(GIVEN, 0, lambda row: always(row % 3), learn_nothing) == 1.0
    assert one_pass(GIVEN, 0, lambda row: always((row + 1) % 3), learn_nothing) == 0.0


def test_each_row_is_learned_once_and_only_after_it_was_decided() -> None:
    told: list[tuple[str, int]] = []

    def pmf(row: int) -> Pmf:
        told.append(("decided", row))
        return uniform(3)

    def learn(row: int, probabilities: Pmf, chosen: int, reward: float) -> None:
        assert probabilities.tolist() == uniform(3).tolist()
        assert reward == float(chosen == row % 3)
        told.append(("learned", row))

    one_pass(GIVEN, 0, pmf, learn)
    assert [what for what, _ in told] == ["decided", "learned"] * ROWS
    assert [row for _, row in told[::2]] == [row for _, row in told[1::2]]
    assert sorted(row for _, row in told[::2]) == list(range(ROWS))


def test_order_and_draws_are_those_of_the_shuffle() -> None:
    def drawn(shuffle: int) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        one_pass(GIVEN, shuffle, lambda row: uniform(3), lambda row, pmf, chosen, reward: found.append((row, chosen)))
        return found

    assert drawn(4) == drawn(4)
    assert [row for row, _ in drawn(4)] != [row for row, _ in drawn(5)]
    assert len({chosen for _, chosen in drawn(4)}) == 3

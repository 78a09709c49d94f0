import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext

import numpy as np
import pytest

from policies.registry import PolicyError
from policies.types import Action, Features, Pmf
from simulator import Candidate, EvaluationError, Log, render, to_html, to_json
from simulator.grids import evaluate_grid, expand, expanded

MakeLog = Callable[..., Log]
GRID = "epsilon:epsilon=0.9|0.02"


class Even:
    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        return np.full(len(actions), 1 / len(actions))


def test_a_grid_is_all_combinations_in_order() -> None:
    assert [str(spec) for spec in expand("squarecb:gamma_scale=1|10,learning_rate=0.1|0.5")] == [
        "squarecb:gamma_scale=1,learning_rate=0.1",
        "squarecb:gamma_scale=1,learning_rate=0.5",
        "squarecb:gamma_scale=10,learning_rate=0.1",
        "squarecb:gamma_scale=10,learning_rate=0.5",
    ]
    assert [str(spec) for spec in expand("thompson")] == ["thompson"]
    assert [str(spec) for spec in expanded(["thompson", GRID, "epsilon:epsilon=0.02"])] == [
        "thompson",
        "epsilon:epsilon=0.9",
        "epsilon:epsilon=0.02",
    ], "each once"
    text = [str(spec) for spec in expand("squarecb:interactions=default|ignore")]
    assert text == ["squarecb:interactions=default", "squarecb:interactions=ignore"]


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        (
            "squarecb:gamma_scale=1",
            r"a grid of 1 combination: expected 2 to 200, as in squarecb:gamma_scale=1\|10\|100",
        ),
        ("squarecb:gamma_scale=1|x", "'x' is not"),
        ("squarecb:gamma_scale=1|", "'gamma_scale=' is not a parameter"),
        ("squarecb:gamma_scale", "'gamma_scale=' is not a parameter"),
        ("squarcb:gamma_scale=1|2", "did you mean 'squarecb'"),
        ("weighted:a=1|2", "'weighted' does not learn; expected policies that do"),
        (
            "squarecb:gamma_scale=" + "|".join(map(str, range(1, 16))) + ",bits=" + "|".join(map(str, range(10, 25))),
            "a grid of 225 combinations: expected 2 to 200",
        ),
    ],
)
def test_what_is_no_grid_is_said(grid: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        expanded([grid])


def test_the_winner_is_judged_on_rounds_that_chose_nothing(make_log: MakeLog) -> None:
    log = make_log(1600)
    found = evaluate_grid(log, [GRID], ["fixed:b"], estimators=["dr"])
    assert found.grid is not None
    assert found.trained is not None
    assert [row.name for row in found.grid.rows] == ["epsilon:epsilon=0.9", "epsilon:epsilon=0.02"]
    assert found.grid.chosen == "epsilon:epsilon=0.02"
    assert (found.trained.n, found.grid.period.n, found.period.n) == (800, 400, 400)
    assert found.trained.end < found.grid.period.start <= found.grid.period.end < found.period.start
    assert found.log.n == 1600
    names = [(row.name, row.role) for row in found.rows]
    assert ("epsilon:epsilon=0.02", "spec") in names
    assert "epsilon:epsilon=0.9" not in [name for name, _ in names], "it was not chosen, and is not judged again"
    assert [one.policy for one in found.grid.comparisons] == ["epsilon:epsilon=0.9", "epsilon:epsilon=0.02"]
    assert [one.policy for one in found.comparisons][:1] == ["epsilon:epsilon=0.02"]

    # what happened in the last part chooses nothing, and what happened there or where it was chosen trains nothing
    turned = np.r_[log.rewards[:1200], 1.0 - log.rewards[1200:]]
    again = evaluate_grid(make_log(1600, rewards=turned), [GRID], ["fixed:b"], estimators=["dr"])
    assert again.grid is not None
    assert again.grid.rows[0].estimates == found.grid.rows[0].estimates
    assert again.grid.chosen == found.grid.chosen
    worse = np.r_[log.rewards[:800], 1.0 - log.rewards[800:]]
    other = evaluate_grid(make_log(1600, rewards=worse), [GRID], estimators=["dr"])
    assert other.grid is not None
    assert other.grid.chosen == "epsilon:epsilon=0.9", "chosen by the middle, where the first part's lesson is wrong"


def test_other_learners_are_trained_on_the_same_part(make_log: MakeLog) -> None:
    found = evaluate_grid(make_log(1600), [GRID], ["thompson"], estimators=["dr"])
    assert found.row("thompson").n == 400
    with pytest.raises(EvaluationError, match=r"'epsilon:epsilon=0\.02' is in the grid already"):
        evaluate_grid(make_log(1600), [GRID], ["epsilon:epsilon=0.02"], estimators=["dr"])


def test_what_learned_from_its_judges_is_refused(make_log: MakeLog) -> None:
    log = make_log(1600)
    early = Candidate("early", Even(), judged_after=float(log.times[1199]))
    late = Candidate("late", Even(), judged_after=float(log.times[1299]))
    found = evaluate_grid(log, [GRID], [early, late], estimators=["dr"])
    assert found.row("early").refusal is None
    assert found.row("early").n == 400
    assert found.row("late").refusal == (
        "it may have learned from 100 of the rounds that judge it, from 1970-01-01T20:00:00Z to 1970-01-01T21:39:00Z"
    )


def test_persons_on_both_sides_are_told(make_log: MakeLog) -> None:
    with_same = evaluate_grid(make_log(1600, persons=40), [GRID], estimators=["dr"])
    assert any("Of the 40 persons who judge, 40 were learned from as well" in note for note in with_same.notes)
    apart = evaluate_grid(make_log(1600), [GRID], estimators=["dr"])
    assert not any("learned from as well" in note for note in apart.notes)


class Counting:
    """An engine that says it has cores, and counts what it is given."""

    cores = 2

    def __init__(self) -> None:
        self.pieces = 0

    def map(self, task, pieces):  # type: ignore[no-untyped-def]
        for piece in pieces:
            self.pieces += 1
            yield task(piece)


def test_trained_elsewhere_they_are_the_same(make_log: MakeLog, monkeypatch: pytest.MonkeyPatch) -> None:
    here = evaluate_grid(make_log(1600), [GRID, "thompson"], estimators=["dr"])
    local = Counting()
    monkeypatch.setattr("simulator.grids.local_engine", lambda: nullcontext(local))
    evaluate_grid(make_log(1600), [GRID, "thompson"], estimators=["dr"])
    assert local.pieces == 0, "too little to learn for another process to be worth its start"
    monkeypatch.setattr("simulator.grids.LEAST_PARALLEL", 100)
    evaluate_grid(make_log(1600), [GRID, "thompson"], estimators=["dr"])
    assert local.pieces == 3
    asked = Counting()
    there = evaluate_grid(make_log(1600), [GRID, "thompson"], estimators=["dr"], engine=asked)
    assert asked.pieces == 3
    assert there.grid == here.grid
    assert there.rows == here.rows


def test_a_grid_that_the_log_can_not_judge_says_so(make_log: MakeLog) -> None:
    with pytest.raises(EvaluationError, match="none of the 2 combinations of the grid could be judged where"):
        evaluate_grid(make_log(160), [GRID], estimators=["dr"])


def test_a_grid_is_shown(make_log: MakeLog) -> None:
    from rich.console import Console

    found = evaluate_grid(make_log(1600), [GRID], estimators=["dr"])
    console = Console(width=160)
    with console.capture() as captured:
        console.print(render(found))
    assert "the grid, on the rounds that chose 'epsilon:epsilon=0.02'" in captured.get()
    assert captured.get().count("epsilon:epsilon=0.9") >= 2
    assert "the grid, on the rounds that chose" in to_html(found)
    document = json.loads(to_json(found))["grid"]
    assert document["chosen"] == "epsilon:epsilon=0.02"
    assert [row["name"] for row in document["rows"]] == ["epsilon:epsilon=0.9", "epsilon:epsilon=0.02"]
    assert all(one["p_value"] <= 1.0 for one in document["comparisons"])

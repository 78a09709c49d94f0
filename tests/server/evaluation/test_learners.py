from dataclasses import replace
from datetime import timedelta

import pytest

from policies.registry import PolicyError
from server.errors import InvalidRequest
from server.evaluation.grids import check_one_slot
from server.evaluation.learners import check_learning, learn_every, replaying
from server.evaluation.request import EvaluationRequest
from server.evaluation.run import run
from server.evaluation.worlds import Simulated


@pytest.mark.parametrize(
    ("text", "every"), [("100", 100), ("1", 1), ("1h", timedelta(hours=1)), ("PT1M", timedelta(minutes=1))]
)
def test_learning_is_after_so_many_decisions_or_so_much_time(text: str, every: int | timedelta) -> None:
    assert learn_every(text) == every


@pytest.mark.parametrize("text", ["0", "-1", "often", "0s", "1.5", ""])
def test_when_to_learn_has_to_be_said(text: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"learn every '{text}': expected a number of decisions"):
        learn_every(text)


def test_a_reward_is_known_when_its_window_has_closed() -> None:
    assert replaying("dr", "5", timedelta(minutes=30)).delay == 1800.0
    with pytest.raises(InvalidRequest, match="replay 'magic': expected one of auto, rejection, dr, progressive"):
        replaying("magic", "5", timedelta(0))


def test_what_can_be_asked_of_no_log_is_refused_before_it_is_read() -> None:
    with pytest.raises(InvalidRequest, match="replay 'magic'"):
        EvaluationRequest(campaign="a", replay="magic")
    with pytest.raises(InvalidRequest, match="learn every 'x'"):
        EvaluationRequest(campaign="a", replay="auto", learn_every="x")
    with pytest.raises(PolicyError, match="a grid of 1 combination"):
        EvaluationRequest(campaign="a", grid=("thompson",))
    with pytest.raises(InvalidRequest, match="a grid is trained first, and a replay is not: ask for one of the two"):
        check_learning("auto", "100", ("squarecb:gamma_scale=1|2",))


def test_a_document_gives_an_equal_request_back() -> None:
    for asked in (
        EvaluationRequest(campaign="a", policies=("squarecb",), replay="dr", learn_every="1h"),
        EvaluationRequest(campaign="a", grid=("squarecb:gamma_scale=1|2", "thompson")),
    ):
        assert EvaluationRequest.from_document(asked.document()) == asked


def test_a_log_is_replayed_with_the_window_of_its_source() -> None:
    asked = EvaluationRequest("delayed", policies=("thompson",), estimators=("snips",), replay="auto", learn_every="50")
    at_once = replace(asked, campaign="rare")
    (late,), (soon,) = (run(Simulated(1_500), one).replays for one in (asked, at_once))
    assert soon.used - soon.learned < 100, "nothing waits there but for its batch"
    assert late.used - late.learned > 150, "two weeks of decisions are not known yet when the log ends"
    assert (soon.policy, soon.every) == ("thompson", "50 of them")


def test_a_grid_of_a_log() -> None:
    asked = EvaluationRequest("rare", grid=("softmax:lambda=1|2",), estimators=("snips",), force=True)
    found = run(Simulated(1_500), asked)
    assert found.grid is not None
    assert [row.name for row in found.grid.rows] == ["softmax:lambda=1", "softmax:lambda=2"]
    assert found.row(found.grid.chosen).role == "spec"
    assert found.log.n == 1_500
    with pytest.raises(InvalidRequest, match="a grid is chosen by the reward"):
        replace(asked, metrics=("click",))


def test_both_are_of_one_slot() -> None:
    check_one_slot(EvaluationRequest("a", policies=("thompson",)), ("headline", "cta"))
    for asked, what in (
        (EvaluationRequest("a", replay="auto"), "a replay"),
        (EvaluationRequest("a", grid=("softmax:lambda=1|2",)), "a grid"),
    ):
        with pytest.raises(InvalidRequest, match=f"{what} is of one slot; expected one of headline, cta as the slot"):
            check_one_slot(asked, ("headline", "cta"))

import json
from dataclasses import fields
from datetime import UTC, datetime

import pytest

from policies.registry import PolicyError
from server.errors import InvalidRequest
from server.evaluation.request import EvaluationRequest
from server.reward_anew import OtherReward
from simulator import USUAL


def test_a_document_gives_an_equal_request_back() -> None:
    asked = EvaluationRequest(
        campaign="héroe",
        since=datetime(2026, 1, 2, tzinfo=UTC),
        policies=("squarecb", "snapshot:3"),
        reward=OtherReward("5 * click", (0.0, 5.0)),
        estimators=("dr", "mips:tone"),
        interval="bootstrap",
        model="vw",
        confidence=0.9,
        force=True,
    )
    document = json.loads(json.dumps(asked.document()))
    assert EvaluationRequest.from_document(document) == asked


def test_a_document_holds_what_was_not_said_too() -> None:
    document = EvaluationRequest(campaign="a").document()
    assert document.keys() == {field.name for field in fields(EvaluationRequest)}
    assert (document["interval"], document["estimators"], document["every"]) == ("skewed", [*USUAL], None)
    assert EvaluationRequest.from_document(document) == EvaluationRequest(campaign="a")


def test_a_document_of_an_older_version_is_read() -> None:
    assert EvaluationRequest.from_document({"campaign": "a", "by": ["country"]}) == EvaluationRequest(
        campaign="a", by=("country",)
    )


def test_what_a_newer_version_asked_is_not_taken_for_something_else() -> None:
    with pytest.raises(InvalidRequest, match=r"\['weather'\], which this version does not know"):
        EvaluationRequest.from_document({"campaign": "a", "weather": "fair"})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lang": "fr"}, "language 'fr': expected one of en, es"),
        ({"estimators": ("magic",)}, "estimator 'magic': expected one of ips"),
        ({"interval": "exact"}, "interval 'exact': expected one of skewed, normal"),
        ({"interval": "anytime", "estimators": ("dr",)}, "estimator 'dr' has no anytime interval"),
        ({"model": "trees"}, "model 'trees': expected one of linear, vw, none"),
        ({"model": "none", "estimators": ("dm",)}, "estimator 'dm' needs a model of the rewards"),
        ({"train_share": 1.0}, "train_share 1.0: expected a number between 0 and 1"),
        ({"confidence": 95.0}, "confidence 95.0: expected a number from 0.001 to 0.999999, such as 0.95"),
        ({"confidence": 5e-324}, "confidence 5e-324: expected a number from 0.001"),
        ({"confidence": 1.0 - 2.0**-53}, "expected a number from 0.001 to 0.999999"),
        (
            {"since": datetime(2026, 1, 3, tzinfo=UTC), "until": datetime(2026, 1, 2, tzinfo=UTC)},
            r"since 2026-01-03T00:00:00\+00:00 is not before until 2026-01-02",
        ),
    ],
)
def test_what_can_be_asked_of_no_log_is_refused_before_it_is_read(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        EvaluationRequest(campaign="a", **wrong)  # type: ignore[arg-type]


def test_a_policy_that_is_none_is_refused_before_the_log_is_read() -> None:
    with pytest.raises(PolicyError, match="no policy 'magic'"):
        EvaluationRequest(campaign="a", policies=("magic",))

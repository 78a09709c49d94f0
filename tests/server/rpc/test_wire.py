"""Between messages and records: nothing is lost, nothing is invented, limits are kept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from elige.client.values import fill
from elige.v1 import common_pb2, decisions_pb2, log_pb2
from server import errors
from server.errors import EligeError, InvalidRequest, NotSupportedYet
from server.records import (
    Activated,
    ActivationStatus,
    Choice,
    Decision,
    Excluded,
    Group,
    Kind,
    Matured,
    OutcomeStatus,
    Reason,
    Recorded,
    Refusal,
    State,
)
from server.rpc import wire

AT = datetime(2026, 3, 1, 12, 0, 0, 123457, tzinfo=UTC)
DRAWN = Choice(
    slot="headline",
    variant="price",
    content={"text": "Desde 9 €"},
    propensity=0.25,
    kind=Kind.POLICY,
    reason=Reason.DRAWN,
    policy="squarecb",
    explore=0.02,
    eligible=("hours", "price"),
    probabilities=(0.75, 0.25),
    refusals=(Refusal("headline", "trust", "excluded"),),
)
DEFAULT = replace(
    DRAWN,
    slot="cta",
    variant="try",
    kind=Kind.FALLBACK,
    reason=Reason.NOTHING_ELIGIBLE,
    propensity=1.0,
    eligible=(),
    probabilities=(),
    refusals=(),
)


def decision(*choices: Choice, **changes: Any) -> Decision:
    made = Decision(
        id="d",
        campaign="hero",
        version=3,
        at=AT,
        person=None,
        context={},
        ignored_context=("a", "b"),
        labels={},
        time_zone=None,
        group=Group.POLICY,
        snapshot=7,
        window_closes_at=AT + timedelta(minutes=30),
        choices=choices or (DRAWN,),
    )
    return replace(made, **changes)


def decide_request(**given: Any) -> decisions_pb2.DecideRequest:
    message = decisions_pb2.DecideRequest(campaign="hero")
    for name, value in given.items():
        if name in ("context", "labels"):
            fill(getattr(message, name), value, name=name)
        else:
            setattr(message, name, value)
    return message


@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            st.text() | st.floats(allow_nan=False) | st.booleans() | st.none(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
            max_leaves=8,
        ),
        max_size=5,
    )
)
def test_labels_come_as_they_were_sent(labels: dict[str, Any]) -> None:
    assert wire.read_decide(decide_request(labels=labels)).labels == labels


def test_what_is_empty_was_not_given() -> None:
    request = wire.read_decide(decide_request(person="", time_zone="", request_id=""))
    assert (request.person, request.time_zone, request.request_id) == (None, None, None)
    reward = wire.read_reward(decisions_pb2.RewardRequest(decision_id="d", slot="", metric="", key=""))
    assert (reward.slot, reward.metric, reward.key, reward.value, reward.at) == (None, None, None, None, None)
    assert wire.read_reward(decisions_pb2.RewardRequest(decision_id="d", value=0.0)).value == 0.0


@pytest.mark.parametrize(
    ("message", "error", "text"),
    [
        (decisions_pb2.DecideRequest(), InvalidRequest, "campaign: missing"),
        (
            decisions_pb2.DecideRequest(campaign="hero", activation_ttl={"seconds": 9}),
            InvalidRequest,
            "activation_ttl: only with defer_activation",
        ),
        (
            decisions_pb2.DecideRequest(campaign="hero", defer_activation=True, activation_ttl={"seconds": 10**14}),
            InvalidRequest,
            "activation_ttl: 100000000000000 s is too long",
        ),
        (decisions_pb2.DecideRequest(campaign="hero", send_deadline=Timestamp()), NotSupportedYet, "send_deadline"),
    ],
)
def test_what_can_not_be_decided(message: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        wire.read_decide(message)


@pytest.mark.parametrize(
    ("message", "error", "text"),
    [
        (decisions_pb2.RewardRequest(), InvalidRequest, "decision_id: missing"),
        (decisions_pb2.RewardRequest(campaign="hero"), InvalidRequest, "person: missing"),
        (decisions_pb2.RewardRequest(person="p"), InvalidRequest, "campaign: missing"),
        (decisions_pb2.RewardRequest(decision_id="d", person="p"), InvalidRequest, "either one or the other"),
        (decisions_pb2.RewardRequest(decision_id="d", campaign="hero"), InvalidRequest, "either one or the other"),
        (
            decisions_pb2.RewardRequest(decision_id="d", at={"seconds": 10**15}),
            InvalidRequest,
            "1000000000000000 s is no time of this calendar",
        ),
        (decisions_pb2.RewardRequest(decision_id="d", at={"seconds": -(2**63)}), InvalidRequest, "no time of this cal"),
        (decisions_pb2.RewardRequest(decision_id="d", at={"nanos": -1}), InvalidRequest, "no time of this calendar"),
        (decisions_pb2.RewardRequest(decision_id="d", at={"nanos": 2**31 - 1}), InvalidRequest, "no time of this cal"),
    ],
)
def test_what_can_not_be_credited(message: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        wire.read_reward(message)


@pytest.mark.parametrize("field", ["context", "labels", "content", "features"])
def test_structs_have_their_limit(field: str) -> None:
    def message(size: int) -> decisions_pb2.DecideRequest:
        value = {"x": "y" * size}
        if field in ("context", "labels"):
            return decide_request(**{field: value})
        made = decide_request()
        fill(getattr(made.slot_options["s"].candidates.add(id="a"), field), value, name=field)
        return made

    wire.read_decide(message(wire.MAX_STRUCT - 100))
    with pytest.raises(InvalidRequest, match=f"{field}.* bytes: expected at most 262144"):
        wire.read_decide(message(wire.MAX_STRUCT))


def test_a_decision() -> None:
    message = wire.write_decision(decision(), probabilities=True, refusals=True)
    assert (message.decision_id, message.version, message.snapshot) == ("d", 3, "7")
    assert message.ignored_context == ["a", "b"]
    assert message.window_closes_at.ToDatetime(tzinfo=UTC) == AT + timedelta(minutes=30)
    (choice,) = message.choices
    assert dict(choice.content) == {"text": "Desde 9 €"}
    assert [(one.variant, one.probability) for one in choice.probabilities] == [("hours", 0.75), ("price", 0.25)]
    assert [(one.slot, one.variant, one.reason) for one in message.refusals] == [
        ("headline", "trust", decisions_pb2.REFUSAL_REASON_EXCLUDED)
    ]
    brief = wire.write_decision(decision())
    assert not brief.refusals
    assert not brief.choices[0].probabilities


def test_reason_and_kind_are_of_the_same_slot() -> None:
    message = wire.write_decision(decision(DRAWN, DEFAULT))
    assert message.reason == decisions_pb2.REASON_NOTHING_ELIGIBLE
    assert message.kind == decisions_pb2.DECISION_KIND_FALLBACK
    assert [one.kind for one in message.choices] == [
        decisions_pb2.DECISION_KIND_DRAWN,
        decisions_pb2.DECISION_KIND_FALLBACK,
    ]
    assert [one.policy for one in message.choices] == ["squarecb", ""]
    repeated = wire.write_decision(decision(DRAWN, DEFAULT), repeated=True)
    assert repeated.kind == decisions_pb2.DECISION_KIND_REPEATED
    assert repeated.choices[0].kind == decisions_pb2.DECISION_KIND_DRAWN


def test_what_is_not_stored_has_neither_id_nor_window() -> None:
    opted_out = replace(DEFAULT, reason=Reason.OPTED_OUT)
    message = wire.write_decision(decision(opted_out, id="", snapshot=None))
    assert (message.decision_id, message.snapshot) == ("", "")
    assert not message.HasField("window_closes_at")
    assert message.kind == decisions_pb2.DECISION_KIND_OPTED_OUT


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("kind", Kind)
def test_every_reason_and_kind_has_its_word_in_the_contract(reason: Reason, kind: Kind) -> None:
    message = wire.write_decision(decision(replace(DRAWN, reason=reason, kind=kind)))
    assert message.reason
    assert message.kind


@pytest.mark.parametrize("status", OutcomeStatus)
def test_every_status_has_its_word_in_the_contract(status: OutcomeStatus) -> None:
    message = wire.write_recorded(Recorded(status, None), "d")
    assert decisions_pb2.RewardStatus.Name(message.status) == f"REWARD_STATUS_{status.name}"
    assert not message.HasField("learned_at")


def test_what_was_never_shown_waits_until_it_is_given_up() -> None:
    waits = decision(activated_at=None, window_closes_at=None, activate_by=AT)
    given_up = Matured(waits, 1, None, {}, AT, excluded=Excluded.EXPIRED)
    for one, matured, state in (
        (waits, None, log_pb2.ACTIVATION_STATE_WAITING),
        (waits, given_up, log_pb2.ACTIVATION_STATE_EXPIRED),
        (decision(activated_at=AT), None, log_pb2.ACTIVATION_STATE_ACTIVE),
    ):
        record = wire.write_record(one, (), matured)
        assert (record.activation, record.HasField("activated_at")) == (state, one.activated_at is not None)


@pytest.mark.parametrize("status", ActivationStatus)
def test_every_answer_to_an_activation_has_its_word_in_the_contract(status: ActivationStatus) -> None:
    message = wire.write_activated(Activated(status, None))
    assert decisions_pb2.ActivateStatus.Name(message.status) == f"ACTIVATE_STATUS_{status.name}"
    assert not message.HasField("window_closes_at")


def test_every_state_has_its_word_in_the_contract() -> None:
    assert set(wire.STATES) == set(State)


@pytest.mark.parametrize(
    "error", [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, EligeError)]
)
def test_every_error_has_its_code_in_the_contract(error: type[EligeError]) -> None:
    made = EligeError.__new__(error)
    Exception.__init__(made, "what went wrong")
    message = wire.write_error(made)
    assert common_pb2.ErrorCode.Name(message.code) == f"ERROR_CODE_{error.code}"
    assert wire.status_code(made).value[0] == message.code
    assert message.message == "what went wrong"


@pytest.mark.parametrize("text", ["a" * 100_000, "😀" * 10_000, "\ud800" * 5_000, "a" * 1_499 + "é"])
def test_long_errors_are_shortened(text: str) -> None:
    short = wire.shortened(text)
    assert len(short.encode("utf-8")) <= wire.MAX_DETAIL + len("…".encode())
    assert short.endswith("…")
    assert wire.shortened("short") == "short"

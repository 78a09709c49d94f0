"""Evaluations as jobs, between the contract's messages and the domain's records."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import Message

from elige.client.values import to_dict
from elige.v1 import common_pb2
from elige.v1 import evaluations_pb2 as pb
from policies.registry import PolicyError, PolicySpec
from server.errors import InvalidRequest, NotSupportedYet
from server.evaluation.request import EvaluationRequest, slots_asked
from server.evaluation.snapshots import SNAPSHOT
from server.reward_anew import OtherReward
from server.rpc.results_wire import write_result, write_spec
from server.rpc.wire import read_duration, shortened, timestamp
from server.store.evaluations import EvaluationState, StoredEvaluation
from simulator import slot_specs

MAX_BYTES = 64 * 1024
"""Of a request: it is kept, and told again with every list."""
MAX_POLICIES = 100
MAX_BY = 20
"""Keys to break down by: each of them judges every policy again."""
ESTIMATORS = ("snips", "dr")
"""Those of a request that names none."""
_NAMED = ("interval", "model", "learn_every")
"""Fields that an empty text leaves as they usually are."""
STATES = {
    EvaluationState.QUEUED: pb.EVALUATION_STATE_QUEUED,
    EvaluationState.RUNNING: pb.EVALUATION_STATE_RUNNING,
    EvaluationState.DONE: pb.EVALUATION_STATE_DONE,
    EvaluationState.FAILED: pb.EVALUATION_STATE_FAILED,
    EvaluationState.CANCELLED: pb.EVALUATION_STATE_CANCELLED,
}


def read_start(message: pb.StartEvaluationRequest) -> EvaluationRequest:
    """Raises NotSupportedYet for what a later version does, InvalidRequest, PolicyError for what can't be."""
    if not message.campaign:
        raise InvalidRequest("campaign: missing")
    if (size := message.ByteSize()) > MAX_BYTES:
        raise InvalidRequest(f"request of {size:,} bytes: expected at most {MAX_BYTES:,}")
    if len(message.by) > MAX_BY:
        raise InvalidRequest(f"by: {len(message.by)} keys: expected at most {MAX_BY}")
    if len(message.policies) > MAX_POLICIES:
        raise InvalidRequest(f"{len(message.policies)} policies: expected at most {MAX_POLICIES}")
    if message.learn_every and not message.replay:
        raise InvalidRequest(f"learn_every {message.learn_every!r}: expected together with replay")
    since, until = read_period(message.period)
    return EvaluationRequest(
        campaign=message.campaign,
        slot=message.slots[0] if len(message.slots) == 1 else None,
        slots=tuple(message.slots) if len(message.slots) > 1 else (),
        since=since,
        until=until,
        policies=tuple(map(read_spec, message.policies)),
        where=message.where or None,
        reward=_read_reward(message),
        by=tuple(message.by),
        every=read_duration(message.every, "every") if message.HasField("every") else None,
        metrics=tuple(message.metrics),
        estimators=tuple(message.estimators) or ESTIMATORS,
        train_share=message.train_share if message.HasField("train_share") else 0.5,
        confidence=message.level if message.HasField("level") else 0.95,
        seed=message.seed,
        lang=message.language or "en",
        force=message.force,
        replay=message.replay or None,
        grid=tuple(message.grid),
        estimate_propensities=message.estimate_propensities,
        **{name: value for name in _NAMED if (value := getattr(message, name))},
    )


def _read_reward(message: pb.StartEvaluationRequest) -> OtherReward | None:
    sides = [side for side in ("reward_low", "reward_high") if message.HasField(side)]
    if sides and not message.reward:
        raise InvalidRequest(f"{sides[0]}: expected together with reward, whose range it is")
    if not message.reward:
        return None
    if len(sides) == 1:
        raise InvalidRequest(f"{sides[0]} alone: expected reward_low and reward_high, or neither")
    return OtherReward(message.reward, (message.reward_low, message.reward_high) if sides else None)


def read_period(period: common_pb2.Period) -> tuple[datetime | None, datetime | None]:
    """Raises InvalidRequest."""
    since, until = (_moment(period, side) for side in ("since", "until"))
    if since is not None and until is not None and until <= since:
        raise InvalidRequest(f"period: until {until.isoformat()} is not after since {since.isoformat()}")
    return since, until


def read_states(states: Sequence[int]) -> tuple[EvaluationState, ...]:
    """Raises InvalidRequest."""
    known: dict[int, EvaluationState] = {number: state for state, number in STATES.items()}
    if unknown := [number for number in states if number not in known]:
        raise InvalidRequest(f"states: {unknown} are none; expected {', '.join(STATES)}")
    return tuple(known[number] for number in dict.fromkeys(states))


def write_evaluation(stored: StoredEvaluation) -> pb.Evaluation:
    """With its result, where it is there."""
    message = pb.Evaluation(
        id=stored.id,
        state=STATES[stored.state],
        progress=stored.progress,
        stage=stored.stage,
        request=_request_of(stored),
        created_by=stored.created_by,
    )
    for name in ("created_at", "started_at", "finished_at"):
        if (at := getattr(stored, name)) is not None:
            getattr(message, name).FromDatetime(at)
    if stored.error is not None:
        message.error.code = f"ERROR_CODE_{stored.error_code}"  # type: ignore[assignment]
        message.error.message = shortened(stored.error)
    if stored.result is not None:
        message.result.CopyFrom(write_result(stored.result, stored.provenance))
    return message


def _request_of(stored: StoredEvaluation) -> pb.StartEvaluationRequest:
    """What was asked. Of a request that another version kept, and this one can't read, only what is beside it: one such
    must not hide all others of a list.
    """
    try:
        return _write_request(stored)
    except (InvalidRequest, PolicyError):
        return pb.StartEvaluationRequest(campaign=stored.campaign, request_id=stored.request_id or "")


def _write_request(stored: StoredEvaluation) -> pb.StartEvaluationRequest:
    asked = EvaluationRequest.from_document(stored.request)
    message = pb.StartEvaluationRequest(
        campaign=asked.campaign,
        policies=map(write_spec, asked.policies),
        where=asked.where or "",
        estimators=asked.estimators,
        slots=slots_asked(asked),
        reward=asked.reward.value if asked.reward else "",
        by=asked.by,
        metrics=asked.metrics,
        train_share=asked.train_share,
        level=asked.confidence,
        seed=asked.seed,
        language=asked.lang,
        force=asked.force,
        interval=asked.interval,
        model=asked.model,
        replay=asked.replay or "",
        learn_every=asked.learn_every if asked.replay else "",
        grid=asked.grid,
        estimate_propensities=asked.estimate_propensities,
        request_id=stored.request_id or "",
    )
    if asked.reward is not None and asked.reward.range is not None:
        message.reward_low, message.reward_high = asked.reward.range
    if asked.every is not None:
        message.every.FromTimedelta(asked.every)
    if asked.since is not None:
        message.period.since.CopyFrom(timestamp(asked.since))
    if asked.until is not None:
        message.period.until.CopyFrom(timestamp(asked.until))
    return message


def read_spec(message: common_pb2.PolicySpec) -> str:
    """A policy as the command line names it. Raises NotSupportedYet, InvalidRequest, PolicyError."""
    if message.label:
        raise NotSupportedYet("label of a policy")
    if message.snapshot:
        if message.name or message.parameters.fields:
            raise InvalidRequest(f"policy with snapshot {message.snapshot!r}: expected no name and no parameters")
        return SNAPSHOT + message.snapshot
    if not message.parameters.fields and slot_specs(message.name):
        return message.name
    if not message.parameters.fields:
        return str(PolicySpec.parse(message.name))
    spec = PolicySpec(message.name, to_dict(message.parameters))
    try:
        text = str(spec)
        if PolicySpec.parse(text) == spec:
            return text
    except (KeyError, ValueError) as error:
        raise InvalidRequest(f"policy {message.name!r}: {error}") from error
    raise InvalidRequest(
        f"policy {message.name!r}: its parameters {dict(spec.parameters)} can't be written as {text!r}"
    )


def _moment(message: Message, field: str) -> datetime | None:
    if not message.HasField(field):
        return None
    at: Any = getattr(message, field)
    try:
        found: datetime = at.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(f"{field}: {at.seconds} s is no time of this calendar") from error
    return found

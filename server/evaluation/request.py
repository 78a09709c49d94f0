"""What is asked of a campaign's log: the same from the command line, from a call, and from what was stored."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from policies.registry import PolicySpec, check
from server.errors import InvalidRequest
from server.evaluation.snapshots import SNAPSHOT
from server.reward_anew import OtherReward
from simulator import ESTIMATORS, LANGUAGES, USUAL


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """Which decisions, which policies, and how they are judged.

    slot: None for the campaign's first. since, until: only decisions from then on, before then. policies:
    specifications as in a campaign file, or `snapshot:NUMBER`. where: a CEL test over the context. reward: what decisions earn, other
    than they did. by: a context key, or `segment`. train_share: the first part of the log, on which learners named by
    specification are trained. Raises InvalidRequest, PolicyError for what can't be asked of any log.
    """

    campaign: str
    slot: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    policies: tuple[str, ...] = ()
    where: str | None = None
    reward: OtherReward | None = None
    by: str | None = None
    estimators: tuple[str, ...] = USUAL
    train_share: float = 0.5
    confidence: float = 0.95
    seed: int = 0
    lang: str = "en"

    def __post_init__(self) -> None:
        if self.lang not in LANGUAGES:
            raise InvalidRequest(f"language {self.lang!r}: expected one of {', '.join(LANGUAGES)}")
        for name in self.estimators:
            if name not in ESTIMATORS:
                raise InvalidRequest(f"estimator {name!r}: expected one of {', '.join(ESTIMATORS)}")
        for name in ("train_share", "confidence"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise InvalidRequest(f"{name} {getattr(self, name)}: expected a number between 0 and 1")
        for spec in self.policies:  # before a long log is read for nothing
            if not spec.startswith(SNAPSHOT):
                check(PolicySpec.parse(spec))

    def document(self) -> dict[str, Any]:
        """For JSON; `from_document` gives an equal request back. Only what differs from the default."""
        plain: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                plain[field.name] = _plain(value)
        return plain

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "EvaluationRequest":
        """Raises InvalidRequest for a document of a newer version, or one that was damaged."""
        unknown = sorted(set(document) - {field.name for field in fields(cls)})
        if unknown:
            raise InvalidRequest(f"a stored evaluation asks for {unknown}, which this version does not know")
        read: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in document.items()
        }
        for name in ("since", "until"):
            if name in read:
                read[name] = datetime.fromisoformat(read[name])
        if "reward" in read:
            bounds = read["reward"]["range"]
            read["reward"] = OtherReward(read["reward"]["value"], tuple(bounds) if bounds else None)
        return cls(**read)


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case OtherReward():
            return {"value": value.value, "range": list(value.range) if value.range else None}
        case tuple():
            return list(value)
    return value

"""What can go wrong for a caller, one class an error, each with the name of its gRPC status code.

The interceptor of the RPC room and the web gateway map `code`; nothing else knows about status codes. Messages say
what, which value, and what would be right.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar


class EligeError(Exception):
    """Base of every error that a caller is told about."""

    code: ClassVar[str] = "UNKNOWN"


class InvalidRequest(EligeError):
    """The request can't be right, whatever the state of the service."""

    code = "INVALID_ARGUMENT"


class NotDeclared(InvalidRequest):
    """A slot or metric that the campaign does not declare."""


class InvalidCampaign(InvalidRequest):
    """A campaign that breaks a rule of the campaign file."""


class NotSupportedYet(EligeError):
    """A planned part of the contract that this version does not have."""

    code = "UNIMPLEMENTED"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: not supported yet")


class NoSuchCampaign(EligeError):
    """No campaign has this name, or it is archived."""

    code = "NOT_FOUND"

    def __init__(self, name: str, known: Iterable[str], *, archived: bool = False) -> None:
        if archived:
            super().__init__(f"campaign {name!r} is archived: it decides no more")
            return
        super().__init__(f"no campaign {name!r}; known: {', '.join(map(repr, sorted(known))) or 'none'}")


class NoSuchDecision(EligeError):
    """A decision that is not kept here."""

    code = "NOT_FOUND"

    def __init__(self, decision_id: str, reason: str = "not an identifier of this service") -> None:
        super().__init__(f"no decision {decision_id!r}: {reason}")


class NothingShown(EligeError):
    """The person of an outcome was shown no decision of the campaign that it could credit."""

    code = "NOT_FOUND"

    def __init__(self, campaign: str, at: datetime) -> None:
        super().__init__(f"campaign {campaign!r} has shown nothing to this person by {at.isoformat()}")


class VersionConflict(EligeError):
    """Somebody else wrote first. Version 0 is the version of what does not exist."""

    code = "ABORTED"

    def __init__(self, campaign: str, *, expected: int, found: int) -> None:
        super().__init__(f"campaign {campaign!r} is at version {found}, expected {expected}: read it again, then apply")


class Conflict(EligeError):
    """The same identifier was used before for something else."""

    code = "ALREADY_EXISTS"


class Unavailable(EligeError):
    """Try again later: the service can't answer durably now."""

    code = "UNAVAILABLE"


class Overloaded(EligeError):
    """More work waits than the service will hold in memory."""

    code = "RESOURCE_EXHAUSTED"


class DiskFull(EligeError):
    """There is no room to store anything more. Nothing of it was stored."""

    code = "RESOURCE_EXHAUSTED"


class WrongState(EligeError):
    """Right in itself, but not in the state in which the campaign is."""

    code = "FAILED_PRECONDITION"


class NoSuchSnapshot(EligeError):
    """No snapshot has this number, or none of this campaign."""

    code = "NOT_FOUND"

    def __init__(self, snapshot: int, *, campaign: str = "") -> None:
        super().__init__(f"campaign {campaign!r} has no snapshot {snapshot}" if campaign else f"no snapshot {snapshot}")


class NoSuchErasure(EligeError):
    """No erasure has this id."""

    code = "NOT_FOUND"

    def __init__(self, erasure_id: str) -> None:
        super().__init__(f"no erasure {erasure_id[:60]!r}: expected the id that ErasePerson answered")


class NoSuchEvaluation(EligeError):
    """No evaluation has this id."""

    code = "NOT_FOUND"

    def __init__(self, evaluation_id: str) -> None:
        super().__init__(
            f"no evaluation {evaluation_id[:60]!r}: expected an id of ListEvaluations, or of elige evaluation list"
        )


class NoRates(EligeError):
    """A campaign whose log does not say what a plan needs, where the request does not either."""

    code = "FAILED_PRECONDITION"

    def __init__(self, campaign: str, what: str, otherwise: str) -> None:
        super().__init__(f"campaign {campaign!r} has no {what} of the last 28 days: {otherwise}")


class CannotRebuild(EligeError):
    """The bytes of a snapshot are gone, and learning its part of the log again does not give them back."""

    code = "FAILED_PRECONDITION"


class Diverged(EligeError):
    """A trained state that can't decide any more: no snapshot is made of it, and none like it is served."""

    code = "FAILED_PRECONDITION"


class LeaseLost(EligeError):
    """Another trainer took over: nothing may be written under this lease any more."""

    code = "ABORTED"


class DatabaseUnusable(EligeError):
    """A database that can't be opened as it is; trying again won't help."""

    code = "FAILED_PRECONDITION"

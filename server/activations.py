"""From what a caller tells of a decision that was shown to its activation."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from server.campaigns.model import Campaign
from server.records import Activation
from server.times import told_time


@dataclass(frozen=True, slots=True)
class ActivateRequest:
    """What a caller reports. No slots: all that the decision chose. No time: now."""

    decision_id: str
    slots: tuple[str, ...] = ()
    at: datetime | None = None


def read_activation(
    request: ActivateRequest,
    *,
    decided: datetime,
    campaign: Campaign,
    now: datetime,
    longest_window: timedelta | None = None,
) -> Activation:
    """The activation of a decision of this campaign that was made at `decided`.

    Whether it decided the slots only the log knows. Raises InvalidRequest for a time that can't be.
    """
    return Activation(
        decision_id=request.decision_id,
        campaign=campaign.campaign,
        slots=tuple(dict.fromkeys(request.slots)),
        at=told_time(request.at, decided=decided, now=now),
        longest_window=longest_window,
    )

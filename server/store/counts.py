"""How much of a campaign's log can be judged: how many matured decisions count, and why the others are left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, case, func, select

from server.records import Excluded, Group, Kind
from server.store.tables import choices, decisions, rewards, windows

_WHY = ("cancelled", "erased", "no_reward", "control", "no_slot", "fallback", "not_activated", "no_propensity")
"""Why a matured decision is left out, the first that holds in any of its slots."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What of a log there was at one moment. matured: how many decisions count; left_out: how many of a period no
    policy can be judged by, by why.
    """

    matured: int
    left_out: Mapping[str, int]


def count_matured(connection: Connection, campaign: str, *, through: int) -> int:
    """How many matured decisions up to a place of the sequence count."""
    ours = (rewards.c.campaign == campaign, rewards.c.sequence <= through, rewards.c.excluded.is_(None))
    return int(connection.execute(select(func.count()).select_from(rewards).where(*ours)).scalar_one())


def count_left_out(
    connection: Connection,
    campaign: str,
    slots: Sequence[str],
    *,
    since: datetime | None,
    until: datetime | None,
    through: int,
) -> dict[str, int]:
    """How many decisions of a period no policy can be judged by in these slots together, each under the first reason
    that holds: they count for nothing (`not_activated`, `cancelled`, `erased`), their reward is no number
    (`no_reward`), they are of the `control` group, made when there was no such slot (`no_slot`), in one of the slots
    the default was shown (`fallback`) or nothing (`not_activated`), or nobody knows how probable it was
    (`no_propensity`). Or they are not matured yet (`window_open`).
    """
    period = [decisions.c.campaign == campaign]
    if since is not None:
        period.append(decisions.c.at >= since)
    if until is not None:
        period.append(decisions.c.at < until)
    place = case(
        (rewards.c.excluded == Excluded.EXPIRED.value, _WHY.index("not_activated")),
        (rewards.c.excluded == Excluded.CANCELLED.value, _WHY.index("cancelled")),
        (rewards.c.excluded == Excluded.ERASED.value, _WHY.index("erased")),
        (rewards.c.error.is_not(None), _WHY.index("no_reward")),
        (decisions.c.group_name == Group.CONTROL.value, _WHY.index("control")),
        (choices.c.slot.is_(None), _WHY.index("no_slot")),
        (choices.c.kind == Kind.FALLBACK.value, _WHY.index("fallback")),
        (choices.c.activated_at.is_(None), _WHY.index("not_activated")),
        (choices.c.propensity.is_(None), _WHY.index("no_propensity")),
        else_=len(_WHY),
    )
    matured = rewards.join(decisions, rewards.c.decision_id == decisions.c.decision_id).join(
        choices, and_(choices.c.decision_id == rewards.c.decision_id, choices.c.slot.in_(slots)), isouter=True
    )
    first, there = func.min(place), func.count(choices.c.slot.distinct())
    missing = and_(first == len(_WHY), there < len(slots))
    each = (
        select(case((missing, _WHY.index("no_slot")), else_=first).label("place"))
        .select_from(matured)
        .where(rewards.c.campaign == campaign, rewards.c.sequence <= through, *period)
        .group_by(rewards.c.sequence)
        .subquery()
    )
    query = select(each.c.place, func.count()).where(each.c.place < len(_WHY)).group_by(each.c.place)
    found = {_WHY[row[0]]: int(row[1]) for row in connection.execute(query)}
    still = select(func.count()).select_from(windows.join(decisions, windows.c.decision_id == decisions.c.decision_id))
    found["window_open"] = int(connection.execute(still.where(*period)).scalar_one())
    return {reason: count for reason, count in sorted(found.items()) if count}

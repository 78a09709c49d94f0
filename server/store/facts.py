"""What one campaign's log amounts to, counted by the database: what a diagnosis goes by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, func, select

from server.records import Kind, OutcomeStatus
from server.store.tables import choices, decisions, leases, outcomes, rewards, windows
from server.store.training import last_sequence, waiting_since

RECENT = 10_000
"""Rewards at the end of the sequence that are looked at."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Counts and times of one campaign's log at one moment. A time is None where there is nothing to have one."""

    decisions: int
    first_decision: datetime | None
    last_decision: datetime | None
    decisions_today: int
    """In the last 24 hours."""
    outcomes: Mapping[str, int]
    """By metric."""
    late: int
    """Outcomes that came after their window."""
    unmatched: int
    """Outcomes whose decision is not in the log, or not known, longer than the patience given."""
    unmatched_since: datetime | None
    open_windows: int
    next_close: datetime | None
    """Of the windows that are still open."""
    awaited: int
    """Decisions of which nothing was shown yet, and may still be."""
    overdue: int
    """Decisions that are not matured although their window closed longer ago than the patience given."""
    last_sequence: int
    lowest: float | None
    highest: float | None
    """Of the recent rewards."""
    valued: int
    """Recent rewards that are numbers."""
    spoilt: int
    """Recent rewards that are none: the formula gave no finite number."""
    excluded: Mapping[str, int]
    """Recent decisions that count for nothing, by why (records.Excluded)."""
    error: str | None
    """Why the last of those is none."""
    waiting: int
    """Matured decisions that count and that the newest snapshot has not learned."""
    waiting_since: datetime | None
    lease_holder: str | None
    lease_expires: datetime | None


def read_facts(
    connection: Connection, campaign: str, *, learned_through: int, now: datetime, patience: timedelta
) -> Facts:
    """Count. `learned_through`: the last place in the sequence that the newest snapshot knows."""
    made = decisions.c.campaign == campaign
    last = last_sequence(connection, campaign)
    ours = and_(rewards.c.campaign == campaign, rewards.c.sequence > last - RECENT)
    lowest, highest, valued, all_of_them = connection.execute(
        select(
            func.min(rewards.c.reward), func.max(rewards.c.reward), func.count(rewards.c.reward), func.count()
        ).where(ours)
    ).one()
    errors = select(rewards.c.error).where(ours, rewards.c.error.is_not(None)).order_by(rewards.c.sequence.desc())
    counts_not = select(rewards.c.excluded, func.count()).where(ours, rewards.c.excluded.is_not(None))
    excluded = {row[0]: row[1] for row in connection.execute(counts_not.group_by(rewards.c.excluded))}
    behind = and_(rewards.c.campaign == campaign, rewards.c.sequence > learned_through, rewards.c.excluded.is_(None))
    waiting = select(func.count()).where(behind)
    total, first, latest = connection.execute(
        select(func.count(), func.min(decisions.c.at), func.max(decisions.c.at)).where(made)
    ).one()
    today = select(func.count()).where(made, decisions.c.at > now - timedelta(days=1))
    happened = outcomes.c.campaign == campaign
    by_metric = select(outcomes.c.metric, func.count()).where(happened).group_by(outcomes.c.metric)
    late = select(func.count()).where(happened, outcomes.c.status == OutcomeStatus.LATE.value)
    unmatched, unmatched_since = _unmatched(connection, campaign, before=now - patience)
    to_come = and_(windows.c.campaign == campaign, windows.c.closes_at > now)
    opened, next_close = connection.execute(
        select(func.count(), func.min(windows.c.closes_at)).where(to_come, windows.c.waiting.is_(False))
    ).one()
    awaited = select(func.count()).where(to_come, windows.c.waiting.is_(True))
    overdue = select(func.count()).where(windows.c.campaign == campaign, windows.c.closes_at < now - patience)
    lease = connection.execute(select(leases).where(leases.c.campaign == campaign)).one_or_none()
    return Facts(
        decisions=total,
        first_decision=first,
        last_decision=latest,
        decisions_today=connection.execute(today).scalar_one(),
        outcomes={row[0]: row[1] for row in connection.execute(by_metric)},
        late=connection.execute(late).scalar_one(),
        unmatched=unmatched,
        unmatched_since=unmatched_since,
        open_windows=opened,
        next_close=next_close,
        awaited=connection.execute(awaited).scalar_one(),
        overdue=connection.execute(overdue).scalar_one(),
        last_sequence=last,
        lowest=lowest,
        highest=highest,
        valued=valued,
        spoilt=all_of_them - valued - sum(excluded.values()),
        excluded=excluded,
        error=connection.execute(errors.limit(1)).scalar_one_or_none(),
        waiting=connection.execute(waiting).scalar_one(),
        waiting_since=waiting_since(connection, campaign, learned_through=learned_through),
        lease_holder=lease.holder if lease else None,
        lease_expires=lease.expires_at if lease else None,
    )


def observed_learned(connection: Connection, campaign: str, slots: Sequence[str], *, through: int) -> int:
    """How many choices that were made elsewhere in these slots have a reward among the first `through` places."""
    joined = rewards.join(choices, rewards.c.decision_id == choices.c.decision_id)
    told = and_(choices.c.kind == Kind.OBSERVED.value, choices.c.slot.in_(slots))
    place = and_(rewards.c.campaign == campaign, rewards.c.sequence <= through, rewards.c.reward.is_not(None))
    return int(connection.execute(select(func.count()).select_from(joined).where(place, told)).scalar_one())


def _unmatched(connection: Connection, campaign: str, *, before: datetime) -> tuple[int, datetime | None]:
    joined = outcomes.outerjoin(decisions, outcomes.c.decision_id == decisions.c.decision_id)
    query = select(func.count(), func.min(outcomes.c.received_at)).select_from(joined)
    alone = and_(outcomes.c.campaign == campaign, decisions.c.decision_id.is_(None), outcomes.c.received_at < before)
    count, since = connection.execute(query.where(alone)).one()
    return count, since

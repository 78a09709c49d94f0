"""A lineage learned again from the log, over its own boundaries, and held against what was saved. Writes nothing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from server.errors import InvalidRequest, NoSuchSnapshot, WrongState
from server.records import SlotState, Snapshot
from server.store import campaigns as campaign_rows
from server.store import erasures as erasure_rows
from server.store import lineages
from server.store import training as training_rows
from server.store.database import Database
from server.training.learners import package_versions
from server.training.restore import WITHDRAWN, listed, relearn

PAGE = 100
"""Boundaries read at once."""

OnBoundary = Callable[[int, int], None]
"""Told the place in the sequence that was reached, and the last one to reach."""


@dataclass(frozen=True, slots=True)
class Retrained:
    """What came of it. `boundaries` and `examples` were learned again and agree; where `why_not` is not empty, the
    next boundary, that of snapshot `differs_at`, does not.
    """

    snapshot: Snapshot
    """The one asked for, with its bytes as they are stored."""
    boundaries: int
    examples: int
    differs_at: int | None = None
    why_not: str = ""
    began_at: int | None = None
    """The snapshot from which learning began, where the log before it is past its retention."""
    recomputable: bool = True
    """Whether there is still what it takes to learn it again; if not, `why_not` says what is missing."""

    @property
    def agrees(self) -> bool:
        return not self.why_not


def retrain(
    database: Database,
    campaign: str,
    snapshot_id: int | None = None,
    *,
    on_boundary: OnBoundary = lambda place, last: None,
) -> Retrained:
    """Learn the lineage of a snapshot, the newest by default, from nothing up to it, segment by segment in the same
    order, and compare the digest at every boundary. Holds the rows of one segment at a time. Where the first rows are
    past their retention, it begins with the bytes of the snapshot that stands for them.

    Raises NoSuchCampaign, NoSuchSnapshot, InvalidRequest for a snapshot of another campaign, and WrongState where
    there is none yet.
    """
    target = _target(database, campaign, snapshot_id)
    if erased := _erased(database, target):
        return Retrained(target, 0, 0, None, erased, recomputable=False)
    done = examples = 0
    began_at: int | None = None
    before: Snapshot | None = None
    states: tuple[SlotState, ...] = ()
    first, base = _first(database, campaign)
    for boundary in _boundaries(database, target):
        if before is None and base is not None and boundary.trained_from < first:
            if boundary.id == base.id:
                began_at, before, states = base.id, base, base.slots
            continue
        try:
            held_from = first if began_at else 1  # what is past its retention is not missed
            states, learned = _again(database, before, states, boundary, held_from=held_from)
        except _Differs as difference:
            return Retrained(target, done, examples, boundary.id, str(difference))
        done, examples, before = done + 1, examples + learned, boundary
        on_boundary(boundary.trained_through, target.trained_through)
    if not done:
        return Retrained(target, 0, 0, None, f"the log before place {first} is past its retention", recomputable=False)
    if damaged := _damaged(target):
        return Retrained(target, done, examples, target.id, damaged)
    return Retrained(target, done, examples, began_at=began_at)


def _target(database: Database, campaign: str, snapshot_id: int | None) -> Snapshot:
    with database.reading() as connection:
        campaign_rows.read_version(connection, campaign)
        wanted = snapshot_id if snapshot_id is not None else training_rows.newest_snapshot_id(connection, campaign)
        if wanted is None:
            raise WrongState(f"campaign {campaign!r} has no snapshot yet: nothing has been learned")
        target = training_rows.read_snapshot(connection, wanted)
    if target is None:
        raise NoSuchSnapshot(wanted)
    if target.campaign != campaign:
        raise InvalidRequest(f"snapshot {wanted} is of campaign {target.campaign!r}, not {campaign!r}")
    return target


def _erased(database: Database, target: Snapshot) -> str:
    """Why it can't be learned again where it had learned from a person who is erased; empty where it had not."""
    if target.withdrawn:
        return WITHDRAWN
    with database.reading() as connection:
        replaced = erasure_rows.to_replace(connection, target.campaign)
    if replaced is None or target.lineage > replaced:
        return ""
    return "a person from whom it may have learned is erased, and it is being replaced"


def _first(database: Database, campaign: str) -> tuple[int, Snapshot | None]:
    """The first place that the log holds; and the snapshot that stands for what is past its retention, if any is."""
    with database.reading() as connection:
        base = lineages.base_of(connection, campaign)
        whole = training_rows.read_snapshot(connection, base) if base is not None else None
        return lineages.first_place(connection, campaign), whole if whole is not None and whole.intact else None


class _Differs(Exception):
    """This boundary does not come out as it was saved."""


def _again(
    database: Database, before: Snapshot | None, states: tuple[SlotState, ...], boundary: Snapshot, *, held_from: int
) -> tuple[tuple[SlotState, ...], int]:
    if boundary.parent != (before.id if before else None):
        raise _Differs(f"it was trained on from snapshot {boundary.parent}, whose row is gone")
    try:
        relearned = relearn(database, states, boundary)
    except Exception as error:  # whatever a damaged log makes a learner do is why it differs
        raise _Differs(f"its part of the log can't be learned any more: {type(error).__name__}: {error}") from error
    length = boundary.trained_through - max(boundary.trained_from, held_from) + 1
    if relearned.rows < length and not boundary.skipped:
        places = f"{boundary.trained_from} to {boundary.trained_through}"
        raise _Differs(f"of the {length} rows that it learned ({places}), {length - relearned.rows} are gone")
    after = {one.slot: one for one in relearned.states}
    others = [one.slot for one in boundary.slots if one.slot not in after or after[one.slot].digest != one.digest]
    if others or len(after) != len(boundary.slots):
        raise _Differs(_because(boundary.versions, others))
    return relearned.states, relearned.examples


def _because(trained_with: Mapping[str, str], slots: list[str]) -> str:
    other = f"the same rows give other bytes for {', '.join(slots)}"
    here = package_versions()
    if dict(trained_with) != dict(here):
        return f"{other}; it was trained with {listed(trained_with)}; here: {listed(here)}"
    return f"{other}, on the same package versions: the log or the snapshot was changed, or the machine is another"


def _damaged(target: Snapshot) -> str:
    """Where the bytes that are stored are not those that were saved. Those that were thinned out are not compared."""
    damaged = [one.slot for one in target.slots if one.state is not None and not one.intact]
    if not damaged:
        return ""
    return f"the log gives the bytes that were saved, but those stored now are damaged: {', '.join(damaged)}"


def _boundaries(database: Database, target: Snapshot) -> Iterator[Snapshot]:
    """From the beginning of its lineage to the snapshot, without bytes. Where a roll-back began the lineage, first
    those of the one that it goes on from.
    """
    if origin := _origin(database, target):
        yield from _boundaries(database, origin)
    after = 0
    while after < target.trained_through:
        with database.reading() as connection:
            page = training_rows.boundaries(connection, target.campaign, target.lineage, after=after, limit=PAGE)
        for one in page:
            if one.trained_through <= target.trained_through:
                yield one
        after = page[-1].trained_through


def _origin(database: Database, target: Snapshot) -> Snapshot | None:
    """The snapshot of another lineage that this one goes on from; None where it began from nothing."""
    with database.reading() as connection:
        found = training_rows.boundaries(connection, target.campaign, target.lineage, after=0, limit=1)
        parent = found[0].parent if found and found[0].skipped else None
        return training_rows.read_snapshot(connection, parent) if parent is not None else None

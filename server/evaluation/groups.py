"""What makes groups of the people in a log."""

from policies.portraits import describe, sentence
from policies.segmentation import Segmentation
from policies.segments import Segmented
from server.campaigns.catalogue import serve
from server.errors import InvalidRequest
from server.evaluation.extent import Extent
from server.store import campaigns as campaign_rows
from server.store import training as training_rows
from server.store.database import Database
from server.training.restore import restore
from simulator import By, Log

SEGMENTS = "segment"


def groups_by(database: Database, log: Log, key: str, extent: Extent | None = None, *, lang: str = "en") -> By:
    """What makes groups of the people in the log of a campaign's slot: a key of their contexts; where none is called
    so, `segment` means the segments of the newest snapshot, or of that of the extent. Raises InvalidRequest.
    """
    known = log.contexts.keys
    if key in known:
        return By(key, lambda context: context.get(key))
    if key != SEGMENTS:
        names = ", ".join(known) or "none"
        raise InvalidRequest(
            f"no context of this log has a key {key!r}; there are: {names}, and {SEGMENTS!r}; nor a label"
        )
    segmentation = _segmentation(database, log.name, log.slot, extent)
    return By(key, segmentation.label, {one.label: sentence(one, lang) for one in describe(segmentation)})


def groups_in(log: Log, key: str) -> By:
    """What makes groups of the people of a log: a key of their contexts. Raises InvalidRequest."""
    known = log.contexts.keys
    if key not in known:
        raise InvalidRequest(f"no context of this log has a key {key!r}; there are: {', '.join(known) or 'none'}")
    return By(key, lambda context: context.get(key))


def _segmentation(database: Database, campaign: str, slot: str, extent: Extent | None) -> Segmentation:
    with database.reading() as connection:
        stored = campaign_rows.read_version(connection, campaign, extent.version if extent else None)
        newest = extent.snapshot if extent else training_rows.newest_snapshot_id(connection, campaign)
    served = serve(stored, restore(database, newest) if newest is not None else None).slots[slot]
    if not isinstance(served.policy, Segmented):
        raise InvalidRequest(
            f"slot {slot!r} of campaign {campaign!r} is decided by {served.policy_name!r}, which makes no segments; "
            "segments does, or squarecb:segments=8"
        )
    if served.policy.segmentation.segments is None:
        raise InvalidRequest(f"slot {slot!r} of campaign {campaign!r} has no segments yet: it has learned too little")
    return served.policy.segmentation

"""What makes groups of the people in a log."""

from policies.portraits import describe, sentence
from policies.segmentation import Segmentation
from policies.segments import Segmented
from server.campaigns.catalogue import serve
from server.errors import InvalidRequest
from server.store import campaigns as campaign_rows
from server.store import training as training_rows
from server.store.database import Database
from server.training.restore import restore
from simulator import By, Log

SEGMENTS = "segment"


def groups_by(database: Database, log: Log, key: str) -> By:
    """What makes groups of the people in the log of a campaign's slot: a key of their contexts; where none is called
    so, `segment` means the segments of the newest snapshot. Raises InvalidRequest.
    """
    known = {name for context in log.contexts for name in context}
    if key in known:
        return By(key, lambda context: context.get(key))
    if key != SEGMENTS:
        names = ", ".join(sorted(known)) or "none"
        raise InvalidRequest(f"no context of this log has a key {key!r}; there are: {names}, and {SEGMENTS!r}")
    segmentation = _segmentation(database, log.name, log.slot)
    return By(key, segmentation.label, {one.label: sentence(one) for one in describe(segmentation)})


def _segmentation(database: Database, campaign: str, slot: str) -> Segmentation:
    with database.reading() as connection:
        stored = campaign_rows.read_version(connection, campaign)
        newest = training_rows.newest_snapshot_id(connection, campaign)
    served = serve(stored, restore(database, newest) if newest is not None else None).slots[slot]
    if not isinstance(served.policy, Segmented):
        raise InvalidRequest(
            f"slot {slot!r} of campaign {campaign!r} is decided by {served.policy_name!r}, which makes no segments; "
            "segments does, or squarecb:segments=8"
        )
    if served.policy.segmentation.segments is None:
        raise InvalidRequest(f"slot {slot!r} of campaign {campaign!r} has no segments yet: it has learned too little")
    return served.policy.segmentation

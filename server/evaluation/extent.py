"""What of a campaign's log an evaluation sees, written down so that it can see the same again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from server.store import campaigns as campaign_rows
from server.store import counts
from server.store import training as training_rows
from server.store.database import Database


@dataclass(frozen=True, slots=True)
class Extent:
    """The matured decisions up to the place `through` of a campaign's sequence, read as its version `version` does.

    snapshot: the newest then, which makes segments; None where there was none. counted: how many of these decisions
    count. Later they may be fewer: erased, or past their retention.
    """

    through: int
    version: int
    snapshot: int | None
    counted: int

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Extent":
        return cls(**document)


def extent_of(database: Database, campaign: str) -> Extent:
    """All that is matured now. Raises NoSuchCampaign, WrongState while the campaign is being imported."""
    with database.reading() as connection:
        through = training_rows.last_sequence(connection, campaign)
        return Extent(
            through=through,
            version=campaign_rows.read_version(connection, campaign).version,
            snapshot=training_rows.newest_snapshot_id(connection, campaign),
            counted=counts.count_matured(connection, campaign, through=through),
        )

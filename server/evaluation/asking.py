"""Asking for an evaluation: what is wrong is told at once where it can be; the rest waits for whoever runs it."""

from dataclasses import replace
from datetime import datetime

from server.campaigns.model import Campaign
from server.errors import NoSuchSnapshot
from server.evaluation.extent import Extent, extent_of
from server.evaluation.grids import check_one_slot
from server.evaluation.log import newest_campaign
from server.evaluation.reading import prepared
from server.evaluation.request import EvaluationRequest, wanted_by
from server.evaluation.snapshots import SNAPSHOT, snapshot_number
from server.reward_anew import with_reward
from server.store import evaluations as evaluation_rows
from server.store import training as training_rows
from server.store.database import Database
from server.store.evaluations import EvaluationState, StoredEvaluation
from server.texts import check_text

ID_BYTES = 16
"""Of an evaluation's id."""


def ask(
    database: Database,
    request: EvaluationRequest,
    *,
    evaluation_id: str,
    now: datetime,
    request_id: str | None = None,
    created_by: str = "",
) -> StoredEvaluation:
    """Queue an evaluation of what is matured now; the one that was asked for before under the same request id, if there
    is one. evaluation_id: ID_BYTES fresh bytes in hexadecimal.

    Raises NoSuchCampaign, NoSuchSnapshot, InvalidRequest, ExpressionError, InvalidCampaign for a reward that can't be,
    WrongState while the campaign is being imported, Conflict for a request id that was used for something else.
    """
    if request_id is not None:
        check_text("request_id", request_id)
        # before anything is checked: the campaign may have changed since, and what was asked stands
        if (before := _asked_before(database, request_id, request)) is not None:
            return before
    fresh = drafted(database, request, evaluation_id=evaluation_id, now=now, created_by=created_by)
    fresh = replace(fresh, request_id=request_id)
    with database.writing(evaluation_rows.TURN) as connection:
        return evaluation_rows.append(connection, fresh)


def drafted(
    database: Database, request: EvaluationRequest, *, evaluation_id: str, now: datetime, created_by: str = ""
) -> StoredEvaluation:
    """The evaluation as it would be queued. Raises what `ask` raises."""
    extent = extent_of(database, request.campaign)
    campaign = newest_campaign(database, request.campaign, extent)
    _check(database, request, campaign)
    document = request.document()
    return StoredEvaluation(
        id=evaluation_id,
        campaign=request.campaign,
        state=EvaluationState.QUEUED,
        request=document,
        request_id=None,
        request_hash=evaluation_rows.digest(document),
        provenance={
            "extent": extent.document(),
            "formula": request.reward.value if request.reward else campaign.reward.value,
            "seed": request.seed,
        },
        created_at=now,
        created_by=created_by,
    )


def extent_asked(stored: StoredEvaluation) -> Extent:
    """What of the log it sees."""
    return Extent.from_document(stored.provenance["extent"])


def _asked_before(database: Database, request_id: str, request: EvaluationRequest) -> StoredEvaluation | None:
    """What stands under this id. Raises Conflict where it asks for something else. A version that knew less to ask
    meant what is usual.
    """
    with database.reading() as connection:
        found = evaluation_rows.asked_under(connection, request_id)
    if found is not None and {**EvaluationRequest(found.campaign).document(), **found.request} != request.document():
        raise evaluation_rows.used_before(request_id)
    return found


def _check(database: Database, request: EvaluationRequest, campaign: Campaign) -> None:
    slots, _, _ = prepared(campaign, wanted_by(request))
    if len(slots) > 1:
        check_one_slot(request, slots)
    if request.reward is not None:
        with_reward(campaign, request.reward)
    with database.reading() as connection:
        for spec in request.policies:
            if spec.startswith(SNAPSHOT):
                number = snapshot_number(spec)
                found = training_rows.read_snapshot(connection, number)
                if found is None or found.campaign != request.campaign:
                    raise NoSuchSnapshot(number, campaign=request.campaign)

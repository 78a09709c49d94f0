"""The Python client of Elige.

    from elige.client import Client

    with Client("localhost:7461") as elige:
        decision = elige.decide("home-hero", person="ana", context={"country": "ES"})
        headline = decision["headline"].content["text"]
        elige.reward(decision.id, "click")

`AsyncClient` has the same methods, to be awaited. Every failure of a call is an `EligeError`.
"""

from elige.client.clients import AsyncClient, Client
from elige.client.errors import EligeError, InvalidCampaign
from elige.client.records import (
    Campaign,
    Check,
    Choice,
    Decision,
    Explanation,
    LoggedDecision,
    Mistake,
    Outcome,
    PutAnswer,
    Refusal,
    RewardAnswer,
    SlotExplanation,
    SlotPolicy,
    VariantExplanation,
    VariantStatus,
)
from elige.client.requests import Candidate, DecideArguments, DecideItem, RewardArguments, RewardItem

__all__ = [
    "AsyncClient",
    "Campaign",
    "Candidate",
    "Check",
    "Choice",
    "Client",
    "DecideArguments",
    "DecideItem",
    "Decision",
    "EligeError",
    "Explanation",
    "InvalidCampaign",
    "LoggedDecision",
    "Mistake",
    "Outcome",
    "PutAnswer",
    "Refusal",
    "RewardAnswer",
    "RewardArguments",
    "RewardItem",
    "SlotExplanation",
    "SlotPolicy",
    "VariantExplanation",
    "VariantStatus",
]

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
    ActivateAnswer,
    Campaign,
    Check,
    Choice,
    Decision,
    Erasure,
    Explanation,
    LoggedDecision,
    Mistake,
    Outcome,
    PersonExport,
    PutAnswer,
    Refusal,
    Retraining,
    RewardAnswer,
    SlotExplanation,
    SlotPolicy,
    VariantExplanation,
    VariantStatus,
)
from elige.client.requests import (
    ActivateArguments,
    ActivateItem,
    Candidate,
    DecideArguments,
    DecideItem,
    ObserveArguments,
    RewardArguments,
    RewardItem,
)

__all__ = [
    "ActivateAnswer",
    "ActivateArguments",
    "ActivateItem",
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
    "Erasure",
    "Explanation",
    "InvalidCampaign",
    "LoggedDecision",
    "Mistake",
    "ObserveArguments",
    "Outcome",
    "PersonExport",
    "PutAnswer",
    "Refusal",
    "Retraining",
    "RewardAnswer",
    "RewardArguments",
    "RewardItem",
    "SlotExplanation",
    "SlotPolicy",
    "VariantExplanation",
    "VariantStatus",
]

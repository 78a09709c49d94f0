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
from elige.client.evaluation_operations import EvaluationArguments, PlanArguments
from elige.client.evaluation_records import (
    Comparison,
    Diagnosis,
    Estimate,
    Evaluation,
    EvaluationResult,
    Finding,
    GridResult,
    JudgedPolicy,
    Plan,
    PlanPoint,
    Quantity,
)
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
    "Comparison",
    "DecideArguments",
    "DecideItem",
    "Decision",
    "Diagnosis",
    "EligeError",
    "Erasure",
    "Estimate",
    "Evaluation",
    "EvaluationArguments",
    "EvaluationResult",
    "Explanation",
    "Finding",
    "GridResult",
    "InvalidCampaign",
    "JudgedPolicy",
    "LoggedDecision",
    "Mistake",
    "ObserveArguments",
    "Outcome",
    "PersonExport",
    "Plan",
    "PlanArguments",
    "PlanPoint",
    "PutAnswer",
    "Quantity",
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

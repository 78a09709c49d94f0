"""The plain sentence: who wins, or that the log can't tell."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.estimators import Estimate, difference
from simulator.evaluation import LOGGED, Row


def verdict(rows: Sequence[Row], persons: NDArray[np.int64], *, headline: str, confidence: float) -> str:
    """Name the winner only if it beats every other judged row, pair by pair, on the same rounds.

    The best row is picked after seeing all values, and too often it is the luckiest one: any of the k(k-1)/2 pairs may
    be the one compared. Each is therefore judged at confidence 1 - (1 - confidence)/(k(k-1)/2) (Bonferroni).
    """
    judged = {row.name: found for row in rows if (found := row.estimates.get("mean") or row.estimates.get(headline))}
    logged = next(row.name for row in rows if row.role == LOGGED)
    ranking = sorted(judged, key=lambda name: -judged[name].value)
    best, others = ranking[0], ranking[1:]
    if not others:
        return f"The log can judge nothing but the logged policy, which earned {_told(judged[best])}."
    strict = 1.0 - (1.0 - confidence) / (len(ranking) * len(others) / 2.0)
    ahead = {name: difference(judged[best], judged[name], persons, confidence=strict) for name in others}
    rivals = [name for name in others if ahead[name].low <= 0.0]
    if not rivals:
        subject = "What was served" if best == logged else f"{best!r}"
        return f"{subject} earns most: {_told(judged[best])}; next is {others[0]!r} with {judged[others[0]].value:.4g}."
    named = ", ".join(repr(name) for name in [best, *rivals][:6]) + (", …" if len(rivals) > 5 else "")
    text = f"The log can't tell which of these {len(rivals) + 1} earns most: {named}; highest is {_told(judged[best])}."
    if logged in ahead and logged not in rivals:
        text += f" {best!r} does earn more than the logged policy ({judged[logged].value:.4g})."
    elif logged in rivals:
        text += f" {best!r} is not shown to earn more than the logged policy ({judged[logged].value:.4g})."
    return text


def _told(found: Estimate) -> str:
    return f"{found.value:.4g} [{found.low:.4g}, {found.high:.4g}]"

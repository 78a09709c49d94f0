"""Is the reward window long enough for what is earned in it?"""

import numpy as np

from simulator.checks.wording import Voice
from simulator.findings import Finding, Severity
from simulator.logs.log import Log

LATE = 0.9
"""From this share of the window on, rewards come late."""

AMBER_SHARE = 0.03
"""Of what was earned. Where ever less comes, exponentially, so much in the last tenth of the window means that about an
eighth of all comes after it; where it comes evenly, a tenth does."""

LEAST_LATE, LEAST_ROUNDS = 5, 30

CENSORED = {
    "en": (
        "{share} of what was earned came in the last tenth of the reward window: more would have come later.",
        "Lengthen the window of the campaign, or read values as what is earned within it.",
    ),
    "es": (
        "El {share} de lo ganado llegó en la última décima parte de la ventana: después habría llegado más.",
        "Alargue la ventana de la campaña, o lea los valores como lo que se gana dentro de ella.",
    ),
}
IN_TIME = {
    "en": (
        "{share} of what was earned came in the last tenth of the reward window, half of it in the first {half}.",
        "",
    ),
    "es": ("El {share} de lo ganado llegó en la última décima parte de la ventana, la mitad en el primer {half}.", ""),
}


def reward_delay(log: Log, voice: Voice) -> Finding | None:
    """Amber where much comes late. None where nobody told when rewards came, or few did."""
    if log.arrivals is None:
        return None
    told = ~np.isnan(log.arrivals)
    if int(told.sum()) < LEAST_ROUNDS:
        return None
    values, counts = np.unique(log.rewards, return_counts=True)
    earned = np.abs(log.rewards - values[np.argmax(counts)])[told]
    came = log.arrivals[told]
    total = float(earned.sum())
    if total == 0.0:
        return None
    late = came > LATE
    share = float(earned[late].sum()) / total
    order = np.argsort(came)
    half = float(came[order][np.searchsorted(np.cumsum(earned[order]), total / 2.0)])
    numbers = {"late": share, "half": half, "rounds": float(told.sum())}
    parts = {"share": voice.percent(share), "half": voice.percent(half, 0)}
    if share >= AMBER_SHARE and int(late.sum()) >= LEAST_LATE:
        return voice.finding("reward_delay", Severity.AMBER, CENSORED, numbers, **parts)
    return voice.finding("reward_delay", Severity.GREEN, IN_TIME, numbers, **parts)

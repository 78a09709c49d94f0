"""Do rewards differ at all?"""

import numpy as np

from simulator.checks.wording import Voice
from simulator.findings import Finding, Severity
from simulator.logs.log import Log

CONSTANT = {
    "en": (
        "All {n} rounds have the reward {reward}: no policy can be told from another.",
        "Wait for rewards, or check that they arrive.",
    ),
    "es": (
        "Las {n} decisiones tienen la recompensa {reward}: no se puede distinguir una política de otra.",
        "Espere recompensas, o compruebe que llegan.",
    ),
}
VARY = {
    "en": ("{rewarded} of {n} rounds {rewarded:has|have} a reward other than the commonest, {reward}.", ""),
    "es": (
        "{rewarded} de {n} decisiones {rewarded:tiene|tienen} una recompensa distinta de la más común, {reward}.",
        "",
    ),
}


def rewards(log: Log, voice: Voice) -> Finding:
    """Red where all are alike."""
    values, counts = np.unique(log.rewards, return_counts=True)
    n, common = len(log), int(np.argmax(counts))
    other = n - int(counts[common])
    parts = {"n": voice.count(n), "reward": voice.language.number(float(values[common]))}
    numbers = {"n": float(n), "rewarded": float(other)}
    if not other:
        return voice.finding("rewards", Severity.RED, CONSTANT, numbers, **parts)
    return voice.finding("rewards", Severity.GREEN, VARY, numbers, rewarded=voice.count(other), **parts)

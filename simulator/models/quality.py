"""How good a model of the rewards is, on people it was not fitted on."""

import numpy as np

from simulator.logs.log import Floats, Log
from simulator.sentences import LANGUAGES, Language

LEAST = 1e-6
"""A chance is taken for no less than this, nor for more than 1 less this: one surprise must not be infinite."""


def quality(log: Log, q: Floats, language: Language = LANGUAGES["en"]) -> str:
    """A sentence: of clicks the log loss that q(x, chosen) saves, of other rewards the variance that it explains, both
    against the mean reward. (n, K) q: as cross-fitted.
    """
    predicted, rewards = q[np.arange(len(log)), log.chosen], log.rewards
    if np.isin(rewards, (0.0, 1.0)).all():
        gain = 1.0 - _log_loss(rewards, predicted) / _log_loss(rewards, np.full_like(rewards, rewards.mean()))
        told = language.model_saves
    else:
        gain = 1.0 - float(np.sum((rewards - predicted) ** 2)) / float(np.sum((rewards - rewards.mean()) ** 2))
        told = language.model_explains
    return told.format(share=language.cell(gain, 1)) if gain > 0.0 else language.model_worse


def _log_loss(rewards: Floats, chances: Floats) -> float:
    sure = np.clip(chances, LEAST, 1.0 - LEAST)
    return -float(np.mean(rewards * np.log(sure) + (1.0 - rewards) * np.log1p(-sure)))

"""Which method a log allows, and why."""

import numpy as np

from simulator.logs.log import Log
from simulator.replay.record import AUTO, PROGRESSIVE, REJECTION, SEQUENTIAL
from simulator.replay.words import WORDS
from simulator.sentences import LANGUAGES

LEAST_OWN = 200
"""Rounds that a learner should be able to call its own: with fewer it learns next to nothing."""
RARE = 0.01
"""The quantile of the logged propensities by which it is guessed how many there will be."""


def method_for(log: Log, asked: str, lang: str = "en") -> tuple[str, str]:
    """A method other than `auto`, and in a few words why."""
    words, language = WORDS[lang], LANGUAGES[lang]
    if asked != AUTO:
        return asked, words.as_asked
    if uniform(log):
        return REJECTION, words.uniform
    rare = float(np.quantile(log.propensities, RARE))
    if len(log) * rare >= LEAST_OWN:
        least, most = float(log.propensities.min()), float(log.propensities.max())
        return SEQUENTIAL, words.uneven.format(least=language.number(least, 3), most=language.number(most, 3))
    return PROGRESSIVE, words.rare.format(
        rare=language.number(rare, 3),
        own=language.whole(len(log) * rare),
        n=language.whole(len(log)),
        least=LEAST_OWN,
    )


def uniform(log: Log) -> bool:
    """Whether every eligible variant was equally probable, as far as the log tells, among as many in every round."""
    sizes = log.eligible.sum(axis=1)
    if sizes.min() != sizes.max() or not np.allclose(log.propensities, 1.0 / sizes, rtol=1e-6):
        return False
    return log.probabilities is None or bool(
        np.allclose(log.probabilities[log.eligible], 1.0 / float(sizes[0]), rtol=1e-6)
    )

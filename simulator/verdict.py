"""The plain sentence: who wins, or that the log can't tell."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.asked import Asked
from simulator.comparisons import called, paired
from simulator.estimators import Estimate, difference
from simulator.rows import LOGGED, Row
from simulator.sentences import Language


def verdict(rows: Sequence[Row], persons: NDArray[np.int64], asked: Asked) -> str:
    """Name the winner only if it beats every other judged row, pair by pair, on the same rounds.

    The best row is picked after seeing all values, and too often it is the luckiest one: any of the k(k-1)/2 pairs may
    be the one compared. Each is therefore judged at confidence 1 - (1 - confidence)/(k(k-1)/2) (Bonferroni).
    """
    judged, language = paired(rows, asked.headline), asked.language
    ranking = sorted(judged, key=lambda name: -judged[name].value)
    best, others = ranking[0], ranking[1:]
    value = _told(judged[best], language)
    if not others:
        return language.sentence(language.only, value=value)
    strict = 1.0 - (1.0 - asked.confidence) / (len(ranking) * len(others) / 2.0)
    ahead = {name: difference(judged[best], judged[name], persons, confidence=strict) for name in others}
    rivals = [name for name in others if ahead[name].low <= 0.0]
    if not rivals:
        return language.sentence(
            language.best,
            policy=called(best, language),
            value=value,
            next=called(others[0], language),
            second=language.number(judged[others[0]].value),
        )
    tied = language.listed([called(name, language) for name in (best, *rivals)])
    text = language.sentence(language.tied, count=len(rivals) + 1, policies=tied, value=value)
    if best == LOGGED:
        return text
    template = language.tied_and_not_better if LOGGED in rivals else language.tied_but_better
    logged = language.number(judged[LOGGED].value)
    return f"{text} {language.sentence(template, policy=called(best, language), logged=logged)}"


def _told(found: Estimate, language: Language) -> str:
    return f"{language.number(found.value)} {language.interval(found.low, found.high, 4)}"

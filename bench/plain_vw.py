"""Vowpal Wabbit's Python package as its documentation shows it: some settings and ways to write numbers, searched.

What a user who tries several things and keeps the best would reach. The settings are those that did best of about two
hundred: explorations, interactions, learning rates, and how numbers are written.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import vowpalwabbit
from numpy.typing import NDArray

from bench.bandit_sets import one_pass
from policies.types import Pmf
from simulator.worlds.classification import problem

Floats = NDArray[np.float64]

_RANGE = "--cb_min_cost -1 --cb_max_cost 0"
_OWN = "--quadratic ca"
_PAIRS = "--quadratic ca --cubic cca"


def _as_is(x: Floats) -> list[str]:
    return [_numbers(row) for row in x]


def _standardised(x: Floats) -> list[str]:
    """By the whole set, which a user who knows the data can do beforehand."""
    spread = x.std(axis=0)
    return [_numbers(row) for row in (x - x.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)]


def _in_ranges(x: Floats) -> list[str]:
    """Each number as one of 8 ranges of about equal counts in the whole set."""
    cuts = [np.unique(np.quantile(column, np.linspace(0.0, 1.0, 9)[1:-1])) for column in x.T]
    ranges = np.transpose([np.searchsorted(cut, column) for cut, column in zip(cuts, x.T, strict=True)])
    return [" ".join(f"f{i}={place}" for i, place in enumerate(row)) for row in ranges]


def _logarithmic(x: Floats) -> list[str]:
    return [_numbers(row) for row in np.sign(x) * np.log1p(np.abs(x))]


def _numbers(row: Floats) -> str:
    return " ".join(f"f{i}:{number:.6g}" for i, number in enumerate(row) if number)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a user chooses: the arguments, and how the numbers of a context are written."""

    arguments: str
    written: Callable[[Floats], list[str]]


SETTINGS = (
    Setting(f"--softmax --lambda 20 {_PAIRS}", _logarithmic),
    Setting(f"--softmax --lambda 50 {_PAIRS}", _as_is),
    Setting(f"--softmax --lambda 20 {_PAIRS} --learning_rate 2", _in_ranges),
    Setting(f"--squarecb --gamma_scale 100 {_RANGE} {_PAIRS}", _logarithmic),
    Setting(f"--squarecb --gamma_scale 100 {_RANGE} {_PAIRS} --learning_rate 2", _in_ranges),
    Setting(f"--squarecb --gamma_scale 1000 {_RANGE} {_OWN}", _standardised),
    Setting(f"--regcbopt --mellowness 0.01 {_RANGE} {_OWN}", _standardised),
    Setting(f"--epsilon 0.0001 {_OWN}", _standardised),
)


def earned(name: str, setting: int, shuffle: int) -> float:
    """The mean reward of one pass over a set under one of SETTINGS, with costs -1 and 0."""
    given, tried = problem(name), SETTINGS[setting]
    contexts = [f"shared |c {text}" for text in tried.written(given.x)]
    variants = [f"|a v{i}" for i in range(len(given.variants))]
    workspace = vowpalwabbit.Workspace(f"--quiet --cb_explore_adf --random_seed {shuffle} {tried.arguments}")

    def pmf(row: int) -> Pmf:
        raw = np.array(workspace.predict([contexts[row], *variants]))
        return np.asarray(raw / raw.sum())  # the optimistic regcb gives 1 to each of those that tie

    def learn(row: int, probabilities: Pmf, chosen: int, reward: float) -> None:
        labelled = [*variants]
        labelled[chosen] = f"0:{-reward:g}:{probabilities[chosen]:g} {variants[chosen]}"
        workspace.learn([contexts[row], *labelled])

    return one_pass(given, shuffle, pmf, learn)

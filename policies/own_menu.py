"""The menu's lines that we learn ourselves."""

from collections.abc import Mapping
from typing import Any

from policies.best_variant import best_variant
from policies.entries import Entry, Given, Rule, number, one_of, whole
from policies.linear import LinearLearner
from policies.segmentation import MAX_SEGMENTS
from policies.segments import AS_FEATURE, MODELS, seeing_segments, segments
from policies.thompson import gaussian, thompson

_RIDGE = Rule(
    "0 (the most likely one) or a number from 0.001 to 1e+06",
    lambda value: not isinstance(value, str) and (value == 0.0 or 1e-3 <= value <= 1e6),
    0.0,
)
_FORGETTING = {"half_life": number(0.0, 1e12, 0.0)}
_SEGMENTS = {"by": Rule("the name of a context key", lambda value: isinstance(value, str), ""), **_FORGETTING}


def _common(given: Given) -> dict[str, Any]:
    return {"reward_range": given.reward_range, "half_life": given.number("half_life"), "state": given.state}


OWN_MENU: Mapping[str, Entry] = {
    "thompson": Entry(
        "as often as it is probably the best: Thompson sampling for rewards that come or don't (Beta–Bernoulli)",
        lambda given: thompson(by=str(given.parameters["by"]), **_common(given)),
        _SEGMENTS,
        learns=True,
    ),
    "gaussian": Entry(
        "as often as it is probably the best: Thompson sampling for amounts (Normal, unknown mean and variance)",
        lambda given: gaussian(by=str(given.parameters["by"]), **_common(given)),
        _SEGMENTS,
        learns=True,
    ),
    "linear": Entry(
        "as often as its expected reward, linear in the context, is probably the highest (Agrawal and Goyal 2013)",
        seeing_segments(lambda given: LinearLearner(ridge=given.number("ridge"), **_common(given))),
        {"ridge": _RIDGE, **_FORGETTING, **AS_FEATURE},
        learns=True,
    ),
    "best_variant": Entry(
        "the best single variant, whatever the context: an A/B test that moves to its winner as it finds it",
        lambda given: best_variant(**_common(given)),
        _FORGETTING,
        learns=True,
    ),
    "segments": Entry(
        "as often as it is probably the best for people of the same kind, the kinds found by k-means over contexts",
        lambda given: segments(
            k=int(given.number("k")), model=str(given.parameters["model"]), seed=given.seed, **_common(given)
        ),
        {"k": whole(2, MAX_SEGMENTS, 8), "model": one_of(MODELS, "thompson"), **_FORGETTING},
        learns=True,
    ),
}
"""Learners with exact posteriors. Before the first example all are uniform."""

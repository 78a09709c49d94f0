"""Which variants have something in common, by their features: what MIPS and the kernel estimator build on."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from policies.types import Action, Value
from simulator.logs.log import Floats

CYCLES = {"hour": 24.0, "weekday": 7.0}
"""Features whose ends meet, and after how much."""


def kinds_of(actions: Sequence[Action], feature: str = "") -> NDArray[np.intp]:
    """(K,) codes, alike where the features are, or only the one named. Raises ValueError, with the reason, where that
    makes no kinds: no features, all actions of one kind, or each of its own.
    """
    known = sorted({name for action in actions for name in action.features})
    if not known:
        raise ValueError(f"the variants have no features ({[action.id for action in actions][:5]})")
    if feature and feature not in known:
        raise ValueError(f"no variant has a feature {feature!r}; known: {known}")
    described = [_described(action, feature) for action in actions]
    codes = {kind: code for code, kind in enumerate(dict.fromkeys(described))}
    by = f"by {feature!r}" if feature else "by their features"
    if len(codes) == 1:
        raise ValueError(f"{by} all {len(actions)} variants are of one kind, and nothing tells them apart")
    if len(codes) == len({action.id for action in actions}):
        raise ValueError(f"{by} each of {len(codes)} variants is a kind of its own: MIPS would be IPS; name a feature")
    return np.array([codes[kind] for kind in described], dtype=np.intp)


def places_of(actions: Sequence[Action], feature: str = "") -> tuple[Floats, float | None]:
    """(K,) where each action lies on a scale, and after how much the scale begins again, if it does. Raises ValueError,
    with the reason, where it isn't plain which numeric feature all of them have.
    """
    numeric = [name for name in dict.fromkeys(actions[0].features) if all(_is_number(a, name) for a in actions)]
    if feature and feature not in numeric:
        raise ValueError(f"not every variant has a number {feature!r}; every one has: {numeric}")
    if not feature and len(numeric) != 1:
        raise ValueError(f"it takes one number that every variant has, and they have {numeric or 'none'}")
    name = feature or numeric[0]
    places = np.array([float(action.features[name]) for action in actions])  # type: ignore[arg-type]
    if np.unique(places).size < 2:
        raise ValueError(f"all variants have the same {name!r}, {places[0]:g}: there is no order")
    return places, CYCLES.get(name)


def _described(action: Action, feature: str) -> tuple[tuple[str, str, Value], ...]:
    names = [feature] if feature else sorted(action.features)
    return tuple((name, type(v).__name__, v) for name in names if (v := action.features.get(name)) is not None)


def _is_number(action: Action, name: str) -> bool:
    value = action.features.get(name)
    return isinstance(value, int | float) and not isinstance(value, bool)

"""Logs to learn from: contexts of bench.campaign, variants with features of their own, every draw alike."""

from itertools import islice

import numpy as np

from bench import campaign
from policies.base import uniform
from policies.types import Action, TrainingExample


def log_rows(count: int, variants: int, *, wide: bool = False, seed: int = 4) -> list[TrainingExample]:
    """So many decisions and what they earned. `wide`: each with five features that no other has."""
    rng = np.random.default_rng(seed)
    visitors = campaign.contexts(rng)
    actions = tuple(Action(f"headline-{i}", {"words": float(i % 7), "tone": f"tone-{i % 5}"}) for i in range(variants))
    rows = []
    for i, context in enumerate(islice(visitors, count)):
        chosen = int(rng.integers(variants))
        features = {**context, **{f"own-{j}": str(i) for j in range(5)}} if wide else context
        rows.append(TrainingExample(features, actions, uniform(variants), chosen, float(rng.random() < 0.2)))
    return rows

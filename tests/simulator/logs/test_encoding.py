"""Columns that were found out from some rows, made of others."""

from collections.abc import Callable

import numpy as np
import pytest

from policies.types import Features
from simulator import Log, NoSupport
from simulator.logs.encoding import LEVELS, Encoder, encode
from simulator.models.linear import CrossFitted, cross_fitted

MakeLog = Callable[..., Log]


def rows_of(n: int) -> list[Features]:
    """Numbers, texts, lists, a feature that is both, and one that is missing often."""
    rng = np.random.default_rng(2)
    mixed = (1.5, "a|b", True, ("x", "y"), (), -3.0)
    return [
        {
            "age": float(rng.normal()),
            "city": f"c{rng.integers(2 * LEVELS)}",
            f"often{place % 3}": 1.0,
            "f": mixed[place % 6],
        }
        for place in range(n)
    ]


def test_pieces_have_the_columns_of_the_whole() -> None:
    rows = rows_of(1200)
    encoder = Encoder.fit(rows)
    pieces = [encoder.transform(rows[start : start + 500]).toarray() for start in range(0, 1200, 500)]
    assert np.array_equal(np.vstack(pieces), encode(rows).toarray())


def test_what_was_never_seen() -> None:
    """A new text is one of the others, a new feature is nothing, and a new number falls into a range."""
    encoder = Encoder.fit([{"city": "a", "age": 1.0}, {"city": "b", "age": 2.0}])
    constant, scaled, *ranges_and_texts = encoder.transform([{"city": "z", "age": 99.0, "new": 1.0}]).toarray()[0]
    assert (constant, scaled) == (1.0, 4.0), "far out, within what may rule the fit"
    assert sum(ranges_and_texts) == 2.0
    assert ranges_and_texts[-1] == 1.0, "the texts that have no column of their own"
    assert encoder.transform([{}]).toarray().tolist() == [[1.0] + [0.0] * (1 + len(ranges_and_texts))]


def test_models_predict_pieces_as_they_predict_the_whole(make_log: MakeLog) -> None:
    log = make_log(900, persons=200)
    folds = (log.persons % 3).astype(np.intp)
    model = CrossFitted.fit(log, folds, folds=3)
    whole = model.predict(log, folds)
    pieces = [model.predict(log[rows], folds[rows]) for rows in (np.s_[:100], np.s_[100:])]
    assert np.vstack(pieces) == pytest.approx(whole, rel=1e-12)
    assert np.std(whole) > 0.05
    assert whole.shape == cross_fitted(log).shape
    with pytest.raises(NoSupport, match="all 900 rounds are of one fold"):
        CrossFitted.fit(log, np.zeros(900, dtype=np.intp), folds=1)

"""What is said beside the numbers of a log in pieces, in both languages."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from simulator.rows import Period
from simulator.sentences import LANGUAGES
from simulator.streams.judge import WHOLE
from simulator.streams.notes import notes_of
from simulator.streams.survey import SKETCH


@pytest.mark.parametrize(
    ("lang", "hashes", "said"),
    [
        ("en", 2, "Intervals are clustered: 90,000 persons in 65,536 clusters, each person in one."),
        ("en", SKETCH, "Intervals are clustered: about 90,000 persons in 65,536 clusters, each person in one."),
        (
            "es",
            2,
            "Los intervalos tratan a las personas por grupos: 90.000 personas en 65.536 grupos, cada una en uno.",
        ),
        ("es", SKETCH, "Los intervalos tratan a las personas por grupos: unas 90.000 personas en 65.536 grupos, "),
    ],
)
def test_a_sample_and_clusters_are_told(lang: str, hashes: int, said: str) -> None:
    survey: Any = SimpleNamespace(n=2_000_000, persons=90_000, hashes=np.zeros(hashes))
    judged: Any = SimpleNamespace(known=True, sums={WHOLE: SimpleNamespace(folded=True, clusters=65_536)})
    reader: Any = SimpleNamespace(timed=True, actions=("a", "b"))
    sample: Any = range(200_000)
    period = Period(0.0, 60.0, 2_000_000)
    first, second = notes_of(survey, judged, sample, period, None, reader=reader, language=LANGUAGES[lang])
    assert second.startswith(said)
    assert ("200,000 of the 2,000,000" if lang == "en" else "200.000 de las 2.000.000") in first

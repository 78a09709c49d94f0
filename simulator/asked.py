"""How everything of one evaluation is estimated and told."""

from dataclasses import dataclass, replace

from simulator.estimators.basis import SKEWED
from simulator.sentences import LANGUAGES, Language

LEAST_CONFIDENCE, MOST_CONFIDENCE = 0.001, 0.999_999
"""Of an interval. Beyond, and corrected for many policies, what it is searched by has no digits left."""


class EvaluationError(ValueError):
    """Nothing can be evaluated as asked; the message says why and what would help."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How every row is estimated. headline: the estimator to read first, and that of the gain. lang: of the sentences.
    force: numbers although a finding is red. unsound: why the log can judge no policy, where it was forced to.
    interval: one of `simulator.estimators.INTERVALS`. seed: of whatever is drawn.
    """

    estimators: tuple[str, ...]
    headline: str
    confidence: float
    lang: str = "en"
    force: bool = False
    unsound: str | None = None
    interval: str = SKEWED
    seed: int = 0

    @property
    def language(self) -> Language:
        """What the sentences are written in."""
        return LANGUAGES[self.lang]

    def of_unsound(self, why: str | None) -> "Asked":
        """The same, of a log that can judge no policy for this reason; None where it can."""
        return replace(self, unsound=why)


def check_asked(confidence: float, lang: str, **several: object) -> None:
    """Raises EvaluationError for what no evaluation can be asked. several: of what there can be more than one, by name;
    a text in place of a list would be read letter by letter.
    """
    for name, value in several.items():
        if isinstance(value, str):
            raise EvaluationError(f"{name}: {value!r}, expected a list, as [{value!r}]")
    if not LEAST_CONFIDENCE <= confidence <= MOST_CONFIDENCE:
        raise EvaluationError(
            f"confidence {confidence}: expected a number from {LEAST_CONFIDENCE} to {MOST_CONFIDENCE}, such as 0.95"
        )
    if lang not in LANGUAGES:
        raise EvaluationError(f"language {lang!r}: expected one of {list(LANGUAGES)}")

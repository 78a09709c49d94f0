"""What has to be said beside the numbers of a log that was read in pieces."""

from collections.abc import Iterator

from simulator.candidates import MAX_FIXED
from simulator.evaluation import Period
from simulator.logs.log import Log
from simulator.streams.judge import WHOLE, Judged
from simulator.streams.pieces import Reader
from simulator.streams.survey import SKETCH, Survey


def notes_of(
    survey: Survey, judged: Judged, sample: Log, period: Period, trained: Period | None, *, reader: Reader
) -> tuple[str, ...]:
    """One line each."""
    return tuple(_notes(survey, judged, sample, period, trained, reader))


def _notes(
    survey: Survey, judged: Judged, sample: Log, period: Period, trained: Period | None, reader: Reader
) -> Iterator[str]:
    if trained is not None:
        yield f"Learners named by specification were trained on {trained}."
    if period.n < survey.n:
        yield f"Every row is judged on the same period: {period}."
    if not reader.timed:
        yield "This log has no times: the order of its rows stands for the order in time."
    if not judged.known:
        yield "Only the propensity of what was chosen is known: support is estimated from the weights."
    variants = len(reader.actions or ())
    if variants > MAX_FIXED:
        yield f"Of {variants} variants, the {MAX_FIXED} most often eligible stand as fixed policies."
    if len(sample) < survey.n:
        yield (
            f"This log was read in pieces. The model of the rewards was fitted, and the log as a whole was checked, on "
            f"a sample of its persons with {len(sample):,} of the {survey.n:,} rounds."
        )
    if judged.sums[WHOLE].folded:
        about = "about " if survey.hashes.size >= SKETCH else ""
        yield (
            f"Intervals are clustered: {about}{survey.persons:,} persons in {judged.sums[WHOLE].clusters:,} clusters, "
            "each person in one."
        )

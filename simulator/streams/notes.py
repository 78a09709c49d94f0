"""What has to be said beside the numbers of a log that was read in pieces."""

from collections.abc import Iterator

from simulator.candidates import MAX_FIXED
from simulator.evaluation import Period
from simulator.logs.log import Log
from simulator.sentences import Language
from simulator.streams.judge import WHOLE, Judged
from simulator.streams.pieces import Reader
from simulator.streams.survey import SKETCH, Survey


def notes_of(
    survey: Survey,
    judged: Judged,
    sample: Log,
    period: Period,
    trained: Period | None,
    *,
    reader: Reader,
    language: Language,
) -> tuple[str, ...]:
    """One line each."""
    return tuple(_notes(survey, judged, sample, period, trained, reader, language))


def _notes(
    survey: Survey,
    judged: Judged,
    sample: Log,
    period: Period,
    trained: Period | None,
    reader: Reader,
    language: Language,
) -> Iterator[str]:
    if trained is not None:
        yield language.trained_on.format(period=trained.told(language.period, language.thousands))
    if period.n < survey.n:
        yield language.judged_on.format(period=period.told(language.period, language.thousands))
    if not reader.timed:
        yield language.no_times
    if not judged.known:
        yield language.support_estimated
    variants = len(reader.actions or ())
    if variants > MAX_FIXED:
        yield language.some_fixed.format(variants=language.whole(variants), most=MAX_FIXED)
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

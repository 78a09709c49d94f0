"""What has to be said beside the numbers of a log that was read in pieces."""

from collections.abc import Iterator

from simulator.candidates import MAX_FIXED
from simulator.logs.log import Log
from simulator.rows import Period
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
        yield language.trained_on.format(period=trained.told(language))
    if period.n < survey.n:
        yield language.judged_on.format(period=period.told(language))
    if not reader.timed:
        yield language.no_times
    if not judged.known:
        yield language.support_estimated
    variants = len(reader.actions or ())
    if variants > MAX_FIXED:
        yield language.some_fixed.format(variants=language.whole(variants), most=MAX_FIXED)
    if len(sample) < survey.n:
        yield language.sampled.format(sample=language.whole(len(sample)), n=language.whole(survey.n))
    if judged.sums[WHOLE].folded:
        told = language.clustered_about if survey.hashes.size >= SKETCH else language.clustered
        persons, clusters = survey.persons, judged.sums[WHOLE].clusters
        yield told.format(persons=language.whole(persons), clusters=language.whole(clusters))

"""What has to be said beside the numbers of an evaluation, one line each."""

from collections.abc import Iterator, Sequence

from simulator.asked import Asked
from simulator.candidates import MAX_FIXED
from simulator.estimators import ANYTIME, INTERVALS, USUAL, estimator_of
from simulator.estimators.best import BEST
from simulator.judging import period_of
from simulator.leaks import shared_persons
from simulator.logs.log import Log
from simulator.logs.propensities import remark
from simulator.sentences import Language


def notes_on(log: Log, judged: Log, trained: Log | None, language: Language) -> Iterator[str]:
    """What to know of every row: what was trained on, what is judged, what the log can't tell."""
    if trained is not None:
        yield language.trained_on.format(period=period_of(trained).told(language))
        if shared := shared_persons(trained, judged, language):
            yield shared
    if len(judged) < len(log):
        yield language.judged_on.format(period=period_of(judged).told(language))
    if not log.timed:
        yield language.no_times
    if log.propensities_estimated:
        yield remark(log, language)
    elif log.probabilities is None:
        yield language.support_estimated
    if len(log.ids) > MAX_FIXED:
        yield language.some_fixed.format(variants=language.whole(len(log.ids)), most=MAX_FIXED)


def notes_on_left_out(wanted: Sequence[str], asked: Asked, *, kept: Sequence[str] = ()) -> Iterator[str]:
    """Which of the usual estimators were meant, and are not there, and why. kept: others, of which it was said."""
    interval, language, kept = asked.interval, asked.language, (*asked.estimators, *kept)
    left = [name for name in (USUAL if set(wanted) == {BEST} else dict.fromkeys(wanted)) if name not in kept]
    lacking = [name for name in left if estimator_of(name).kind not in INTERVALS[interval]]
    if lacking:
        yield language.no_interval.format(interval=interval, estimators=", ".join(lacking))
    if others := [name for name in left if name not in lacking]:
        yield language.no_model.format(estimators=", ".join(others))


def notes_on_method(asked: Asked, *, learning: bool) -> Iterator[str]:
    """What to know of the intervals, where they are not the usual ones. learning: learners were trained on a part."""
    if asked.interval == ANYTIME:
        yield asked.language.anytime
        if learning:
            yield asked.language.anytime_learned

"""Other ways to look at the same rounds: by group, in one stretch of time after the other, by metric.

Every policy is trained and asked once. A view only says which rounds are judged together, and by which reward.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

import numpy as np

from policies.types import RewardRange
from simulator.asked import EvaluationError
from simulator.evaluation import Group, View
from simulator.groups import MIN_ROUNDS, By, Grouping, asked_groups, groups_of
from simulator.judging import nothing_to_tell
from simulator.logs.log import Flags, Floats, Log
from simulator.rows import Row
from simulator.sentences import LANGUAGES, Language

MAX_STRETCHES = 120
"""More would be a figure that nobody reads, and as many chances that one differs by luck."""
MIDNIGHT = "%Y-%m-%d"
MOMENT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Cut:
    """One group of a view. kind, key: of the `View`; members: (n,) of the judged rounds; rewards: (n,) of all of them,
    where they are judged by a metric in place of the reward; refusal: why nothing can be judged here.
    """

    kind: str
    key: str
    name: str
    members: Flags
    refusal: str | None
    note: str = ""
    rewards: Floats | None = None


def cuts_of(
    log: Log,
    judged: Log,
    *,
    by: Grouping | None = None,
    every: timedelta | None = None,
    metrics: Mapping[str, Sequence[float] | Floats] | None = None,
    lang: str = "en",
) -> list[Cut]:
    """What to judge beside the whole of `judged`, which are the last rounds of `log`.

    Raises EvaluationError for stretches that can't be told, and for metrics that are not one finite number a round.
    """
    language = LANGUAGES[lang]
    cuts = [cut for one in asked_groups(by, log.contexts.keys) for cut in _groups(log, judged, one, lang)]
    if every is not None:
        cuts += _stretches(judged, every, language)
    for name, values in (metrics or {}).items():
        cuts.append(_metric(log, judged, name, np.asarray(values, np.float64), language))
    return cuts


def valued(log: Log, rewards: Floats) -> Log:
    """The same rounds with other rewards; what a mean of them can be is from 0 to 1, or what was seen."""
    bounds = RewardRange(min(0.0, float(rewards.min())), max(1.0, float(rewards.max())))
    return replace(log, rewards=rewards, reward_range=bounds)


def gathered(cuts: Sequence[Cut], rows: Mapping[int, Sequence[Row]]) -> tuple[View, ...]:
    """The views; rows: by the place of their cut, none for a cut that is refused."""
    found = []
    for (kind, key), places in groupby(range(len(cuts)), key=lambda place: (cuts[place].kind, cuts[place].key)):
        groups = [
            Group(cut.name, int(cut.members.sum()), tuple(rows.get(place, ())), cut.refusal, cut.note)
            for place, cut in ((place, cuts[place]) for place in places)
        ]
        found.append(View(kind, key, tuple(groups)))
    return tuple(found)


def of_first_key(views: Sequence[View]) -> tuple[View | None, tuple[View, ...]]:
    """The view of the first key that was asked for, which an evaluation shows as its groups; and the others."""
    first = next((view for view in views if view.kind == "group"), None)
    return first, tuple(view for view in views if view is not first)


def _groups(log: Log, judged: Log, by: By, lang: str) -> Iterator[Cut]:
    if by.values is not None:
        if len(by.values) != len(log):
            raise EvaluationError(
                f"groups by {by.key!r}: {len(by.values):,} values, expected one a round: {len(log):,}"
            )
        by = replace(by, values=by.values[len(log) - len(judged) :])
    for name, members in groups_of(judged.contexts, by, lang=lang):
        yield Cut("group", by.key, name, members, _untold(judged[members], LANGUAGES[lang]), by.notes.get(name, ""))


def _stretches(judged: Log, every: timedelta, language: Language) -> Iterator[Cut]:
    """From midnight UTC before the first round on, so that days are days and hours are hours."""
    if not judged.timed:
        raise EvaluationError(
            f"log {judged.name!r} has no times, only an order: it can't be cut into stretches of time"
        )
    if not isinstance(every, timedelta):
        raise EvaluationError(f"stretches of {every!r}: expected a timedelta, such as timedelta(days=1)")
    if every < timedelta(minutes=1):
        raise EvaluationError(f"stretches of {every}: expected at least 1 minute")
    first = datetime.fromtimestamp(float(judged.times[0]), tz=UTC)
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    which = np.floor_divide(judged.times - midnight.timestamp(), every.total_seconds()).astype(np.int64)
    found = np.unique(which)
    if found.size > MAX_STRETCHES:
        days = (judged.times[-1] - judged.times[0]) / 86_400
        raise EvaluationError(
            f"{found.size:,} stretches of {_length(every)} in {days:.3g} days: expected at most {MAX_STRETCHES}; "
            "ask for longer ones"
        )
    written = MIDNIGHT if every % timedelta(days=1) == timedelta() else MOMENT
    for place in found:
        members: Flags = which == place
        begun = midnight + int(place) * every
        yield Cut("time", _length(every), f"{begun:{written}}", members, _untold(judged[members], language))


def _metric(log: Log, judged: Log, name: str, values: Floats, language: Language) -> Cut:
    if values.shape != (len(log),) or not np.isfinite(values).all():
        raise EvaluationError(f"metric {name!r}: expected one finite number a round, {len(log):,} of them")
    rewards = values[len(log) - len(judged) :]
    everybody = np.ones(len(judged), dtype=bool)
    return Cut("metric", "", name, everybody, nothing_to_tell(valued(judged, rewards), language), rewards=rewards)


def _untold(log: Log, language: Language) -> str | None:
    """Why these rounds can't be judged by themselves; None where they can."""
    if len(log) < MIN_ROUNDS:
        return language.too_few_rounds.format(n=language.whole(len(log)), least=MIN_ROUNDS)
    return nothing_to_tell(log, language)


def _length(every: timedelta) -> str:
    """As people write it: 1d, 12h, 1h30m."""
    minutes, seconds = divmod(every.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((every.days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{value}{unit}" for value, unit in parts if value)

"""What would make a policy look better than it is: being judged by what it learned from."""

import numpy as np

from simulator.candidates import Candidate
from simulator.logs.distinct import distinct
from simulator.logs.log import Log, when
from simulator.sentences import LANGUAGES, Language


def leak(candidate: Candidate, judged: Log, language: Language = LANGUAGES["en"]) -> str | None:
    """Which of the rounds that are to judge it a policy may have learned from; None where it learned from none."""
    if candidate.judged_after is None or candidate.judged_after < judged.times[0]:
        return None
    inside = judged.times <= candidate.judged_after
    ends = (float(judged.times[inside][place]) for place in (0, -1))
    start, end = (when(time, timed=judged.timed, row=language.row) for time in ends)
    return language.learned_from.format(n=language.whole(int(inside.sum())), start=start, end=end)


def shared_persons(trained: Log, judged: Log, language: Language = LANGUAGES["en"]) -> str | None:
    """A note where persons are both in what was learned and in what judges, parts of one log; None where none is."""
    persons = distinct(judged.persons)
    known = np.isin(persons, trained.persons)
    if not known.any():
        return None
    counted = {"persons": language.whole(persons.size), "known": language.whole(int(known.sum()))}
    return language.shared_persons.format(**counted)

"""What would make a policy look better than it is: being judged by what it learned from."""

import numpy as np

from simulator.candidates import Candidate
from simulator.logs.distinct import distinct
from simulator.logs.log import Log, when


def leak(candidate: Candidate, judged: Log) -> str | None:
    """Which of the rounds that are to judge it a policy may have learned from; None where it learned from none."""
    if candidate.judged_after is None or candidate.judged_after < judged.times[0]:
        return None
    inside = judged.times <= candidate.judged_after
    start, end = (when(float(judged.times[inside][place]), timed=judged.timed) for place in (0, -1))
    return f"it may have learned from {int(inside.sum()):,} of the rounds that judge it, from {start} to {end}"


def shared_persons(trained: Log, judged: Log) -> str | None:
    """A note where persons are both in what was learned and in what judges, parts of one log; None where none is."""
    persons = distinct(judged.persons)
    known = np.isin(persons, trained.persons)
    if not known.any():
        return None
    return (
        f"Of the {persons.size:,} persons who judge, {int(known.sum()):,} were learned from as well, "
        "in earlier decisions: what is told holds for such a mix of known and new persons."
    )

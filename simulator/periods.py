"""What is trained on, and what is judged on.

The rule of the period. Without anything trained, every row is judged on the whole log. A learner named by its
specification is trained on the earlier `train_share` of the rounds, in log order, in one pass, and judged on what is
later; a snapshot is judged only on what is later than its training. So that all rows are comparable, all of them are
judged on one period: what is later than the latest of these moments. A snapshot that would leave less than a tenth of
the log is refused instead of narrowing the period of the others.
"""

from collections.abc import Sequence

import numpy as np

from simulator.candidates import Entry
from simulator.logs.log import Log
from simulator.sentences import LANGUAGES, Language

MIN_JUDGED_SHARE = 0.1


def periods(
    log: Log, asked: Sequence[Entry], train_share: float, *, language: Language = LANGUAGES["en"]
) -> tuple[Log | None, Log, dict[str, str]]:
    """What to train on, what to judge on, and by name the refusals of snapshots that leave too little to judge."""
    trained, starts = None, [-np.inf]
    if any(entry.learner for entry in asked):
        trained, _ = log.split(train_share)
        starts.append(float(trained.times[-1]))
    late: dict[str, str] = {}
    for entry in asked:
        if entry.judged_after is None:
            continue
        left = int(np.count_nonzero(log.times > entry.judged_after))
        if refusal := too_late(left, len(log), language):
            late[entry.name] = refusal
        else:
            starts.append(entry.judged_after)
    start = max(starts)
    return trained, log if start == -np.inf else log[log.times > start], late


def too_late(left: int, n: int, language: Language) -> str | None:
    """Why a snapshot can't be judged on the `left` of n rounds that are later than its training; None where it can."""
    if left >= max(1.0, MIN_JUDGED_SHARE * n):
        return None
    parts = {"left": language.whole(left), "n": language.whole(n), "least": language.share(MIN_JUDGED_SHARE)}
    return language.too_late.format(**parts)

"""How findings are said: of one and of many."""

import pytest

from server.training.doctor import ALL_LEARNED, AT_IT, COULD_BE, FAILS
from server.training.findings import Said, Voice
from server.training.of_campaign import OBSERVED_UNLEARNED, OVERDUE
from server.training.of_choices import NEVER_SHOWN
from server.training.of_log import (
    AWAITED,
    CANCELLED,
    DECISIONS,
    DECISIONS_CEASED,
    ERASED,
    EXPIRED,
    FIRST_WINDOWS,
    LATE,
    SPOILT,
    UNDECLARED,
    UNMATCHED,
    WINDOWS,
)

EN, ES = Voice("en"), Voice("es")


@pytest.mark.parametrize(
    ("said", "one", "many"),
    [
        (DECISIONS, "1 decision, 1 in the last", "2 decisions, 2 in the last"),
        (DECISIONS_CEASED, "1 decision, 0 in", "2 decisions, 0 in"),
        (WINDOWS, "1 window is open; it closes at", "2 windows are open; the next closes at"),
        (FIRST_WINDOWS, "1 window is open; it closes at", "2 windows are open; the next closes at"),
        (AWAITED, "1 decision waits for its activation.", "2 decisions wait for their activation."),
        (
            UNMATCHED,
            "1 outcome belongs to no decision in the log, since",
            "2 outcomes belong to no decision in the log",
        ),
        (UNDECLARED, "1 outcome of x counts for nothing", "2 outcomes of x count for nothing"),
        (LATE, "outcomes came after its window, and does not", "outcomes came after their window, and do not"),
        (
            EXPIRED,
            "decisions was not activated in time, and counts",
            "were not activated in time, and count ",
        ),
        (CANCELLED, "as outcomes say, and counts", "as outcomes say, and count "),
        (ERASED, "was of a person since erased, and counts", "were of persons since erased, and count "),
        (SPOILT, "rewards is no number", "rewards are no number"),
        (OBSERVED_UNLEARNED, "was observed, and is not learned", "were observed, and are not learned"),
        (OVERDUE, "1 window has closed and has no reward", "2 windows have closed and have no reward"),
        (NEVER_SHOWN, "was eligible 1 time and", "was eligible 2 times and"),
        (ALL_LEARNED, "has learned the 1 reward there is.", "has learned all 2 rewards there are."),
        (AT_IT, "1 reward waits to be learned, since", "2 rewards wait to be learned, the first since"),
        (FAILS, "1 reward waits to be learned, since x: learning it fails", "the first since x: learning them fails"),
        (COULD_BE, "1 reward waits to be learned, since", "2 rewards wait to be learned, the first since"),
    ],
)
def test_one_is_one(said: Said, one: str, many: str) -> None:
    texts = dict.fromkeys(("at", "since", "metric", "declared", "error", "variant", "number", "reason"), "x")
    for number, told in ((1, one), (2, many)):
        counts = dict.fromkeys(("n", "today", "observed"), EN.count(number))
        assert told in EN.ok("rewards", said, all=EN.count(9), **counts, **texts).says


def test_so_it_is_in_spanish() -> None:
    told = [ES.ok("slot x", NEVER_SHOWN, variant="'a'", n=ES.count(number)).says for number in (1, 2)]
    assert told == [f"'a' fue posible {times} y no se mostró nunca." for times in ("1 vez", "2 veces")]

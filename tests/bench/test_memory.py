"""What is measured is there: the numbers are the machine's."""

import pytest

from bench import memory


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ROWS": 50, "SEGMENT": 20, "WARM": 20, "TRAINED": 50}.items():
        monkeypatch.setattr(memory, name, value)


def test_learners_take_what_their_weights_and_parsed_variants_take() -> None:
    a_parsed_variant = 32e3
    assert memory.of_learners(20).taken > 20 * memory.VARIANTS * a_parsed_variant


def test_every_tenth_decision_has_candidates_of_its_own() -> None:
    log = [row for row, _ in zip(memory._endless(), range(60), strict=False)]
    ids = [action.id for row in log for action in row.actions]
    assert len(set(ids)) == 7 * memory.VARIANTS
    assert len({row.context["days_away"] for row in log}) == 60


def test_decisions_leave_nothing_behind() -> None:
    assert memory.over_decisions(200).taken < 50e6

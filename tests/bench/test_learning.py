"""Which tables there are, of which rows."""

from pathlib import Path

import pytest

from bench import learning
from bench.classification import PLAIN, TOLD
from bench.figures import Figures, as_text
from bench.learning import LEARNERS, TABLES, Table, main, measure
from bench.upworthy import REFERENCES
from policies.registry import MENU, PolicySpec, check, learns


def test_everything_on_the_menu_that_learns_has_its_row() -> None:
    assert set(LEARNERS) == {name for name in MENU if learns(PolicySpec(name))} >= {"linear", "squarecb"}
    for name in ("classification", "hillstrom"):
        assert set(LEARNERS) <= set(TABLES[name].policies)


def test_every_row_is_a_policy_or_a_reference() -> None:
    references = {PLAIN, TOLD, *REFERENCES}
    for table in TABLES.values():
        assert len(set(table.policies)) == len(table.policies)
        for policy in set(table.policies) - references:
            spec = PolicySpec.parse(policy)
            check(spec)
            assert spec.name in MENU


def test_absent_data_leave_a_table_out_and_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELIGE_SHARED", str(tmp_path))
    for figures in measure(["hillstrom", "upworthy"]):
        assert "left out, no " in as_text(figures)
        assert "ELIGE_SHARED may name another folder" in as_text(figures)


def test_one_table_of_some_policies_can_be_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def rows(name: str) -> Table:
        return Table(lambda of, n: Figures(name, ("p", "n"), tuple((p, str(n)) for p in of), {}), ("usual",), 7)

    monkeypatch.setattr(learning, "TABLES", {"one": rows("one"), "two": rows("two")})
    main(["--only", "two", "--policy", "linear", "--policy", "bag", "--repeats", "3"])
    printed = capsys.readouterr().out
    assert "| linear | 3 |" in printed
    assert "| bag    | 3 |" in printed
    assert "one" not in printed
    main([])
    printed = capsys.readouterr().out
    assert printed.count("| usual | 7 |") == 2

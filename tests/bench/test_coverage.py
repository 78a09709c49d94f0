"""The benchmark of intervals, on its hardest kind of cell; what it measures at length is in the documentation."""

import pytest

from bench.coverage import Counted, cell, main, world


def test_the_intervals_hold_where_symmetric_ones_do_not_and_are_narrower_than_the_widest() -> None:
    """6 % rewards, weights to 42, 300 rounds: 300 logs, hence a standard error of .012 at .95."""
    counted = Counted(cell(0.06, 42, 300, 1, 300, 0), world(0.06, 42).truth)
    for name in ("SNIPS", "DR"):
        assert counted.covers(name) > 0.93
        assert counted.covers(f"{name}, symmetric") < 0.85
        assert counted.width(name) < 0.9 * counted.width("Cressie-Read")


def test_the_world_earns_what_it_says_and_has_the_weights_it_says() -> None:
    for heaviest in (8, 42, 200):
        of = world(0.06, heaviest)
        assert abs(of.truth - 0.06) < 0.002
        assert of.possible.max_weight <= heaviest * 1.1
        assert (of.policy / of.logged).max() > 0.85 * heaviest


def test_tables_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--logs", "2", "--only", "people"])
    assert "| common, weights to 42, 2,000 rounds, 10 a person |" in capsys.readouterr().out


def test_other_intervals_hold_the_truth_too() -> None:
    """The same kind of cell, 60 logs, a standard error of .03: a bootstrap knows nothing of what was not drawn."""
    names = ("likelihood", "bootstrap", "empirical_bernstein", "anytime")
    counted = Counted(cell(0.06, 42, 300, 1, 60, 0, names), world(0.06, 42).truth, names)
    for name in ("likelihood", "empirical_bernstein", "anytime"):
        assert counted.covers(name) > 0.9
    assert counted.width("likelihood") < 0.5 * counted.width("anytime")


def test_an_unknown_interval_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--logs", "2", "--intervals", "exact"])
    assert "no interval 'exact'; there are: SNIPS, " in capsys.readouterr().err

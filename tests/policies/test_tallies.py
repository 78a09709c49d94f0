import pytest

from policies import tallies
from policies.tallies import Tallies


def test_variants_that_were_not_chosen_for_longest_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "MAX_VARIANTS", 20)
    found = Tallies()
    found.add("stays", "x", 1.0)
    for i in range(20):
        found.add(f"v{i:02}", "x", 1.0)
        found.add("stays", None, 0.0)
    assert found.of("v00") == found.of("v00", "x") == found.of("never")
    assert found.of("v01") == found.of("never")  # a tenth at a time
    assert found.of("v02", "x").n == found.of("v19").n == 1.0
    assert found.of("stays").n == 21.0
    assert found.of().n == 41.0  # what they said of everybody stays
    again = Tallies()
    again.load(found.dump("x"), "x")
    for one in (found, again):
        one.add("w0", None, 1.0)
        one.add("w1", None, 1.0)
    assert again.dump("x") == found.dump("x")

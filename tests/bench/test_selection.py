"""The benchmark of choosing an estimator, in one cell; what it measures at length is in the documentation."""

from bench.selection import NAMES, cell


def test_where_rewards_are_rare_and_weights_large_the_choice_is_better_than_any_unbiased_estimate() -> None:
    errors = dict(zip(NAMES, cell(0.06, 200, 2_000, 40), strict=True))
    assert errors["best"] < 0.75 * min(errors["ips"], errors["snips"], errors["dr"])
    assert errors["dm"] <= errors["best"]

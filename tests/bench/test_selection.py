"""The benchmark of choosing an estimator, in one cell; what it measures at length is in the documentation."""

from bench.selection import NAMES, POOR, cell


def test_where_rewards_are_rare_and_weights_large_the_choice_is_better_than_any_unbiased_estimate() -> None:
    errors = dict(zip(NAMES, cell(0.06, 200, 2_000, 40), strict=True))
    assert errors["best"] < 0.75 * min(errors["ips"], errors["snips"], errors["dr"])
    assert errors["dm"] <= errors["best"]


def test_a_poor_model_is_left_alone_where_the_log_shows_that_it_is() -> None:
    errors = dict(zip(NAMES, cell(0.4, 8, 2_000, 20, POOR), strict=True))
    assert errors["best"] < 1.4 * errors["dr"] < 0.3 * errors["dm"]

"""The answers of the Open Bandit Pipeline, on its own arrays."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from simulator.estimators import dm, dr, expectation, ips, sndr, snips
from simulator.estimators.estimate import symmetric
from simulator.estimators.weights import KERNELS, clipped, shrunk, slope, smoothed, switched
from simulator.intervals.bernstein import half_width

CASES = ["synth_tiny", "synth_on_policy", "synth_deficient_support", "obd_men_random_to_bts"]
Z = float(stats.norm.ppf(0.975))


def arrays(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    with np.load(folder / "inputs.npz") as stored:
        raw = {name: stored[name] for name in stored}
    expected = {item["estimator"]: item for item in json.loads((folder / "expected.json").read_text())["estimators"]}
    rows = np.arange(len(raw["action"]))
    if "position" in raw:
        target = raw["action_dist_by_position"].T[raw["position"]].astype(np.float64)
        q = raw["q_hat_at_position"].astype(np.float64)
    else:
        target, q = raw["action_dist"], raw["q_hat"].astype(np.float64)
    chosen = raw["action"].astype(np.intp)
    inputs = {
        "rewards": raw["reward"].astype(np.float64),
        "weights": target[rows, chosen] / raw["pscore"],
        "target": target,
        "q": q,
        "chosen": chosen,
        "persons": rows,
        "expected": expectation(target, q),
        "predicted": q[rows, chosen],
        "estimated": target[rows, chosen] / raw["estimated_pscore"] if "estimated_pscore" in raw else None,
    }
    return inputs, expected


@pytest.mark.parametrize("case", CASES)
def test_points_and_normal_intervals(shared: Path, case: str) -> None:
    x, expected = arrays(shared / "reference" / case)
    r, w, persons = x["rewards"], x["weights"], x["persons"]
    found = {
        "ips": ips(r, w, persons),
        "snips": snips(r, w, persons),
        "dm": dm(x["expected"], persons),
        "dr": dr(r, w, x["expected"], x["predicted"], persons),
    }
    for name, estimate in found.items():
        assert estimate.value == pytest.approx(expected[name]["value"], rel=1e-6), name
    for name in ("ips", "dm", "dr"):  # its SNIPS interval takes the denominator for a constant: ours is the ratio's
        low, high = expected[name]["normal_ci"]
        estimate = found[name]
        assert estimate.value - Z * estimate.standard_error == pytest.approx(low, rel=1e-6), name
        assert estimate.value + Z * estimate.standard_error == pytest.approx(high, rel=1e-6), name
        assert estimate.low < low < high < estimate.high, "t is wider than normal"


@pytest.mark.parametrize("case", CASES)
def test_other_weights(shared: Path, case: str) -> None:
    x, expected = arrays(shared / "reference" / case)
    r, w, persons = x["rewards"], x["weights"], x["persons"]
    model = (x["expected"], x["predicted"], persons)
    most, scale = expected["ips_clipped"]["params"]["lambda_"], expected["dros"]["params"]["lambda_"]
    found = {
        "ips_clipped": ips(r, clipped(w, most), persons),
        "sndr": sndr(r, w, *model),
        "dr_clipped": dr(r, clipped(w, most), *model),
        "switch_dr": dr(r, switched(w, expected["switch_dr"]["params"]["lambda_"]), *model),
        "dros": dr(r, shrunk(w, scale), *model),
    }
    for name, estimate in found.items():
        assert estimate.value == pytest.approx(expected[name]["value"], rel=1e-6), name


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("name", "change"), [("ips_clipped", clipped), ("switch_dr", switched), ("dros", shrunk)])
def test_slope(shared: Path, case: str, name: str, change: Any) -> None:
    x, expected = arrays(shared / "reference" / case)
    wanted = expected.get(f"{name}_tuned_slope")
    if wanted is None:
        pytest.skip(f"{case} has no answer for {name}")
    r, w, persons = x["rewards"], x["weights"], x["persons"]
    limits = sorted(map(float, wanted["params"]["lambdas"]), reverse=True)
    tried = [
        ips(r, change(w, one), persons, confidence=0.9)  # its half-widths are those of one side at 95 %
        if name == "ips_clipped"
        else dr(r, change(w, one), x["expected"], x["predicted"], persons, confidence=0.9)
        for one in limits
    ]
    best = slope([one.value for one in tried], [one.high - one.value for one in tried])
    assert limits[best] == float(wanted["best_lambda"])
    assert tried[best].value == pytest.approx(wanted["value"], rel=1e-6)


def test_kernels_for_ordered_variants(shared: Path) -> None:
    folder = shared / "reference" / "continuous_sendtime"
    with np.load(folder / "inputs.npz") as stored:
        raw = {name: stored[name].astype(np.float64) for name in stored}
    persons = np.arange(len(raw["reward"]))
    q = raw["q_hat_at_evaluation_action"]
    answers = json.loads((folder / "expected.json").read_text())["estimators"]
    seen = set()
    for answer in answers:
        kernel, bandwidth = answer["params"]["kernel"], answer["params"]["bandwidth"]
        w = smoothed(raw["action"], raw["evaluation_action"], raw["pscore_density"], bandwidth=bandwidth, kernel=kernel)
        found = {
            "kernel_ips": lambda w=w: ips(raw["reward"], w, persons),
            "kernel_snips": lambda w=w: snips(raw["reward"], w, persons),
            "kernel_dr": lambda w=w: dr(raw["reward"], w, q, q, persons),
        }[answer["estimator"]]()
        assert found.value == pytest.approx(answer["value"], rel=1e-6), answer
        seen.add(kernel)
    assert seen == set(KERNELS)


@pytest.mark.parametrize("case", ["synth_deficient_support", "obd_men_random_to_bts"])
def test_effective_sample_size_and_largest_weight(shared: Path, case: str) -> None:
    folder = shared / "reference" / case
    x, _ = arrays(folder)
    expected = json.loads((folder / "expected.json").read_text())["weight_diagnostics"]
    found = ips(x["rewards"], x["weights"], x["persons"])
    assert found.ess == pytest.approx(expected["ess"], rel=1e-6)
    assert found.max_weight == pytest.approx(expected["max_weight"], rel=1e-6)


def test_estimated_propensities(shared: Path) -> None:
    x, expected = arrays(shared / "reference" / "synth_estimated_pscore_balanced")
    r, w, persons = x["rewards"], x["estimated"], x["persons"]
    assert ips(r, w, persons).value == pytest.approx(expected["ips_estimated_pscore"]["value"], rel=1e-6)
    assert snips(r, w, persons).value == pytest.approx(expected["snips_estimated_pscore"]["value"], rel=1e-6)
    model = (x["expected"], x["predicted"], persons)
    found = {
        "dr_estimated_pscore": dr(r, w, *model),
        "sndr_estimated_pscore": sndr(r, w, *model),
        "dros_estimated_pscore": dr(r, shrunk(w, 10.0), *model),
        "switch_dr_estimated_pscore": dr(r, switched(w, 10.0), *model),
    }
    for name, estimate in found.items():
        assert estimate.value == pytest.approx(expected[name]["value"], rel=1e-6), name


def test_weights_that_a_classifier_estimated(shared: Path) -> None:
    """Its balanced IPS (Sondhi, Arbour & Dimmery 2020) is SNIPS with such weights, given in two versions."""
    folder = shared / "reference" / "synth_estimated_pscore_balanced"
    x, _ = arrays(folder)
    answers = json.loads((folder / "expected.json").read_text())["estimators"]
    wanted = {one["params"]["weights_input"]: one["value"] for one in answers if one["estimator"] == "balanced_ips"}
    assert len(wanted) == 2
    with np.load(folder / "inputs.npz") as stored:
        for name, value in wanted.items():
            assert snips(x["rewards"], stored[name], x["persons"]).value == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_lower_bounds(shared: Path, case: str) -> None:
    """One-sided limits of w·r: of the normal and the empirical Bernstein interval; and what clipping leaves out."""
    folder = shared / "reference" / case
    x, _ = arrays(folder)
    r, w, persons = x["rewards"], x["weights"], x["persons"]
    earned, seen = w * r, set()
    for bound in json.loads((folder / "expected.json").read_text())["lower_bounds"]:
        delta, name = bound.get("delta"), bound["bound"]
        if name == "student_t_lower":
            found = symmetric(ips(r, w, persons), confidence=1.0 - 2.0 * delta).low
        elif name == "bernstein_lower":  # its greatest possible value is the greatest seen
            found = float(earned.mean()) - half_width(earned, float(earned.max()), delta)
        elif name == "bias_of_clipping":
            found = ips(r, w, persons).value - ips(r, clipped(w, bound["lambda_"]), persons).value
        else:  # Hoeffding's bound, and one of the bias, are not made here
            continue
        assert found == pytest.approx(bound["value"], rel=1e-6, abs=1e-12), bound
        seen.add(name)
    assert len(seen) == 3

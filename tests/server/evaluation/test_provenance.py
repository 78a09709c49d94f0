from dataclasses import replace

from policies.registry import PolicySpec, create
from server.evaluation.provenance import configured, provenance_of
from server.evaluation.reading import reading_of
from server.evaluation.request import EvaluationRequest
from simulator.worlds import world


def test_it_tells_what_was_asked_by_which_formula_and_on_which_packages() -> None:
    request = EvaluationRequest(campaign="segments", policies=("squarecb",), seed=3)
    reading = reading_of(world("segments").log(50, seed=1))
    told = provenance_of(request, reading)
    assert EvaluationRequest.from_document(told["asked"]) == request  # type: ignore[arg-type]
    assert {"python", "elige", "numpy", "vowpalwabbit"} <= set(told["versions"])  # type: ignore[arg-type, call-overload]
    assert "reward" not in told, "a world has none"
    assert provenance_of(request, replace(reading, formula="click"))["reward"] == "click"


def test_it_tells_how_each_policy_was_configured() -> None:
    log = world("segments").log(50, seed=1)
    asked = EvaluationRequest(campaign="segments", grid=("squarecb:gamma_scale=3|9",), seed=7)
    told = configured(asked, reading_of(log), ["thompson:half_life=100", "fixed:price"])
    assert set(told) == {"thompson:half_life=100", "fixed:price", "squarecb:gamma_scale=3", "squarecb:gamma_scale=9"}
    assert told["fixed:price"] == {log.slot: {"policy": "fixed:price", "arguments": "fixed:price"}}
    spec = PolicySpec.parse("squarecb:gamma_scale=9")
    built = create(spec, default=log.default or "", reward_range=log.reward_range, seed=7)
    assert told["squarecb:gamma_scale=9"][log.slot]["arguments"] == built.arguments  # type: ignore[attr-defined]
    assert "--gamma_scale 9" in told["squarecb:gamma_scale=9"][log.slot]["arguments"]

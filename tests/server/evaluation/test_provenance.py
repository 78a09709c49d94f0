from dataclasses import replace

from server.evaluation.provenance import provenance_of
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

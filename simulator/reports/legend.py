"""How the first table of a report is to be read, in one paragraph."""

from collections.abc import Mapping

from simulator.evaluation import Evaluation
from simulator.sentences import LANGUAGES

LEGEND: Mapping[str, str] = {
    "en": (
        "{estimator}: what a decision would have earned on average, had the policy decided. The interval beside it "
        "holds the true value in about {times} of 100 such logs. Against logged: how much more than what was served, "
        "on the same rounds; where that interval holds 0, the log can't tell them apart. ESS: how many rounds of its "
        "own would tell as much. Support: the share of what the policy would do that this log could have shown."
    ),
    "es": (
        "{estimator}: lo que habría ganado de media una decisión si hubiera decidido la política. El intervalo de al "
        "lado contiene el valor verdadero en unos {times} de cada 100 registros como este. Frente a lo "
        "mostrado: cuánto más que lo que se mostró, en las mismas decisiones; si ese intervalo contiene el 0, el "
        "registro no permite distinguirlos. ESS (tamaño muestral efectivo): cuántas decisiones suyas dirían lo mismo. "
        "Soporte: qué parte de lo que haría la política pudo verse en este registro."
    ),
}


def legend(evaluation: Evaluation) -> str:
    """In the language of the evaluation."""
    return LEGEND[evaluation.lang].format(
        estimator=evaluation.headline.upper(), times=LANGUAGES[evaluation.lang].number(100 * evaluation.confidence, 3)
    )

"""Do the weights of a policy behave: is their mean near 1, and does no tail of them run away?"""

from simulator.checks.support import MIN_SUPPORT
from simulator.checks.wording import Voice
from simulator.diagnostics import FAR, Diagnostics
from simulator.findings import Finding, Severity
from simulator.pareto import good_shape

OFF = {
    "en": (
        "The mean weight is {mean} where {expected} is expected: the logged propensities look wrong.",
        "Check that what is logged is the probability of the choice that was shown, after every rule and override.",
    ),
    "es": (
        "El peso medio es {mean} donde se espera {expected}: las probabilidades registradas parecen erróneas.",
        "Compruebe que se registra la probabilidad de lo que se mostró, después de toda regla y excepción.",
    ),
}
NEAR = {
    "en": ("The mean weight is {mean} ± {error}; {expected} is expected.", ""),
    "es": ("El peso medio es {mean} ± {error}; se espera {expected}.", ""),
}
HEAVY = {
    "en": (
        "The weights have a heavy tail (Pareto k̂ {k}, up to {good} is good): few rounds decide the estimate.",
        "Trust DR, and ask for estimators that cut the largest weights: clipped_ips, switch_dr, dros.",
    ),
    "es": (
        "Los pesos tienen una cola pesada (k̂ de Pareto {k}, hasta {good} es bueno): pocas decisiones deciden.",
        "Fíese de DR, y pida estimadores que recorten los pesos mayores: clipped_ips, switch_dr, dros.",
    ),
}
LIGHT = {
    "en": ("The weights have no heavy tail (Pareto k̂ {k}, up to {good} is good).", ""),
    "es": ("Los pesos no tienen cola pesada (k̂ de Pareto {k}, hasta {good} es bueno).", ""),
}
NO_TAIL = {
    "en": ("The largest weights are few, or few different ones, and have no tail.", ""),
    "es": ("Los pesos mayores son pocos, o pocos distintos, y no tienen cola.", ""),
}


def mean_weight(found: Diagnostics, voice: Voice) -> Finding:
    """E[w] is the support. Where little of that is missing, a mean far from it speaks against the propensities."""
    expected = found.support if found.support_exact else 1.0
    numbers = {"mean_weight": found.mean_weight, "standard_error": found.mean_weight_error}
    parts = {
        "mean": voice.language.number(found.mean_weight),
        "error": voice.language.number(found.mean_weight_error, 2),
        "expected": voice.language.number(expected),
    }
    far = abs(found.mean_weight - expected) > FAR * found.mean_weight_error + 1e-6
    # of a heavy tail that nobody knows, the heaviest weights are missing more often than their error tells
    missing = found.mean_weight < expected and not found.support_exact and _heavy(found)
    if far and not missing and found.support > MIN_SUPPORT:
        return voice.finding("mean_weight", Severity.AMBER, OFF, numbers, **parts)
    return voice.finding("mean_weight", Severity.GREEN, NEAR, numbers, **parts)


def weight_tail(found: Diagnostics, voice: Voice) -> Finding:
    """Never red: where propensities have a floor, as here they always do, weights are bounded, and the intervals
    know by how much. But k̂ says that this sample is too small to show it.
    """
    if found.pareto_k is None:
        return voice.finding("weight_tail", Severity.GREEN, NO_TAIL)
    good = good_shape(found.n)
    numbers = {"pareto_k": found.pareto_k, "good": good}
    k = voice.language.number(found.pareto_k, 2) if found.pareto_k <= 1.0 else "> 1"  # no mean: worse has no meaning
    parts = {"k": k, "good": voice.language.number(good, 2)}
    severity, words = (Severity.AMBER, HEAVY) if _heavy(found) else (Severity.GREEN, LIGHT)
    return voice.finding("weight_tail", severity, words, numbers, **parts)


def _heavy(found: Diagnostics) -> bool:
    return found.pareto_k is not None and found.pareto_k > good_shape(found.n)

"""The menu's lines that Vowpal Wabbit learns: each exploration, the costs it may be learned from, its arguments."""

from collections.abc import Callable, Collection, Mapping

from policies.base import Learner, Policy
from policies.entries import Entry, Given, Rule, number, one_of, whole
from policies.segments import AS_FEATURE, seeing_segments
from policies.vowpal import INTERACTIONS, VowpalLearner
from policies.window import Windowed

COSTS = {
    "mtr": "the cost of what was chosen, each example weighted by its inverse propensity",
    "dr": "a regression of the costs, corrected by inverse propensity (doubly robust)",
    "ips": "inverse propensity alone",
    "dm": "a regression of the costs alone (direct method)",
}
"""How the cost of what was not chosen is estimated: Vowpal Wabbit's `--cb_type`."""

_RANGE = "--cb_min_cost -1 --cb_max_cost 0"
"""The costs of VowpalLearner. Without a range, regcb never leaves uniform and squarecb's scale means little."""

_FEW = {"max_actions": whole(0, 1_000, 0)}

_BOUNDS = {"elimination": "--regcb", "optimistic": "--regcbopt"}


def _entry(
    summary: str,
    exploration: Callable[[Given], str],
    rules: Mapping[str, Rule],
    *,
    costs: Collection[str] = COSTS,
) -> Entry:
    """`exploration`: Vowpal Wabbit's arguments; `costs`: those that it accepts with them (found by trying)."""

    def learner(given: Given, state: bytes | None) -> Learner:
        arguments = (
            exploration(given),
            f"--cb_type {given.parameters['cost']}",
            INTERACTIONS[str(given.parameters["interactions"])],
            f"--learning_rate {given.number('learning_rate'):g}",
            f"--bit_precision {int(given.number('bits'))}",
            *(f"--{name} {given.number(name):g}" for name in ("l1", "l2") if given.number(name)),
        )
        return VowpalLearner(
            " ".join(filter(None, arguments)),
            reward_range=given.reward_range,
            seed=given.seed,
            halves=given.parameters["numbers"] == "both",
            state=state,
        )

    def build(given: Given) -> Policy:
        window = int(given.number("window"))
        if window:
            return Windowed(lambda state: learner(given, state), window=window, state=given.state)
        return learner(given, given.state)

    common = {
        "learning_rate": number(1e-6, 100.0, 0.5),
        "bits": whole(10, 28, 18),
        "interactions": one_of(INTERACTIONS, "default"),
        "cost": one_of(costs, "mtr"),
        "numbers": one_of(("both", "value"), "both"),
        "l1": number(0.0, 1.0, 0.0),
        "l2": number(0.0, 1.0, 0.0),
        "window": whole(0, 1_000_000_000, 0),
    }
    return Entry(summary, seeing_segments(build), {**rules, **common, **AS_FEATURE}, learns=True)


def _few(given: Given) -> str:
    """Explore only so many variants, those that differ most (Zhu et al. 2022).

    In two passes: with the usual one, probabilities depend on what was asked before.
    """
    most = int(given.number("max_actions"))
    return f" --large_action_space --max_actions {most} --two_pass_svd" if most else ""


def _epsilon(given: Given) -> str:
    return f"--epsilon {given.number('epsilon'):g}{_few(given)}"


def _epsilon_decay(given: Given) -> str:
    return f"--epsilon_decay --initial_epsilon {given.number('epsilon'):g} --model_count {int(given.number('models'))}"


def _bag(given: Given) -> str:
    return f"--bag {int(given.number('models'))}"


def _cover(given: Given) -> str:
    return f"--cover {int(given.number('models'))} --psi {given.number('psi'):g}"


def _squarecb(given: Given) -> str:
    gamma = f"--gamma_scale {given.number('gamma_scale'):g} --gamma_exponent {given.number('gamma_exponent'):g}"
    return f"--squarecb {gamma} {_RANGE}{_few(given)}"


def _regcb(given: Given) -> str:
    return f"{_BOUNDS[str(given.parameters['bound'])]} --mellowness {given.number('mellowness'):g} {_RANGE}"


def _softmax(given: Given) -> str:
    return f"--softmax --lambda {given.number('lambda'):g}"


VOWPAL_MENU: Mapping[str, Entry] = {
    "epsilon": _entry(
        "the best known variant, and every variant with a share of epsilon",
        _epsilon,
        {"epsilon": number(0.0, 1.0, 0.05), **_FEW},
    ),
    "epsilon_decay": _entry(
        "epsilon that falls as learning goes on; several models of which the best-proven one decides",
        _epsilon_decay,
        {"epsilon": number(0.0, 1.0, 1.0), "models": whole(1, 10, 3)},
    ),
    "bag": _entry(
        "several models, each of its own resampling of the log; a variant's share is that of the models it is best in",
        _bag,
        {"models": whole(2, 32, 5)},
    ),
    "cover": _entry(
        "several models, each kept different from those before it, and a falling share for every variant "
        "(Agarwal et al. 2014)",
        _cover,
        {"models": whole(1, 32, 5), "psi": number(0.0, 100.0, 1.0)},
        costs=("mtr", "dr", "ips"),
    ),
    "squarecb": _entry(
        "the more often, the better it is expected to be (Foster and Rakhlin 2020)",
        _squarecb,
        {"gamma_scale": number(1e-6, 1e9, 10.0), "gamma_exponent": number(0.0, 1.0, 0.5), **_FEW},
        costs=("mtr",),
    ),
    "regcb": _entry(
        "every variant that may still be the best, alike (Foster et al. 2018)",
        _regcb,
        {"bound": one_of(_BOUNDS, "elimination"), "mellowness": number(1e-6, 1e6, 0.1)},
        costs=("mtr",),
    ),
    "softmax": _entry(
        "the more often, the better it is expected to be: in proportion to exp(lambda · reward)",
        _softmax,
        {"lambda": number(0.0, 1e3, 10.0)},
    ),
}
"""The explorations of `cb_explore_adf` whose probabilities depend on nothing but state, context and variants."""

"""The menu's line that is the default: which policies `auto` judges."""

from collections.abc import Mapping
from dataclasses import replace

from policies.auto import AutoLearner, Build, Rival
from policies.baselines import Fixed
from policies.entries import Entry, Given, Parameter, number
from policies.own_menu import OWN_MENU
from policies.segments import AS_FEATURE, seeing_segments
from policies.vowpal_menu import VOWPAL_MENU


def _auto(given: Given) -> AutoLearner:
    half_life = given.number("half_life")
    # ours forget example by example, Vowpal Wabbit's by being retrained
    forgetting = {"half_life": half_life}
    rivals = {
        "linear": Rival(_built(OWN_MENU["linear"], given, forgetting)),
        "best_variant": Rival(_built(OWN_MENU["best_variant"], given, forgetting), doubt=0.0),
        "squarecb": Rival(_built(VOWPAL_MENU["squarecb"], given, {"window": float(round(half_life))})),
        "fixed": Rival(lambda state: Fixed(given.default, given.default), shown=False),
    }
    return AutoLearner(
        rivals,
        reward_range=given.reward_range,
        judging=given.number("judging"),
        half_life=half_life,
        state=given.state,
    )


def _built(entry: Entry, given: Given, parameters: Mapping[str, Parameter]) -> Build:
    return lambda state: entry.build(replace(given, parameters={**entry.defaults, **parameters}, state=state))


AUTO_MENU: Mapping[str, Entry] = {
    "auto": Entry(
        "the best of several, as the campaign's own log shows it: linear, squarecb, best_variant, the slot's default",
        seeing_segments(_auto),
        {"judging": number(0.0, 0.5, 0.02), "half_life": number(0.0, 1e9, 0.0), **AS_FEATURE},
        learns=True,
    ),
}

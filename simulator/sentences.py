"""What an evaluation concludes, in plain sentences: English and Spanish."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulator.evaluation import LOGGED


@dataclass(frozen=True, slots=True)
class Language:
    """Templates, and how numbers are written. `served`: what the logged policy is called inside a sentence."""

    served: str
    by_a_share: str
    more: str
    less: str
    untold: str
    untold_at_all: str
    best: str
    only: str
    tied: str
    tied_but_better: str
    tied_and_not_better: str
    decimal: str
    thousands: str

    def name(self, policy: str) -> str:
        return self.served if policy == LOGGED else repr(policy)

    def number(self, value: float, digits: int = 4) -> str:
        """Four significant digits, unless told otherwise."""
        return f"{value:.{digits}g}".replace(".", self.decimal)

    def count(self, value: int) -> str:
        """Two significant digits, in thousands."""
        rounded = int(float(f"{value:.1e}"))
        return f"{rounded:,}".replace(",", self.thousands)

    def share(self, value: float) -> str:
        """A percentage: of two significant digits, whole ones from 10 on."""
        percent = 100.0 * value
        return f"{percent:.0f}".replace("-0", "0") + " %" if abs(percent) >= 10.0 else self.number(percent, 2) + " %"

    def sentence(self, template: str, **parts: str | int) -> str:
        """The template filled in; it begins with a capital letter."""
        text = template.format(**parts)
        return text[0].upper() + text[1:]

    def listed(self, policies: Sequence[str], most: int = 6) -> str:
        return ", ".join(map(repr, policies[:most])) + (", …" if len(policies) > most else "")


LANGUAGES: Mapping[str, Language] = {
    "en": Language(
        served="what was served",
        by_a_share="{share}",
        more="{policy} earns {by} more than {against} ({sure}: {low} to {high}).",
        less="{policy} earns {by} less than {against} ({sure}: {low} to {high}).",
        untold=(
            "This log can't tell {policy} from {against} ({sure}: {low} to {high}); "
            "about {needed} more decisions would, if the difference is what it seems."
        ),
        untold_at_all="This log can't tell {policy} from {against} ({sure}: {low} to {high}).",
        best="{policy} earns most: {value}; next is {next} with {second}.",
        only="The log can judge nothing but the logged policy, which earned {value}.",
        tied="The log can't tell which of these {count} earns most: {policies}; highest is {value}.",
        tied_but_better="{policy} does earn more than the logged policy ({logged}).",
        tied_and_not_better="{policy} is not shown to earn more than the logged policy ({logged}).",
        decimal=".",
        thousands=",",
    ),
    "es": Language(
        served="lo que se mostró",
        by_a_share="un {share}",
        more="{policy} gana {by} más que {against} ({sure}: de {low} a {high}).",
        less="{policy} gana {by} menos que {against} ({sure}: de {low} a {high}).",
        untold=(
            "Este registro no permite distinguir {policy} de {against} ({sure}: de {low} a {high}); "
            "harían falta unas {needed} decisiones más, si la diferencia es la que parece."
        ),
        untold_at_all="Este registro no permite distinguir {policy} de {against} ({sure}: de {low} a {high}).",
        best="{policy} es lo que más gana: {value}; le sigue {next} con {second}.",
        only="El registro solo permite juzgar lo que se mostró, que ganó {value}.",
        tied="El registro no permite saber cuál de estas {count} gana más: {policies}; la más alta es {value}.",
        tied_but_better="{policy} sí gana más que lo que se mostró ({logged}).",
        tied_and_not_better="No está demostrado que {policy} gane más que lo que se mostró ({logged}).",
        decimal=",",
        thousands=".",
    ),
}

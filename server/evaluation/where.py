"""Which decisions of a log are asked for: a CEL test over what is known of each."""

from typing import Any

from policies.expressions import compile_expression
from policies.types import Value
from server.campaigns.learning import seen_by_policy
from server.campaigns.model import Campaign
from server.records import Matured

ALWAYS = ("group", "version")
"""Known of every decision, whatever its context and labels."""


class Where:
    """A test over the keys of the context, else of the labels, and `group` and `version`. A declared key of the context
    is never taken from the labels. Which labels there are is known once the log was read: `check` is for then.
    """

    def __init__(self, source: str, newest: Campaign, slot: str) -> None:
        """newest: as whose policy of the slot the context is seen. Raises ExpressionError."""
        self._source, self._newest, self._slot = source, newest, slot
        self._test = compile_expression(source, names=None)
        self._declared = frozenset() if newest.context == "any" else frozenset(newest.context)
        self._labels: set[str] = set()

    def holds(self, row: Matured) -> bool:
        """Raises ExpressionError for values of the wrong kind."""
        decision = row.decision
        labels = {name: label_value(label) for name, label in decision.labels.items() if name not in self._declared}
        self._labels.update(labels)
        places = (place for place, choice in enumerate(decision.choices) if choice.slot == self._slot)
        context = seen_by_policy(self._newest, decision, next(places, 0))
        known = {"group": decision.group.value, "version": float(decision.version)}
        return self._test.test({**known, **labels, **context}).holds

    def check(self) -> None:
        """Raises ExpressionError for a name that is no key of the context, and was no label of any decision."""
        if self._newest.context != "any":
            compile_expression(self._source, names=sorted({*self._declared, *self._labels, *ALWAYS}))


def label_value(label: Any) -> Value | None:
    """A label, which may be any JSON, as what a test can read, and what makes a group."""
    match label:
        case None | str() | bool() | float() | int():
            return label
        case list() | tuple():
            return tuple(map(str, label))
    return str(label)

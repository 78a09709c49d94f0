"""The policies of a page: one for every slot, all alike, each its own, or some slots left as logged."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from policies.registry import PolicyError, PolicySpec, mentioned
from simulator.asked import EvaluationError
from simulator.candidates import Candidate, Entry, named
from simulator.logs.log import Log
from simulator.pages.page import BETWEEN, Page
from simulator.rows import FIXED, LOGGED, SNAPSHOT, SPEC, UNIFORM
from simulator.sentences import Language

_NAME = r"[a-z0-9][a-z0-9_-]*"
_FIRST = re.compile(rf"{_NAME}=")
_NEXT = re.compile(rf"\s\+\s(?={_NAME}=)")


@dataclass(frozen=True, slots=True)
class PageCandidate:
    """A policy of the caller's own for a page: a snapshot, or any objects with `pmf`. slots: by name; a slot that is
    not there is left as logged.
    """

    name: str
    slots: Mapping[str, Candidate]
    note: str = ""


@dataclass(frozen=True, slots=True)
class PageEntry:
    """One policy of a page to be judged. slots: by place; None for one that is left as logged."""

    name: str
    role: str
    slots: tuple[Entry | None, ...]
    note: str = ""
    whole: Entry = field(init=False)
    """What stands for all of it where periods are made: a learner if any slot has one, the latest training of all."""

    def __post_init__(self) -> None:
        parts = [one for one in self.slots if one is not None]
        ends = [one.judged_after for one in parts if one.judged_after is not None]
        learner = next((one.learner for one in parts if one.learner is not None), None)
        whole = replace(parts[0], name=self.name, role=self.role, learner=learner, judged_after=max(ends, default=None))
        object.__setattr__(self, "whole", whole)


def slot_specs(text: str) -> dict[str, str] | None:
    """What `headline=fixed:price + offer=squarecb` asks of each slot; None for a policy that is for all slots alike.

    Raises PolicyError for a slot that is named twice.
    """
    if not _FIRST.match(text):
        return None
    pieces = [piece.strip().split("=", 1) for piece in _NEXT.split(text)]
    found = dict(pieces)
    if len(found) < len(pieces):
        raise PolicyError(
            f"policy {text!r}: a slot is named twice; expected each once, as in a=uniform + b=fixed:VARIANT"
        )
    return found


def page_named(
    page: Page, policy: PolicySpec | str | Candidate | PageCandidate, *, language: Language, seed: int
) -> PageEntry:
    """A policy that was asked for. Raises PolicyError, or EvaluationError where this page has not what it names."""
    if isinstance(policy, Candidate):
        policy = PageCandidate(policy.name, dict.fromkeys(page.names, policy), policy.note)
    if isinstance(policy, PageCandidate):
        _check_slots(page, policy.name, policy.slots)
        found = [policy.slots.get(log.slot) for log in page.slots]
        entries = (named(log, one, seed=seed) if one else None for log, one in zip(page.slots, found, strict=True))
        return PageEntry(policy.name, SNAPSHOT, tuple(entries), policy.note)
    if isinstance(policy, str) and (specs := slot_specs(policy)) is not None:
        _check_slots(page, policy, specs)
        parts = {log.slot: named(log, specs[log.slot], seed=seed) for log in page.slots if log.slot in specs}
        return _of_slots(page, BETWEEN.join(f"{slot}={one.name}" for slot, one in parts.items()), parts, language)
    spec = PolicySpec.parse(policy) if isinstance(policy, str) else policy
    variants = set(mentioned(spec).variants)
    holders = [log for log in page.slots if variants <= set(log.ids)]
    if variants and len(holders) == 1:  # it can be meant for no other slot
        return _of_slots(page, str(spec), {holders[0].slot: named(holders[0], spec, seed=seed)}, language)
    return PageEntry(str(spec), SPEC, tuple(_for_slot(log, spec, seed=seed) for log in page.slots))


def _of_slots(page: Page, name: str, parts: Mapping[str, Entry], language: Language) -> PageEntry:
    left = [slot for slot in page.names if slot not in parts]
    names = {"slots": ", ".join(parts), "others": ", ".join(left)}
    note = language.as_logged.format(**names) if left else ""
    return PageEntry(name, SPEC, tuple(parts.get(slot) for slot in page.names), note)


def page_baselines(page: Page, *, language: Language, seed: int) -> list[PageEntry]:
    """Every slot uniform; and every slot at its default, where all have one. Fixed variants stand in the slots'
    views.
    """
    uniform = PolicySpec("uniform")
    found = [PageEntry(str(uniform), UNIFORM, tuple(_plain(log, uniform, seed) for log in page.slots))]
    if all(log.default in log.ids for log in page.slots):
        entries = tuple(_plain(log, PolicySpec("fixed"), seed) for log in page.slots)
        defaults = ", ".join(str(log.default) for log in page.slots)
        found.append(PageEntry("fixed", FIXED, entries, language.each_default.format(variants=defaults)))
    return found


def each_once(entries: Sequence[PageEntry]) -> list[PageEntry]:
    """A baseline that was also asked for is the baseline. Raises EvaluationError for a name used twice."""
    found: dict[str, PageEntry] = {}
    for entry in entries:
        first = found.setdefault(entry.name, entry)
        if entry.name == LOGGED or (first is not entry and SNAPSHOT in (first.role, entry.role)):
            raise EvaluationError(f"two policies are named {entry.name!r}: every row needs its own name")
    return list(found.values())


def _plain(log: Log, spec: PolicySpec, seed: int) -> Entry:
    return replace(named(log, spec, seed=seed), ignores_context=True)


def _for_slot(log: Log, spec: PolicySpec, *, seed: int) -> Entry:
    try:
        return named(log, spec, seed=seed)
    except EvaluationError as error:
        raise EvaluationError(
            f"slot {log.slot!r}: {error}. What is meant for one slot is told with its name, as in SLOT={spec}; "
            "the other slots are then as logged"
        ) from error


def _check_slots(page: Page, policy: str, slots: Mapping[str, object]) -> None:
    if unknown := [slot for slot in slots if slot not in page.names]:
        raise EvaluationError(
            f"policy {policy!r}: no slot {', '.join(map(repr, unknown))}; there are: {list(page.names)}"
        )

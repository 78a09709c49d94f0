"""The policies of an evaluation: those asked for, and those that always stand beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

from policies.base import Learner, Policy
from policies.registry import PolicySpec, create, mentioned
from simulator.asked import EvaluationError
from simulator.judging import eligible_shares
from simulator.logs.log import Log
from simulator.rows import FIXED, LOGGED, SNAPSHOT, SPEC, UNIFORM
from simulator.sentences import LANGUAGES, Language

MAX_FIXED = 50


@dataclass(frozen=True, slots=True)
class Candidate:
    """A policy of the caller's own: a snapshot, or any object with `pmf`.

    judged_after: unix seconds; only later rounds may judge it, since it learned from the earlier ones. None when it
    learned from none of this log. `pmf` must be what would be served, exploration share included.
    """

    name: str
    policy: Policy
    judged_after: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One policy to be judged. fixed: the variant that it always shows, if it is such a policy.

    ignores_context: it need be asked but once for each eligible set. spec: what it was named by, if it was.
    """

    name: str
    role: str
    policy: Policy
    learner: Learner | None = None
    judged_after: float | None = None
    note: str = ""
    fixed: str | None = None
    ignores_context: bool = False
    spec: PolicySpec | None = None


def named(log: Log, policy: PolicySpec | str | Candidate, *, seed: int) -> Entry:
    """A policy that was asked for. Raises PolicyError, or EvaluationError where this log has not what it names."""
    if isinstance(policy, Candidate):
        return Entry(policy.name, SNAPSHOT, policy.policy, judged_after=policy.judged_after, note=policy.note)
    spec = PolicySpec.parse(policy) if isinstance(policy, str) else policy
    if not isinstance(spec, PolicySpec):
        raise EvaluationError(f"policy {spec!r}: expected a specification, as 'squarecb', or Candidate(name, policy)")
    if spec.name == "fixed":
        spec = PolicySpec("fixed", {"variant": spec.parameters.get("variant") or _default(log)})
    built = create(spec, default=log.default or "", reward_range=log.reward_range, seed=seed)
    named = mentioned(spec)
    for variant in named.variants:
        if variant not in log.ids:
            raise EvaluationError(f"policy {str(spec)!r}: no variant {variant!r} in this log; it has: {list(log.ids)}")
    known = log.contexts.keys
    for key in named.keys:
        if key not in known:
            raise EvaluationError(
                f"policy {str(spec)!r}: no round of this log has a context key {key!r}; known: {known}"
            )
    fixed = str(spec.parameters["variant"]) if spec.name == "fixed" else None
    return Entry(str(spec), SPEC, built, learner=built if isinstance(built, Learner) else None, fixed=fixed, spec=spec)


def _default(log: Log) -> str:
    if log.default is None:
        raise EvaluationError("policy 'fixed': this log names no default variant; name one: fixed:VARIANT")
    return log.default


def baselines(log: Log, *, seed: int, language: Language = LANGUAGES["en"]) -> list[Entry]:
    """Uniform, and every variant fixed, the most often eligible ones first to be kept when there are many."""

    def build(spec: PolicySpec) -> Policy:
        return create(spec, default=log.default or "", reward_range=log.reward_range, seed=seed)

    uniform = PolicySpec("uniform")
    entries = [Entry(str(uniform), UNIFORM, build(uniform), ignores_context=True)]
    shares = eligible_shares(log)
    kept = sorted(sorted(log.ids, key=lambda variant: -shares[variant])[:MAX_FIXED], key=log.ids.index)
    for variant in kept:
        if shares[variant] == 0.0:
            continue  # it does not exist in the judged period
        fixed = PolicySpec("fixed", {"variant": variant})
        where = language.the_default.format(default=repr(log.default)) if log.default else language.all_alike
        told = language.eligible_in.format(share=language.cell(shares[variant]), where=where)
        note = told if shares[variant] < 1.0 else ""
        entries.append(Entry(str(fixed), FIXED, build(fixed), note=note, fixed=variant, ignores_context=True))
    return entries


def by_name(entries: Sequence[Entry]) -> list[Entry]:
    """Each once: a baseline that was also asked for is the baseline. Raises EvaluationError for a name used twice."""
    found: dict[str, Entry] = {}
    for entry in entries:
        first = found.setdefault(entry.name, entry)
        if entry.name == LOGGED or (first is not entry and SNAPSHOT in (first.role, entry.role)):
            raise EvaluationError(f"two policies are named {entry.name!r}: every row needs its own name")
    return list(found.values())

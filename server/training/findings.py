"""What can be said of a campaign's learning from counts and recent decisions. Pure."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from server.campaigns.learning import counts, learning_slots
from server.campaigns.model import Campaign
from server.records import Choice, Decision, Excluded, Kind, Reason, State
from server.store.facts import Facts

EXAMPLES_A_VARIANT = 300
"""What a variant needs, roughly, before its difference from another of a few per cent shows."""
ENOUGH = 30
"""Fewer decisions or rewards say nothing about what is always or never so."""
ALONE = 0.999
"""A policy that gives more than this to one variant is certain of it."""


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    NOTE = "note"  # worth reading, and may be meant so
    PROBLEM = "problem"  # it does not learn, or not what it should

    @property
    def rank(self) -> int:
        """Problems first."""
        return ("problem", "note", "ok").index(self.value)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `says`: what is, in one sentence; `do`: what to do about it, empty where all is well."""

    level: Level
    about: str
    says: str
    do: str = ""


def ok(about: str, says: str) -> Finding:
    return Finding(Level.OK, about, says)


def note(about: str, says: str, do: str) -> Finding:
    return Finding(Level.NOTE, about, says, do)


def problem(about: str, says: str, do: str) -> Finding:
    return Finding(Level.PROBLEM, about, says, do)


def of_state(state: State) -> Finding:
    """Whether the campaign's state lets it learn."""
    reactivate = "Set its state to active (SetCampaignState)."
    match state:
        case State.ACTIVE:
            return ok("state", "The campaign is active.")
        case State.DRAFT:
            return problem("state", "The campaign is a draft: everybody gets the defaults.", reactivate)
        case State.PAUSED:
            return problem("state", "The campaign is paused: everybody gets the defaults.", reactivate)
        case State.KILLED:
            return problem("state", "The campaign is killed: it shows the defaults and learns nothing.", reactivate)
        case State.ARCHIVED:
            return note(
                "state", "The campaign is archived: it is over for good.", "Evaluate its log, or begin another."
            )


def of_log(campaign: Campaign, facts: Facts, *, now: datetime) -> Iterator[Finding]:
    """Decisions, outcomes, windows and rewards."""
    if facts.last_decision is None or facts.first_decision is None:
        yield problem("decisions", "There is no decision yet.", f"Ask for one: elige decide {campaign.campaign}.")
        return
    says = f"{facts.decisions:,} decisions, {facts.decisions_today:,} in the last 24 hours"
    if facts.decisions_today:
        yield ok("decisions", f"{says}.")
    else:
        last = f"{facts.last_decision:%Y-%m-%d %H:%M} UTC"
        yield note("decisions", f"{says}; the last one at {last}.", "See that the page still asks for decisions.")
    yield from _of_outcomes(campaign, facts)
    if facts.next_close is not None:
        closes = f"{facts.open_windows:,} windows are open; the next closes at {facts.next_close:%Y-%m-%d %H:%M:%S} UTC"
        if facts.last_sequence:
            yield ok("windows", f"{closes}.")
        else:
            yield note("windows", f"{closes}: nothing can be learned before.", "Wait, or give reward a shorter window.")
    if facts.awaited:
        yield ok("activation", f"{facts.awaited:,} decisions wait for their activation.")
    yield from _of_excluded(facts)
    yield from _of_rewards(campaign, facts)
    if learning_slots(campaign):
        yield from _of_traffic(campaign, facts, now=now)


def _of_outcomes(campaign: Campaign, facts: Facts) -> Iterator[Finding]:
    happened = sum(facts.outcomes.values())
    if not happened:
        says, do = "There is no outcome of any decision", "Send them: elige reward DECISION, or the call Reward."
        if facts.last_sequence:
            yield problem("outcomes", f"{says}, and windows have closed.", do)
        else:
            yield note("outcomes", f"{says} yet.", do)
    else:
        counts = ", ".join(f"{count:,} {metric}" for metric, count in sorted(facts.outcomes.items()))
        yield ok("outcomes", f"Outcomes: {counts}.")
    if facts.unmatched and facts.unmatched_since:
        since = f"{facts.unmatched_since:%Y-%m-%d %H:%M} UTC"
        yield problem(
            "outcomes",
            f"{facts.unmatched:,} outcomes belong to no decision in the log, the first since {since}.",
            "See that decisions and outcomes go to one database, and that what was shown came from a logged decision.",
        )
    for metric, count in sorted(facts.outcomes.items()):
        if metric not in campaign.metrics:
            declared = ", ".join(campaign.metrics)
            says = f"{count:,} outcomes of {metric!r} count for nothing: the campaign declares {declared}."
            yield note("outcomes", says, "Declare the metric again, or stop sending it.")
    if facts.late > happened / 10:
        says = f"{facts.late:,} of {happened:,} outcomes came after their window, and do not count."
        yield note("outcomes", says, "Send them sooner, or give reward a longer window.")


_COUNT_FOR_NOTHING = {
    Excluded.EXPIRED: (
        "were not activated in time",
        "See that what is shown or sent is activated (Activate), or give it longer: activation_ttl.",
    ),
    Excluded.CANCELLED: ("never arrived, as outcomes say", "See where they went: who is not reached teaches nothing."),
    Excluded.ERASED: ("were of persons since erased", ""),
}


def _of_excluded(facts: Facts) -> Iterator[Finding]:
    looked_at = facts.valued + facts.spoilt + sum(facts.excluded.values())
    for why, (what, do) in _COUNT_FOR_NOTHING.items():
        if count := facts.excluded.get(why, 0):
            says = f"{count:,} of the last {looked_at:,} decisions {what}, and count for nothing."
            yield note("rewards", says, do) if do and count > looked_at / 10 else ok("rewards", says)


def _of_rewards(campaign: Campaign, facts: Facts) -> Iterator[Finding]:
    if facts.spoilt:
        says = f"{facts.spoilt:,} of the last {facts.spoilt + facts.valued:,} rewards are no number: {facts.error}"
        yield problem("rewards", f"{says.rstrip('.')}.", "Correct the formula in reward: value.")
    if facts.valued < ENOUGH:
        return
    if facts.lowest == facts.highest:
        says = f"All of the last {facts.valued:,} rewards are {facts.lowest:g}: there is nothing to learn."
        yield problem("rewards", says, "See that outcomes arrive inside the window and that the formula uses them.")
    else:
        yield ok("rewards", f"The last {facts.valued:,} rewards lie between {facts.lowest:g} and {facts.highest:g}.")
    outside = [
        f"{value:g}"
        for value in (facts.lowest, facts.highest)
        if value is not None and not campaign.reward_range.low <= value <= campaign.reward_range.high
    ]
    if outside:
        declared = f"[{campaign.reward_range.low:g}, {campaign.reward_range.high:g}]"
        says = f"Rewards reach {' and '.join(outside)}, outside the range {declared}, and are cut off there."
        yield note("rewards", says, "Declare the range that rewards have.")


def _of_traffic(campaign: Campaign, facts: Facts, *, now: datetime) -> Iterator[Finding]:
    """The slot with most variants needs most."""
    most = max(learning_slots(campaign), key=lambda slot: len(campaign.slots[slot].variants))
    variants = len(campaign.slots[most].variants)
    needed = EXAMPLES_A_VARIANT * variants
    if facts.decisions >= needed or facts.first_decision is None:
        return
    says = (
        f"{facts.decisions:,} of about {needed:,} decisions that the {variants} variants of {most} need "
        f"({EXAMPLES_A_VARIANT} each)"
    )
    if not facts.decisions_today:
        yield note("traffic", f"{says}, and none in the last 24 hours.", "Bring it where people come.")
        return
    # a campaign that is an hour old has had an hour's traffic today, not a day's
    lived = max((now - facts.first_decision) / timedelta(days=1), 1 / 1440)
    rate = facts.decisions_today / min(1.0, lived)
    days = math.ceil((needed - facts.decisions) / rate)
    says = f"{says}: at today's rate of {rate:,.0f} a day, {days:,} more {'day' if days == 1 else 'days'}."
    yield note("traffic", says, "Wait, or begin with fewer variants.")


def of_policies(campaign: Campaign) -> Iterator[Finding]:
    """Whether there is anything that learns."""
    if not campaign.learn_from:
        says = "The campaign only decides and logs: its file says learn_from: []."
        yield note("policy", says, "Meant so? Else write learn_from: [drawn], and the whole log is learned.")
    elif not learning_slots(campaign):
        yield note("policy", "No slot has a policy that learns.", "Name one that does, or leave it to auto.")


def of_observed(campaign: Campaign, recent: Sequence[Decision], *, learned: int) -> Iterator[Finding]:
    """Choices made elsewhere: whether they are learned where they should be, and told where they are learned."""
    if counts(campaign, Kind.OBSERVED):
        if learned:
            yield ok("apprentice", f"{learned:,} observed choices were learned.")
        else:
            do = "Tell them as they are made (elige observe), or a whole log of them (elige import … --into)."
            yield note("apprentice", "No observed choice has been learned yet.", do)
    elif campaign.learn_from and any(one.kind is Kind.OBSERVED for one in recent):
        observed = sum(one.kind is Kind.OBSERVED for one in recent)
        says = f"{observed:,} of the last {len(recent):,} decisions were observed, and are not learned."
        yield note("apprentice", says, "Write learn_from: [drawn, observed] to learn from them, too.")


def of_trainer(facts: Facts, *, now: datetime) -> Iterator[Finding]:
    """Whether a trainer holds the lease, and matures what is due."""
    start = "See that a trainer runs: elige serve starts one."
    if facts.lease_holder is None or facts.lease_expires is None:
        yield problem("trainer", "No trainer has ever taken this campaign.", start)
    elif facts.lease_expires <= now:
        expired = f"{facts.lease_expires:%Y-%m-%d %H:%M:%S} UTC"
        yield problem("trainer", f"No trainer runs: the lease of {facts.lease_holder} ended at {expired}.", start)
    else:
        yield ok("trainer", f"The trainer {facts.lease_holder} holds the lease.")
    if facts.overdue:
        says = f"{facts.overdue:,} windows have closed and have no reward yet."
        yield problem("trainer", says, f"{start} If one does, its log says why: training failed.")


def of_slots(campaign: Campaign, recent: Sequence[Decision]) -> Iterator[Finding]:
    """What recent decisions of this version chose from and chose."""
    made = [choice for decision in recent for choice in decision.choices]
    failed = sum(choice.reason is Reason.POLICY_FAILED for choice in made)
    if failed:
        says = f"In {failed:,} of the last {len(made):,} choices the policy failed and the default was shown."
        yield problem("policy", says, "The server's log says why: policy failed.")
    for slot, declared in campaign.slots.items():
        ours = [choice for choice in made if choice.slot == slot]
        drawn = [choice for choice in ours if choice.kind is Kind.POLICY]
        if len(ours) >= ENOUGH:
            yield from _of_variants(slot, [variant.id for variant in declared.variants], ours, drawn)


def _of_variants(
    slot: str, variants: Sequence[str], ours: Sequence[Choice], drawn: Sequence[Choice]
) -> Iterator[Finding]:
    about = f"slot {slot}"
    nothing = sum(choice.reason is Reason.NOTHING_ELIGIBLE for choice in ours)
    if nothing > len(ours) / 10:
        says = f"In {nothing:,} of {len(ours):,} decisions no variant was eligible."
        yield note(about, says, "See what the calls exclude: refusals in the table choices say it.")
    if len(drawn) < ENOUGH:
        return
    eligible = Counter(variant for choice in drawn for variant in choice.eligible)
    shown = Counter(choice.variant for choice in drawn)
    for variant in variants:
        if not eligible[variant]:
            says = f"{variant!r} was never eligible in the last {len(drawn):,} decisions."
            yield note(about, says, "See what the calls exclude: refusals in the table choices say it.")
        elif not shown[variant]:
            says = f"{variant!r} was eligible {eligible[variant]:,} times and never shown."
            yield note(about, says, "Raise explore, or give it a share: {min: 0.05}.")
    yield from _of_certainty(about, [one for one in drawn if len(one.eligible) > 1 and one.probabilities])


def _of_certainty(about: str, drawn: Sequence[Choice]) -> Iterator[Finding]:
    """Whether the policy gave all it had to give to one variant, every time."""
    if len(drawn) < ENOUGH or not all(_own_share(choice) > ALONE for choice in drawn):
        return
    if all(choice.explore == 0.0 for choice in drawn):
        says = f"Each of the last {len(drawn):,} decisions was certain: nothing is tried any more."
        yield problem(about, says, "Raise explore: what is never shown can't be learned of.")
        return
    favourites = {choice.eligible[choice.probabilities.index(max(choice.probabilities))] for choice in drawn}
    if len(favourites) == 1:
        (favourite,) = favourites
        says = f"All but the explore share went to {favourite!r} in each of the last {len(drawn):,} decisions."
        yield note(about, says, "Right if it is best for everybody: elige evaluate tells. Else try another policy.")


def _own_share(choice: Choice) -> float:
    """The largest probability of the policy itself: what is left without the explore share."""
    if choice.explore == 1.0:
        return 0.0
    return (max(choice.probabilities) - choice.explore / len(choice.eligible)) / (1.0 - choice.explore)


def of_context(campaign: Campaign, recent: Sequence[Decision]) -> Iterator[Finding]:
    """What recent decisions of this version knew of people, and what was dropped."""
    if len(recent) < ENOUGH:
        return
    dropped = Counter(name for decision in recent for name in decision.ignored_context)
    for name, count in sorted(dropped.items()):
        says = f"{name!r} was dropped in {count:,} of {len(recent):,} decisions: not declared, or not of its kind."
        yield note("context", says, "Declare it under context, or stop sending it.")
    declared = () if campaign.context == "any" else sorted(campaign.context)
    for name in declared:
        values = [decision.context[name] for decision in recent if name in decision.context]
        if not values:
            says = f"{name!r} is declared and was in none of the last {len(recent):,} decisions."
            yield note("context", says, "Send it, or take it out of the campaign file.")
        elif len(values) == len(recent) and len(set(values)) == 1:
            says = f"{name!r} was {values[0]!r} in all of the last {len(recent):,} decisions: it tells nobody apart."
            yield note("context", says, "Send what differs from person to person, or take it out.")

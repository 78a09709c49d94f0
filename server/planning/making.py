"""Makes a plan: finds the rates, simulates, and says what came out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from policies.registry import PolicySpec, learns, mentioned
from server.campaigns.model import DEFAULT_EXPLORE, Campaign
from server.durations import iso_duration
from server.errors import InvalidRequest, NoRates
from server.planning.rates import Rewards, decisions_per_day, recent_rewards
from server.planning.records import Assumption, PlanAsked, Planned, PlannedPoint
from server.planning.words import Words, language_of
from server.store import campaigns as campaign_rows
from server.store.database import Database
from simulator.plans.planning import Aim, Plan, Rates
from simulator.plans.planning import plan as simulate
from simulator.plans.policies import DECISIONS, RUNS, PlannedPolicy, planned_policy
from simulator.sentences import Language

DAY = timedelta(days=1)


def plan(database: Database, request: PlanAsked, *, now: datetime) -> Planned:
    """How many decisions, and how much time, a campaign needs to find a difference, simulated from its own rates.

    Raises NoSuchCampaign; InvalidRequest for a number that can't be; NoRates where the campaign has none yet, and the
    request gives none.
    """
    with database.reading() as connection:
        campaign = Campaign.from_document(campaign_rows.read_version(connection, request.campaign).document)
    slot = max(campaign.slots, key=lambda name: len(campaign.slots[name].variants))
    rewards = recent_rewards(database, campaign, slot, now=now)
    language, words = language_of(request.language)
    found = _Found.of(database, campaign, slot, rewards, request, now=now)
    rates = found.rates
    spec = request.policy or campaign.policy_of(slot)
    policy = _policy(campaign, slot, spec, found, seed=request.seed)
    aim = Aim(level=request.level, power=request.power, horizon=request.horizon / DAY)
    if rates.per_day * aim.horizon < 1.0:
        raise InvalidRequest(
            f"{rates.per_day:g} decisions a day for {aim.horizon:g} days: expected at least one decision"
        )
    done = simulate(rates, aim, policy.shares, learns=policy.learns, seed=request.seed)
    return Planned(
        decisions_needed=done.decisions,
        time_needed=None if done.days is None else _time(done.days),
        points=tuple(
            PlannedPoint(timedelta(days=at.day), at.decisions, at.power, at.gain, at.gain_low, at.gain_high)
            for at in done.points
        ),
        assumptions={
            **found.assumptions(campaign, request, rewards, language, words),
            "policy": Assumption(str(spec), _policy_source(policy, request, language, words)),
            "explore": Assumption(_explore(campaign, spec), words.campaign),
            "level": Assumption(request.level, words.given),
            "power": Assumption(request.power, words.given),
            "comparisons": Assumption(rates.variants - 1, words.compared),
            "even_split": Assumption(done.even_split, words.even_split),
            "context": Assumption(words.no_key, words.no_context),
        },
        summary=_summary(done, rates, str(spec), policy, request, language, words),
        even_split=done.even_split,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """The rates of a campaign, and the variants of the slot they are of, its default first."""

    rates: Rates
    slot: str
    variants: tuple[str, ...]

    @classmethod
    def of(
        cls,
        database: Database,
        campaign: Campaign,
        slot: str,
        rewards: Rewards | None,
        request: PlanAsked,
        *,
        now: datetime,
    ) -> "_Found":
        per_day = request.decisions_per_day
        if per_day is None:
            per_day = decisions_per_day(database, campaign.campaign, now=now)
        if per_day is None:
            raise NoRates(campaign.campaign, "decisions", "say how many are expected a day")
        mean = request.mean_reward if request.mean_reward is not None else rewards.mean if rewards else None
        if mean is None:
            raise NoRates(campaign.campaign, "rewards", "say which mean reward is expected")
        binary = rewards.binary if rewards else campaign.reward.range == (0.0, 1.0)
        binary = binary and request.reward_deviation is None and 0.0 < mean < 1.0
        deviation = request.reward_deviation
        if deviation is None:
            deviation = (mean * (1.0 - mean)) ** 0.5 if binary else rewards.deviation if rewards else 0.0
        if deviation == 0.0:
            raise NoRates(campaign.campaign, "rewards that differ", "say which standard deviation is expected")
        difference = request.difference if request.difference is not None else abs(mean) / 10.0
        if difference == 0.0:
            raise InvalidRequest("the mean reward is 0, so that a tenth of it is no difference: give one above 0")
        variants = _variants(campaign, slot, rewards, language_of(request.language)[1])
        try:
            rates = Rates(
                per_day=per_day,
                mean=mean,
                deviation=deviation,
                difference=difference,
                variants=len(variants),
                binary=binary,
                delay=campaign.reward.window / DAY,
                together=rewards.together if rewards else 1.0,
            )
        except ValueError as error:
            raise InvalidRequest(str(error)) from error
        return cls(rates, slot, variants)

    def assumptions(
        self, campaign: Campaign, request: PlanAsked, rewards: Rewards | None, language: Language, words: Words
    ) -> dict[str, Assumption]:
        rates = self.rates
        recent = words.given
        if rewards is not None:
            template = words.recent_defaults if rewards.of_defaults else words.recent_all
            recent = template.format(n=f"{rewards.n:,}".replace(",", language.thousands))
        deviation = words.of_zero_and_one if rates.binary else recent
        return {
            "decisions_per_day": _told(rates.per_day, request.decisions_per_day, words, words.recent_decisions),
            "mean_reward": _told(rates.mean, request.mean_reward, words, recent),
            "reward_deviation": _told(rates.deviation, request.reward_deviation, words, deviation),
            "difference": _told(rates.difference, request.difference, words, words.tenth),
            "slot": Assumption(self.slot, words.most_variants if len(campaign.slots) > 1 else words.campaign),
            "variants": Assumption(rates.variants, words.campaign),
            "better_variant": Assumption(self.variants[1], words.first_other),
            "reward_window": Assumption(iso_duration(campaign.reward.window), words.campaign),
            "variance_by_persons": Assumption(rates.together, words.persons if rewards else words.unknown_persons),
        }


def _told(value: float, asked: float | None, words: Words, otherwise: str) -> Assumption:
    return Assumption(value, otherwise if asked is None else words.given)


def _variants(campaign: Campaign, slot: str, rewards: Rewards | None, words: Words) -> tuple[str, ...]:
    """Those of the slot, its default first. Where calls bring their own, as many as they mostly brought."""
    known = [variant.id for variant in campaign.slots[slot].variants]
    if len(known) < 2:
        if rewards is None or rewards.eligible < 2:
            raise NoRates(campaign.campaign, "decisions among several variants", "wait for some, or declare variants")
        known = [words.candidate.format(n=place) for place in range(1, rewards.eligible + 1)]
    default = campaign.slots[slot].default or known[0]
    return tuple(sorted(known, key=lambda variant: variant != default))


def _policy(campaign: Campaign, slot: str, spec: PolicySpec, found: _Found, *, seed: int) -> PlannedPolicy:
    variants = found.variants
    for variant in mentioned(spec).variants:
        if variant not in variants:
            raise InvalidRequest(
                f"policy {str(spec)!r}: no variant {variant!r} in slot {slot!r}; it has: {', '.join(variants)}"
            )
    return planned_policy(
        spec,
        variants,
        found.rates,
        default=variants[0],
        explore=_explore(campaign, spec),
        bounds=campaign.bounds_of(slot),
        reward_range=campaign.reward_range,
        seed=seed,
    )


def _explore(campaign: Campaign, spec: PolicySpec) -> float:
    if campaign.explore is not None:
        return campaign.explore
    return DEFAULT_EXPLORE if learns(spec) else 0.0


def _policy_source(policy: PlannedPolicy, request: PlanAsked, language: Language, words: Words) -> str:
    source = words.campaign if request.policy is None else words.given
    if policy.run:
        return f"{source}; {words.run.format(runs=RUNS, decisions=language.count(DECISIONS))}"
    return f"{source}; {words.stands_for.format(stand_in=policy.stand_in)}" if policy.stand_in else source


def _summary(
    done: Plan,
    rates: Rates,
    spec: str,
    policy: PlannedPolicy,
    request: PlanAsked,
    language: Language,
    words: Words,
) -> str:
    difference, power = language.number(rates.difference, 3), language.share(request.power)
    if done.decisions is not None and done.days is not None:
        first = words.enough.format(
            policy=repr(spec),
            difference=difference,
            power=power,
            needed=language.count(done.decisions),
            time=words.lasting(_time(done.days), language),
        )
    else:
        first = words.too_few.format(
            policy=repr(spec),
            difference=difference,
            power=power,
            found=language.share(done.points[-1].power),
            horizon=words.lasting(request.horizon, language),
        )
    split = words.split.format(
        variants=rates.variants,
        needed=language.count(done.even_split),
        time=words.lasting(_time(done.even_split / rates.per_day + rates.delay), language),
    )
    last = done.points[-1]
    even = last.decisions * rates.difference / rates.variants
    gain = words.gain.format(
        horizon=words.lasting(request.horizon, language), gain=_sum(last.gain, language), even=_sum(even, language)
    )
    traded = policy.learns and last.gain > even and (done.decisions is None or done.decisions > done.even_split)
    return " ".join([first, gain, split, *([words.longer] if traded else [])])


def _sum(gained: float, language: Language) -> str:
    return language.count(round(gained)) if gained >= 100.0 else language.number(gained, 2)


def _time(days: float) -> timedelta:
    """In whole seconds, rounded up; a century for all that is longer."""
    return timedelta(seconds=ceil(min(days, 36_525.0) * 86_400.0))

"""From a page and some policies to an evaluation: what each of them would have earned, deciding every slot."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from policies.registry import PolicySpec
from simulator.asked import Asked, EvaluationError, check_asked
from simulator.assembling import assembled
from simulator.candidates import Candidate, Entry, baselines
from simulator.checks import diagnose_log
from simulator.estimators import USUAL, check_names, headline_of, modelled
from simulator.estimators.basis import BOOTSTRAP, NORMAL, SKEWED
from simulator.evaluate import row_in
from simulator.evaluation import Evaluation, Group, View
from simulator.findings import Finding, Severity, refusal
from simulator.groups import Grouping
from simulator.judging import Part, logged_row, nothing_to_tell, part_of, period_of, refused_row
from simulator.lift import Trial
from simulator.logs.log import Floats, Log, LogSummary
from simulator.models import LINEAR, NONE, RewardModel, check_model, model_rewards
from simulator.notes import notes_on, notes_on_left_out
from simulator.pages.page import Page, page_row
from simulator.pages.policies import PageCandidate, PageEntry, each_once, page_baselines, page_named
from simulator.periods import periods
from simulator.rows import FIXED, UNIFORM, Row
from simulator.sentences import LANGUAGES, Language
from simulator.targets import Progress, counted, target_of
from simulator.views import cuts_of, gathered, valued

ESTIMATED = ("ips", "snips", "dr", "sndr", "clipped_ips", "cressie_read")
"""The estimators that a page has."""
OF_SUMS = (SKEWED, NORMAL, BOOTSTRAP)
"""The intervals that sequential corrections have; the others know bounds of weights and rewards alone."""
WHOLE = -1
"""The place of the whole among the parts; those of views count from 0."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A part of a page. q: by slot, what the model expects of what is judged there."""

    part: Part
    q: tuple[Floats, ...]


def evaluate_page(
    page: Page,
    policies: Iterable[PolicySpec | str | Candidate | PageCandidate] = (),
    *,
    estimators: Sequence[str] = USUAL,
    interval: str = SKEWED,
    model: RewardModel = LINEAR,
    confidence: float = 0.95,
    train_share: float = 0.5,
    by: Grouping | None = None,
    every: timedelta | None = None,
    metrics: Mapping[str, Sequence[float] | Floats] | None = None,
    trial: Trial | None = None,
    lang: str = "en",
    seed: int = 0,
    force: bool = False,
    progress: Progress | None = None,
) -> Evaluation:
    """As `evaluate`, for policies that decide every slot of a page. Beside them stand the logged policy, every slot
    uniform, and every slot at its default; and in a view each slot alone, the others as logged, with its fixed
    variants.

    A specification is for all slots alike, each with a learner of its own, or names its slots:
    `headline=fixed:price + offer=squarecb`; a slot that is not named is left as logged. Estimators that a page does not
    have are left out. Raises EvaluationError, PolicyError, LogError as `evaluate` does.
    """
    tell = progress or (lambda what, done: None)
    check_model(model)
    check_asked(confidence, lang, policies=policies, estimators=estimators)
    kept, unfit = _estimators(estimators, interval, model)
    how = Asked(kept, headline_of(kept), confidence, lang, force, interval=interval, seed=seed)
    if all(_one_variant(log) for log in page.slots):
        raise EvaluationError(f"log {page.slots[0].name!r}: no slot ever had more than one variant to choose from")
    language = how.language
    asked = [page_named(page, policy, language=language, seed=seed) for policy in policies]
    trained, outline, refusals = periods(page.outline, [entry.whole for entry in asked], train_share, language=language)
    judged = page[len(page) - len(outline) :]
    candidates = each_once([*page_baselines(judged, language=language, seed=seed), *asked])
    findings = diagnose_page(page, lang=lang)
    how = how.of_unsound(refusal(findings))
    if how.unsound and not force:
        refusals = {entry.name: how.unsound for entry in candidates} | refusals
    for entry in asked:
        if trained is not None and entry.name not in refusals:
            _learn(entry, page[: len(trained)], tell)
    if problem := nothing_to_tell(outline):
        raise EvaluationError(problem)
    told = model if len(refusals) < len(candidates) and modelled(kept) else NONE

    def expected(log: Log) -> Floats:
        return model_rewards(log, told, seed=seed, progress=lambda done: tell("fitting the reward model", done))

    everybody = np.ones(len(judged), dtype=bool)
    q = tuple(map(expected, judged.valued(judged.earned)))
    parts = {WHOLE: _Seen(part_of(outline, q[0], everybody, how), q)}
    cuts = cuts_of(page.outline, outline, by=by, every=every, metrics=metrics, lang=lang)
    for place, cut in enumerate(cuts):
        if cut.refusal is not None:
            continue
        if cut.rewards is None:
            parts[place] = _Seen(part_of(outline, q[0], cut.members, how), q)
        else:
            mine = tuple(map(expected, judged.valued(cut.rewards)))
            parts[place] = _Seen(part_of(valued(outline, cut.rewards), mine[0], cut.members, how), mine)
    own = [
        model_of_page if np.array_equal(log.rewards, judged.earned) else expected(log)
        for log, model_of_page in zip(judged.slots, q, strict=True)
    ]
    refused = [_one_variant(log, language) or nothing_to_tell(log, language) for log in judged.slots]
    slots = [
        None if why else part_of(log, mine, everybody, how)
        for log, mine, why in zip(judged.slots, own, refused, strict=True)
    ]
    alone = _Alone(judged, slots, refused, how)
    rows = {place: [logged_row(one.part)] for place, one in parts.items()}
    for entry in candidates:  # one after the other: all their probabilities together may not fit into memory
        if entry.name in refusals:
            for place, one in parts.items():
                rows[place].append(refused_row(one.part, entry.name, entry.role, refusals[entry.name]))
            continue
        targets = _targets(judged, entry, tell)
        for place, one in parts.items():
            rows[place].append(page_row(judged, one.part, entry.name, entry.role, targets, one.q, how))
        alone.judge(entry, targets)
    notes = {entry.name: entry.note for entry in candidates}
    whole = [replace(row, note=notes.get(row.name, "")) for row in rows[WHOLE]]
    return assembled(
        whole,
        parts[WHOLE].part.persons,
        how,
        log=_summary(page),
        judged=outline,
        trained=period_of(trained) if trained is not None else None,
        notes=(
            *_notes(page, unfit, language),
            *notes_on(page.outline, outline, trained, language),
            *notes_on_left_out(estimators, how, kept=unfit),
        ),
        findings=findings,
        entries=[entry.whole for entry in asked],
        trial=trial,
        views=(alone.view(tell), *gathered(cuts, rows)),
        slots=page.names,
    )


class _Alone:
    """Each slot judged alone, the others as logged: the policies of the page, and the slot's own fixed variants."""

    def __init__(self, judged: Page, parts: Sequence[Part | None], refusals: Sequence[str | None], how: Asked) -> None:
        self._judged, self._parts, self._refusals, self._how = judged, parts, refusals, how
        self._rows: list[list[Row]] = [[] for _ in judged.slots]

    def judge(self, entry: PageEntry, targets: Sequence[Floats | None]) -> None:
        """What each slot's part of a policy of the page is worth by itself."""
        if entry.role == FIXED:
            return  # the default is among the fixed variants
        for place, (one, target) in enumerate(zip(entry.slots, targets, strict=True)):
            part = self._parts[place]
            # a fixed variant, and uniform, stand there already
            if part is not None and one is not None and target is not None and (entry.role == UNIFORM or _own(one)):
                found = row_in(part, replace(one, name=entry.name, role=entry.role), target, "", self._how)
                self._rows[place].append(found)

    def view(self, tell: Progress) -> View:
        """By slot: the logged policy, uniform, every variant fixed, and those that were asked for."""
        groups = []
        for log, part, rows, why in zip(self._judged.slots, self._parts, self._rows, self._refusals, strict=True):
            if part is None:
                groups.append(Group(log.slot, len(log), (), why))
                continue
            fixed = [entry for entry in baselines(log, seed=0, language=self._how.language) if entry.role == FIXED]
            variants = [
                replace(row_in(part, one, target_of(log, one, tell), "", self._how), note=one.note) for one in fixed
            ]
            uniform, others = rows[:1], rows[1:]
            groups.append(Group(log.slot, len(log), (logged_row(part), *uniform, *variants, *others), None))
        return View("slot", "", tuple(groups))


def _own(entry: Entry) -> bool:
    return entry.fixed is None and entry.name != UNIFORM


def _one_variant(log: Log, language: Language = LANGUAGES["en"]) -> str | None:
    if int(log.eligible.sum(axis=1).max()) > 1:
        return None
    return language.one_variant.format(variants=list(log.ids)[:5])


def _estimators(asked: Sequence[str], interval: str, model: RewardModel) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those that a page has, and the others. Raises EvaluationError where none is left, or for what there is not."""
    try:
        names = check_names(asked, interval, model=model != NONE)
    except ValueError as error:
        raise EvaluationError(str(error)) from error
    fit = [name for name in ESTIMATED if interval in OF_SUMS or not modelled([name])]
    kept, left = (tuple(name for name in names if (name in fit) is wanted) for wanted in (True, False))
    if not kept:
        raise EvaluationError(
            f"estimators {list(left)}, interval {interval!r}: of these a page of several slots has {fit}; "
            "one slot alone has the others"
        )
    return kept, left


def diagnose_page(page: Page, *, lang: str = "en") -> tuple[Finding, ...]:
    """What the checks find about all slots: everything of the first, and what is wrong in another and not there."""
    found: list[Finding] = []
    for log in (page.outline, *page.slots[1:]):
        for one in diagnose_log(log, lang=lang):
            if log is page.outline:
                found.append(one)
            elif one.severity is not Severity.GREEN and all(one.says != other.says for other in found):
                found.append(replace(one, says=f"{log.slot}: {one.says}"))
    return tuple(sorted(found, key=lambda one: one.severity.rank))


def _learn(entry: PageEntry, trained: Page, tell: Progress) -> None:
    """Each slot's learner from what its own choices earned."""
    for one, log in zip(entry.slots, trained.slots, strict=True):
        if one is not None and one.learner is not None:
            one.learner.learn(counted(log, tell, f"training {entry.name}, {log.slot}"))


def _targets(judged: Page, entry: PageEntry, tell: Progress) -> list[Floats | None]:
    return [
        None if one is None else target_of(log, replace(one, name=entry.name), tell)
        for log, one in zip(judged.slots, entry.slots, strict=True)
    ]


def _summary(page: Page) -> LogSummary:
    return replace(
        page.outline.summary(),
        variants=sum(len(log.ids) for log in page.slots),
        probabilities_known=all(log.probabilities is not None for log in page.slots),
    )


def _notes(page: Page, unfit: Sequence[str], language: Language) -> Iterator[str]:
    yield language.page.format(slots=", ".join(page.names))
    if unfit:
        yield language.not_on_a_page.format(estimators=", ".join(unfit))

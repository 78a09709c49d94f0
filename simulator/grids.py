"""Grids: many specifications trained on one part of a log, one of them chosen on the next, and that one judged, once,
on the last.

The best of many on the rounds by which it was chosen is too often the luckiest: its value there is too high. On rounds
that chose nothing it is not.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import product

from policies.base import Learner
from policies.registry import PolicyError, PolicySpec, check, create, learns, load
from simulator.asked import EvaluationError, check_asked
from simulator.candidates import Candidate, named
from simulator.engines.local import Engine, Inline, local_engine
from simulator.estimators import USUAL
from simulator.evaluate import evaluate
from simulator.evaluation import Evaluation, Grid
from simulator.groups import Grouping
from simulator.judging import period_of
from simulator.leaks import leak, shared_persons
from simulator.logs.log import Log
from simulator.models import LINEAR, RewardModel
from simulator.rows import SNAPSHOT, SPEC, Row
from simulator.sentences import LANGUAGES, Language
from simulator.targets import Progress, counted

OR = "|"
MOST = 200
"""Combinations of one evaluation."""
LEAST_PARALLEL = 200_000
"""Rounds to learn, over all combinations, from which other processes are worth their start."""


def expand(grid: str) -> tuple[PolicySpec, ...]:
    """`squarecb:gamma_scale=1|10,learning_rate=0.1|0.5` as its four specifications, in order. Raises PolicyError."""
    name, colon, rest = grid.partition(":")
    parts = [part.partition("=") for part in rest.split(",")] if colon else []
    choices = [[f"{key}={value}" for value in values.split(OR)] for key, _, values in parts]
    specs = tuple(PolicySpec.parse(f"{name}:{','.join(one)}" if one else name) for one in product(*choices))
    for spec in specs:
        check(spec)
        if not learns(spec):
            raise PolicyError(f"grid {grid!r}: {spec.name!r} does not learn; expected policies that do")
    return specs


def expanded(grids: Iterable[str]) -> tuple[PolicySpec, ...]:
    """Those of several grids, each once. Raises PolicyError where they are fewer than 2, or too many."""
    specs = {str(spec): spec for grid in grids for spec in expand(grid)}
    if not 2 <= len(specs) <= MOST:
        raise PolicyError(
            f"a grid of {len(specs)} combination{'s' if len(specs) > 1 else ''}: expected 2 to {MOST}, "
            f"as in squarecb:gamma_scale=1{OR}10{OR}100"
        )
    return tuple(specs.values())


def evaluate_grid(
    log: Log,
    grids: Sequence[str],
    policies: Iterable[PolicySpec | str | Candidate] = (),
    *,
    estimators: Sequence[str] = USUAL,
    interval: str = "skewed",
    model: RewardModel = LINEAR,
    confidence: float = 0.95,
    train_share: float = 0.5,
    by: Grouping | None = None,
    every: timedelta | None = None,
    lang: str = "en",
    seed: int = 0,
    force: bool = False,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """What the chosen one of a grid would have earned. All combinations, and other learners named by specification, are
    trained on the first `train_share` of the log; the first half of the rest chooses the combination with the highest
    value; the second half judges it, and the other policies. How all did where it was chosen is the `grid` of the
    evaluation: p-values there are corrected for their number (Holm).

    A snapshot that learned from rounds that judge is refused. engine: where the combinations are trained; by default in
    processes of this machine, if there is enough to learn. Raises PolicyError, EvaluationError, LogError.
    """
    tell = progress or (lambda what, done: None)
    judge = partial(
        evaluate,
        estimators=estimators,
        interval=interval,
        model=model,
        confidence=confidence,
        lang=lang,
        seed=seed,
        force=force,
    )
    check_asked(confidence, lang, grids=grids, policies=policies, estimators=estimators)
    specs = expanded(grids)
    trained, rest = log.split(train_share)
    choosing, judged = rest.split(0.5)
    others = [_other(log, trained, one, seed=seed, tell=tell) for one in policies]
    with _working(engine, rounds=len(specs) * len(trained)) as working:
        learners = list(_trained(log, trained, specs, seed=seed, engine=working, tell=tell))
    candidates = {str(spec): Candidate(str(spec), one) for spec, one in zip(specs, learners, strict=True)}
    if twice := sorted({one.name for one in others if isinstance(one, Candidate)} & set(candidates)):
        raise EvaluationError(f"{twice[0]!r} is in the grid already: name it once")
    middle = judge(
        choosing, candidates.values(), progress=lambda what, done: tell(f"choosing a combination: {what}", done)
    )
    tried = tuple(replace(row, role=SPEC) for row in middle.rows if row.name in candidates)
    chosen = _best(middle, tried)
    language = LANGUAGES[lang]
    leaks = {one.name: why for one in others if isinstance(one, Candidate) and (why := leak(one, judged, language))}
    told = (one for one in others if not isinstance(one, Candidate) or one.name not in leaks)
    last = judge(judged, [candidates[chosen], *told], by=by, every=every, progress=tell)
    refused = tuple(Row(name, SNAPSHOT, {}, None, why, None, last.period) for name, why in leaks.items())
    return replace(
        last,
        rows=(*(replace(row, role=SPEC) if row.name == chosen else row for row in last.rows), *refused),
        log=log.summary(),
        trained=period_of(trained),
        notes=(*_notes(trained, choosing, judged, chosen, len(specs), language), *last.notes),
        grid=Grid(chosen, period_of(choosing), tried, middle.comparisons),
    )


@dataclass(frozen=True, slots=True)
class _Training:
    """Trains a specification on a log, anywhere: the log goes there, and the trained state comes back."""

    log: Log
    default: str
    seed: int

    def __call__(self, spec: PolicySpec) -> bytes:
        learner = self.learner(spec)
        learner.learn(self.log.examples())
        return learner.dump()

    def learner(self, spec: PolicySpec) -> Learner:
        built = create(spec, default=self.default, reward_range=self.log.reward_range, seed=self.seed)
        assert isinstance(built, Learner)  # as the specification was checked to be
        return built


def _working(engine: Engine | None, *, rounds: int) -> AbstractContextManager[Engine]:
    """Where to train: as asked, or else where it pays."""
    if engine is not None or rounds < LEAST_PARALLEL:
        return nullcontext(engine or Inline())
    return local_engine()


def _trained(
    log: Log, trained: Log, specs: Sequence[PolicySpec], *, seed: int, engine: Engine, tell: Progress
) -> Iterator[Learner]:
    training = _Training(trained, log.default or "", seed)
    for spec in specs:
        named(log, spec, seed=seed)  # raises where the log has not what it names
    if isinstance(engine, Inline):  # which would copy each learner for nothing, and can tell how far it is
        for spec in specs:
            learner = training.learner(spec)
            learner.learn(counted(trained, tell, f"training {spec}"))
            yield learner
        return
    for done, (spec, state) in enumerate(zip(specs, engine.map(training, specs), strict=True), start=1):
        tell(f"training {len(specs)} learners", done / len(specs))
        yield load(spec, state, default=training.default, reward_range=log.reward_range, seed=seed)


def _other(
    log: Log, trained: Log, policy: PolicySpec | str | Candidate, *, seed: int, tell: Progress
) -> PolicySpec | str | Candidate:
    """A policy beside the grid: where it learns, trained on what the grid is trained on."""
    if isinstance(policy, Candidate):
        return policy
    entry = named(log, policy, seed=seed)
    if entry.learner is None:
        return policy
    entry.learner.learn(counted(trained, tell, f"training {entry.name}"))
    return Candidate(entry.name, entry.learner)


def _best(middle: Evaluation, tried: Sequence[Row]) -> str:
    values = {row.name: found.value for row in tried if (found := middle.estimate(row))}
    if not values:
        raise EvaluationError(
            f"none of the {len(tried)} combinations of the grid could be judged where one was to be chosen "
            f"({middle.period}); the first: {tried[0].refusal}"
        )
    return max(values, key=values.__getitem__)


def _notes(trained: Log, choosing: Log, judged: Log, chosen: str, count: int, language: Language) -> Iterator[str]:
    yield language.grid_trained.format(count=count, period=period_of(trained).told(language))
    yield language.grid_chosen.format(chosen=repr(chosen), period=period_of(choosing).told(language))
    if shared := shared_persons(trained, judged, language):
        yield shared

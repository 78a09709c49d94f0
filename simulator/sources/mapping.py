"""Which column of a table means what: of a CSV or Parquet file, of a data frame."""

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from policies.types import RewardRange
from simulator.sources.tables import read_propensity

KINDS = ("text", "number", "flag", "texts")
EQUAL = "equal"
"""Every variant that could be shown was as probable as any other."""
ESTIMATE = "estimate"
"""Shares that nobody knows: the propensities are estimated, and the log says so."""

UNTOLD = (
    "neither propensity nor shares: a log without the probability of each choice can't be evaluated; "
    "expected a column, or shares: equal, a number, a share for each variant, or estimate"
)

Shares = float | str | Mapping[str, float] | None


class MappingError(ValueError):
    """A mapping with mistakes; `problems` names all of them."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("mapping: " + "; ".join(problems))


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Which column means what. Chances come from `propensity`, a column, from `probabilities`, or else from `shares`.

    shares: one number, the propensity of every row; or a share for every variant; or `equal`; or `estimate`. One of the
    three has to be told: nobody's propensities are taken to be equal.
    probabilities: a column of lists, of one number a variant, in the order of `eligible`, else of `variants`; or
    variant to column, where an empty cell is a variant that could not be chosen. eligible: a column of lists of the
    variants that could be chosen; None: all. id: a column that no two rows share; rows that do are counted. Lists,
    which no CSV file has, only come in frames and Parquet files.
    time: a column of ISO 8601 times or unix seconds; None: the order of the rows. person: a column; None: every row
    is another person. context: column to `text`, `number`, `flag` or `texts`, which are lists. variants: all that could
    be shown; None: those seen. default: the variant that would have been shown without us.
    """

    variant: str
    reward: str
    propensity: str | None = None
    shares: Shares = None
    probabilities: str | Mapping[str, str] | None = None
    eligible: str | None = None
    id: str | None = None
    time: str | None = None
    person: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    variants: tuple[str, ...] | None = None
    default: str | None = None
    slot: str = "variant"
    reward_range: RewardRange = field(default_factory=RewardRange)
    encoding: str = "utf-8"
    delimiter: str = ","

    def __post_init__(self) -> None:
        if self.propensity is None and self.shares is None and self.probabilities is None:
            raise MappingError([UNTOLD])

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column the file must have."""
        told = self.probabilities
        lists = (told,) if isinstance(told, str) else tuple(told.values()) if told is not None else ()
        named = (self.variant, self.reward, self.propensity, self.time, self.person, self.eligible, self.id)
        return tuple(column for column in (*named, *lists, *self.context) if column is not None)

    @property
    def designed(self) -> bool:
        """Whether the shares tell the propensities, rather than a column or an estimate."""
        return self.propensity is None and self.probabilities is None and self.shares != ESTIMATE

    @classmethod
    def from_dict(cls, raw: Mapping[str, object]) -> "ColumnMapping":
        """From what a YAML or JSON file holds: the names of the fields; `shares` also `equal`, or a fraction, `1/3`;
        `reward_range` as [low, high]. Raises MappingError with all mistakes at once.
        """
        problems: list[str] = []
        known = [item.name for item in fields(cls)]
        problems += [f"no field {name!r}; known: {', '.join(known)}" for name in raw if name not in known]
        read: dict[str, object] = {}
        for name in _TEXTS:
            if raw.get(name) is not None:
                read[name] = _text(name, raw[name], problems)
        for name in ("variant", "reward"):
            if raw.get(name) is None:
                problems.append(f"{name} is missing; expected the name of a column")
        if raw.get("propensity") is not None and raw.get("shares") is not None:
            problems.append("propensity and shares are both given; expected one, a column or the shares")
        if raw.get("probabilities") is not None and raw.get("shares") is not None:
            problems.append("probabilities and shares are both given; expected one")
        if all(raw.get(name) is None for name in ("propensity", "shares", "probabilities")):
            problems.append(UNTOLD)
        read["shares"] = _shares(raw.get("shares"), problems)
        read["probabilities"] = _probabilities(raw.get("probabilities"), problems)
        read["context"] = _context(raw.get("context"), problems)
        read["variants"] = _variants(raw.get("variants"), problems)
        read["reward_range"] = _reward_range(raw.get("reward_range"), problems)
        for name in ("shares", "probabilities"):
            told = read[name]
            if isinstance(told, Mapping) and read["variants"] is None:
                read["variants"] = tuple(told)
        _check_together(read, problems)
        if problems:
            raise MappingError(problems)
        return cls(**read)  # type: ignore[arg-type]  # every value was read by its own reader above


_TEXTS = (
    "variant", "reward", "propensity", "time", "person", "eligible", "id", "default", "slot", "encoding", "delimiter",
)  # fmt: skip


def _check_together(read: Mapping[str, object], problems: list[str]) -> None:
    variants, default = read["variants"], read.get("default")
    if isinstance(read["shares"], Mapping) and read.get("eligible") is not None:
        problems.append("shares of each variant, and eligible, are both given; what is the share where one is missing?")
    if isinstance(read["probabilities"], str) and variants is None and read.get("eligible") is None:
        problems.append("probabilities in lists: expected variants, or eligible, to say which number is whose")
    if isinstance(variants, tuple):
        for name in ("shares", "probabilities"):
            told = read[name]
            if isinstance(told, Mapping) and set(told) != set(variants):
                problems.append(f"{name} are of {list(told)}; expected one for each of the variants {list(variants)}")
        if default is not None and default not in variants:
            problems.append(f"default: {default!r} is not one of the variants {list(variants)}")
    delimiter = read.get("delimiter", ",")
    if isinstance(delimiter, str) and len(delimiter) != 1:
        problems.append(f"delimiter: {delimiter!r}, expected one character")
    encoding = read.get("encoding", "utf-8")
    try:
        codecs.lookup(str(encoding))
    except LookupError:
        problems.append(f"encoding: no encoding {encoding!r}, expected one such as utf-8 or latin-1")


def _text(name: str, value: object, problems: list[str]) -> str:
    if not isinstance(value, str) or not value:
        problems.append(f"{name}: {value!r}, expected a text")
        return ""
    return value


def _shares(value: object, problems: list[str]) -> Shares:
    if value is None:
        return None
    if isinstance(value, str) and value in (EQUAL, ESTIMATE):
        return value
    if isinstance(value, Mapping):
        shares = {str(variant): _share(f"shares of {variant!r}", share, problems) for variant, share in value.items()}
        if abs(sum(shares.values()) - 1.0) > 1e-6:
            problems.append(f"shares: their sum is {sum(shares.values()):.6g}, expected 1")
        return shares
    return _share("shares", value, problems)


def _share(name: str, value: object, problems: list[str]) -> float:
    try:
        return read_propensity(str(value))
    except ValueError:
        problems.append(f"{name}: {value!r}, expected equal, a number in (0, 1], a fraction such as 1/3, or estimate")
        return 1.0


def _probabilities(value: object, problems: list[str]) -> str | dict[str, str] | None:
    if value is None or (isinstance(value, str) and value):
        return value
    if isinstance(value, Mapping) and value and all(isinstance(column, str) for column in value.values()):
        return {str(variant): column for variant, column in value.items()}
    problems.append(f"probabilities: {value!r}, expected a column of lists, or variant: column")
    return None


def _context(value: object, problems: list[str]) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        problems.append(f"context: {value!r}, expected column: kind, where kind is one of {', '.join(KINDS)}")
        return {}
    for column, kind in value.items():
        if kind not in KINDS:
            problems.append(f"context of {column!r}: {kind!r}, expected one of {', '.join(KINDS)}")
    return {str(column): str(kind) for column, kind in value.items()}


def _variants(value: object, problems: list[str]) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list | tuple) or not value or not all(isinstance(item, str) for item in value):
        problems.append(f"variants: {value!r}, expected a list of texts")
        return None
    if len(set(value)) < len(value):
        problems.append(f"variants: {list(value)} names one twice")
    return tuple(value)


def _reward_range(value: object, problems: list[str]) -> RewardRange:
    try:
        if value is not None:
            low, high = (float(str(bound)) for bound in value)  # type: ignore[attr-defined]  # TypeError if it is none
            return RewardRange(low, high)
    except (TypeError, ValueError):
        problems.append(f"reward_range: {value!r}, expected [low, high], two finite numbers, low < high")
    return RewardRange()

"""The kinds of value that a campaign file holds: read, checked, written, and described for JSON Schema."""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Discriminator,
    PlainSerializer,
    PlainValidator,
    Tag,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from policies.expressions import is_name
from policies.registry import MENU, PolicyError, PolicySpec
from policies.types import Features, Value
from server.campaigns.policy_lines import policy_document, read_policy
from server.campaigns.problems import wrong
from server.campaigns.rule_lists import RULES_SCHEMA, WrongRules
from server.durations import PATTERN, iso_duration, parse_duration

MAX_ID = 128
MAX_NAME = 63
MIN_WINDOW, MAX_WINDOW = timedelta(seconds=1), timedelta(days=90)
MAX_RETENTION = timedelta(days=3650)
MAX_WHOLE = 2**53
"""Whole numbers beyond it are not exact in JSON."""

_NAME = r"[a-z0-9][a-z0-9_-]{0,62}"
_CONTROL = {"Cc", "Cs", "Zl", "Zp"}

Aggregation = Literal["once", "sum", "max", "last", "cancels"]
Seen = Literal["activation", "decision"]
ContextKind = Literal["text", "number", "flag", "texts"]
LearnedKind = Literal["drawn", "observed"]
LEARNED_KINDS: tuple[LearnedKind, ...] = ("drawn", "observed")


def _name(value: str) -> str:
    if not re.fullmatch(_NAME, value):
        raise wrong(
            "is not a name",
            f"lower-case letters, digits, hyphens and underscores, beginning with a letter or digit, "
            f"at most {MAX_NAME}",
        )
    return value


def _word(value: str) -> str:
    if len(value) > MAX_NAME or not is_name(value):
        raise wrong(
            "can't be a name in formulas",
            f"letters, digits and underscores, not beginning with a digit or '__', at most {MAX_NAME}, "
            "and no word or function of the formula language",
        )
    return value


def _metric(value: str) -> str:
    if value == "cost":
        raise wrong("is kept for the cost of variants", "another name")
    return _word(value)


def _id(value: str) -> str:
    if not 0 < len(value) <= MAX_ID:
        raise wrong(f"has {len(value)} characters", f"1 to {MAX_ID}")
    if value != value.strip() or any(unicodedata.category(letter) in _CONTROL for letter in value):
        raise wrong("is not an id", "text without control characters and without spaces around it")
    return value


def _text(value: str) -> str:
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise wrong("holds half of a surrogate pair", "Unicode text")
    return value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise wrong("is not finite", "a finite number")
    return value


def _share(value: float) -> float:
    if not 0.0 <= value <= 1.0:
        raise wrong("is no share", "a number from 0 to 1")
    return value


def _window(value: Any) -> timedelta:
    expected = "a duration such as 30m, 1h30m, 3d or PT30M, from 1s to 90d"
    return _duration(value, MIN_WINDOW, MAX_WINDOW, expected)


def _retention(value: Any) -> timedelta:
    return _duration(value, MIN_WINDOW, MAX_RETENTION, "a duration such as 90d, 400d or P400D, up to 3650d")


def _duration(value: Any, shortest: timedelta, longest: timedelta, expected: str) -> timedelta:
    if isinstance(value, timedelta):
        duration = value
    elif isinstance(value, str):
        try:
            duration = parse_duration(value)
        except ValueError as error:
            raise wrong("is not a duration", expected) from error
    else:
        raise wrong("is not a duration", expected)
    if not shortest <= duration <= longest or duration.microseconds:
        raise wrong("is out of bounds", expected)
    return duration


def _learn_from(value: Any) -> tuple[LearnedKind, ...]:
    if isinstance(value, (list, tuple)):
        read = tuple(one for one in LEARNED_KINDS if one in value)
        if len(read) == len(value):  # else one is unknown, or given twice
            return read
    raise wrong("is not what can be learned from", "a list out of drawn and observed, as in [drawn, observed]")


def _range(value: Any) -> tuple[float, float]:
    if isinstance(value, (list, tuple)) and len(value) == 2 and all(map(_is_number, value)):
        low, high = map(_double, value)
        if math.isfinite(low) and math.isfinite(high) and low < high:
            return low, high
    raise wrong("is no range", "two numbers, the lower first, as in [0, 1]")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _double(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _feature(value: Any) -> Value:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return value
    if _is_number(value) and math.isfinite(number := _double(value)):
        return number
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return tuple(_text(item) for item in value)
    raise wrong("can't be a feature", "text, a finite number, true or false, or a list of texts")


def _json(value: Any) -> Any:
    match value:
        case None | bool():
            return value
        case str():
            return _text(value)
        case int() if abs(value) <= MAX_WHOLE:
            return value
        case float() if math.isfinite(value):
            return value
        case int() | float():
            raise wrong("can't be kept exactly in JSON", "a finite number, whole ones up to 9007199254740992, or text")
        case list() | tuple():
            return _each(dict(enumerate(value)), _json, list)
        case Mapping():
            return _each(value, _json, dict)
    raise wrong("is not JSON", "text, a number, true, false, null, a list or a mapping")


def _each(values: Mapping[Any, Any], read: Callable[[Any], Any], make: type[list[Any]] | type[dict[Any, Any]]) -> Any:
    """`read` every value; every error with its own place."""
    done: dict[Any, Any] = {}
    errors: list[InitErrorDetails] = []
    for key, value in values.items():
        try:
            if make is dict:
                _key(key)
            done[key] = read(value)
        except PydanticCustomError as error:
            errors.append(InitErrorDetails(type=error, loc=(key,), input=value))
        except ValidationError as inner:
            errors += [
                InitErrorDetails(
                    type=wrong(one["ctx"]["problem"], one["ctx"]["expected"]),
                    loc=(key, *one["loc"]),
                    input=one["input"],
                )
                for one in inner.errors()
            ]
    if errors:
        raise ValidationError.from_exception_data("values", errors)
    return done if make is dict else list(done.values())


def _key(key: Any) -> None:
    if not isinstance(key, str) or not key:
        raise wrong("has an empty name" if key == "" else f"has the name {key!r}", "text as its name")
    _text(key)


def _features(value: Any) -> Features:
    if not isinstance(value, Mapping):
        raise wrong("can't be features", "names with values, as in {tone: warm}")
    features: Features = _each(value, _feature, dict)
    return features


def _content(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise wrong("can't be content", "names with values, as in {text: Hola}")
    content: Mapping[str, Any] = _each(value, _json, dict)
    return content


def _policy(value: Any) -> PolicySpec:
    if isinstance(value, PolicySpec):
        value = policy_document(value)
    try:
        return read_policy(value)
    except WrongRules:
        raise  # an ordinary ValueError: rules.py tells each mistake in its place
    except PolicyError as error:
        raise wrong(str(error)) from error


Name = Annotated[str, AfterValidator(_name), WithJsonSchema({"type": "string", "pattern": f"^{_NAME}$"})]
_WORD_SCHEMA = {"type": "string", "pattern": "^[_a-zA-Z][_a-zA-Z0-9]{0,62}$"}
ContextName = Annotated[str, AfterValidator(_word), WithJsonSchema(_WORD_SCHEMA)]
Metric = Annotated[str, AfterValidator(_metric), WithJsonSchema(_WORD_SCHEMA)]
VariantId = Annotated[str, AfterValidator(_id), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_ID})]
Text = Annotated[str, AfterValidator(_text)]
Finite = Annotated[float, AfterValidator(_finite)]
Share = Annotated[float, AfterValidator(_share), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})]
Window = Annotated[
    timedelta,
    PlainValidator(_window),
    PlainSerializer(iso_duration),
    WithJsonSchema({"type": "string", "pattern": PATTERN, "examples": ["30m", "1h30m", "3d", "PT30M"]}),
]
Retention = Annotated[
    timedelta,
    PlainValidator(_retention),
    PlainSerializer(iso_duration),
    WithJsonSchema({"type": "string", "pattern": PATTERN, "examples": ["90d", "400d", "P400D"]}),
]
Range = Annotated[
    tuple[float, float],
    PlainValidator(_range),
    PlainSerializer(list),
    WithJsonSchema({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}),
]
LearnFrom = Annotated[
    tuple[LearnedKind, ...],
    PlainValidator(_learn_from),
    PlainSerializer(list),
    WithJsonSchema({"type": "array", "items": {"enum": list(LEARNED_KINDS)}, "uniqueItems": True}),
]
FeatureValues = Annotated[
    Mapping[str, Any],
    PlainValidator(_features),
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {
                "anyOf": [{"type": ["string", "number", "boolean"]}, {"type": "array", "items": {"type": "string"}}]
            },
        }
    ),
]
Content = Annotated[Mapping[str, Any], PlainValidator(_content), WithJsonSchema({"type": "object"})]
Policy = Annotated[
    PolicySpec,
    PlainValidator(_policy),
    PlainSerializer(policy_document),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "examples": ["squarecb", "fixed:hours", "epsilon:epsilon=0.1"]},
                {
                    "type": "object",
                    "properties": {name: RULES_SCHEMA if name == "rules" else {} for name in MENU},
                    "additionalProperties": False,
                    "minProperties": 1,
                    "maxProperties": 1,
                },
            ]
        }
    ),
]
Context = Annotated[
    Annotated[Literal["any"], Tag("<any>")] | Annotated[Mapping[ContextName, ContextKind], Tag("<names>")],
    Discriminator(lambda value: "<any>" if isinstance(value, str) else "<names>"),
]

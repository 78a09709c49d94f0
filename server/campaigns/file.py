"""The campaign file: YAML 1.2 with one campaign a document; every mistake with its line, all at once."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from server.campaigns.model import Campaign
from server.campaigns.problems import Path, Problem, path_text, shown_value
from server.errors import InvalidCampaign

MAX_FILE = 500_000
"""Characters."""
MAX_VALUES = 50_000
"""Values in a document. A few aliases of aliases of lists would be millions of them."""
MAX_DEPTH = 50

_TAG = "tag:yaml.org,2002:"

Place = tuple[int, int]
"""Line and column, from 1."""


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake in a campaign file. Lines and columns count from 1; `value` is as shown, empty where there is none.

    As a string: `hero.yaml:12:7 slots.headline.default: 'hourz' is not a variant of this slot; expected one of: …`.
    """

    file: str
    line: int
    column: int
    path: str
    value: str
    problem: str
    expected: str

    @property
    def sentence(self) -> str:
        """All but the place."""
        what = f"{self.value} {self.problem}" if self.value else self.problem
        return f"{what}; expected {self.expected}" if self.expected else what

    def __str__(self) -> str:
        path = f"{self.path}: " if self.path else ""
        return f"{self.file}:{self.line}:{self.column} {path}{self.sentence}"


class CampaignFileError(InvalidCampaign):
    """A campaign file with mistakes, one line each."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


def load_campaigns(text: str, *, file_name: str) -> list[Campaign]:
    """The campaigns of a file, in order. Raises CampaignFileError with every mistake in it, by line."""
    campaigns: list[Campaign] = []
    found: list[tuple[Place, Problem]] = []
    first_line: dict[str, int] = {}
    for document in _documents(text):
        found += document.problems
        if document.values is None:
            continue
        campaign, problems = Campaign.read(document.values)
        found += [(document.place(problem), problem) for problem in problems]
        found += _same_name(document, first_line)
        if campaign:
            campaigns.append(campaign)
    if not campaigns and not found:
        found.append(((1, 1), Problem((), "no campaign in this file", "campaign: NAME")))
    if found:
        raise CampaignFileError(sorted({_mistake(file_name, place, problem) for place, problem in found}))
    return campaigns


def _same_name(document: "_Document", first_line: dict[str, int]) -> Iterator[tuple[Place, Problem]]:
    name = (document.values or {}).get("campaign")
    if isinstance(name, str):
        place = document.places["campaign",]
        if name in first_line:
            what = f"is also the campaign of line {first_line[name]}"
            yield place, Problem(("campaign",), what, "another name", shown_value(name))
        first_line.setdefault(name, place[0])


def _mistake(file_name: str, place: Place, problem: Problem) -> Mistake:
    path = path_text(problem.path) if problem.path else ""
    return Mistake(file_name, *place, path, problem.value, problem.problem, problem.expected)


@dataclass(slots=True)
class _Document:
    """One document of a file as plain values, with the place of every key and value."""

    start: Place = (1, 1)
    values: dict[str, Any] | None = None
    """None for what could not be read at all."""
    problems: list[tuple[Place, Problem]] = field(default_factory=list)
    keys: dict[Path, Place] = field(default_factory=dict)
    places: dict[Path, Place] = field(default_factory=dict)

    def place(self, problem: Problem) -> Place:
        """Where to look: at the key, at the value, or at what something is missing in."""
        path = problem.path
        if problem.on_key and path in self.keys:
            return self.keys[path]
        while path not in self.places and path:
            path = path[:-1]
        return self.places.get(path, self.start)


def _documents(text: str) -> Iterator[_Document]:
    if len(text) > MAX_FILE:
        yield _unreadable((1, 1), f"the file has {len(text)} characters", f"at most {MAX_FILE}")
        return
    try:
        for node in YAML(typ="safe", pure=True).compose_all(text):
            if not (isinstance(node, ScalarNode) and node.tag == _TAG + "null"):
                yield _read(node)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ", ".join(part for part in (error.context, error.problem) if part)
        yield _unreadable((mark.line + 1, mark.column + 1) if mark else (1, 1), f"not YAML: {what}")
    except ReaderError as error:
        before = text[: error.position]
        place = (before.count("\n") + 1, error.position - before.rfind("\n"))
        yield _unreadable(place, f"not YAML: the character {text[error.position]!r} can't stand in it")
    except (YAMLError, ValueError) as error:
        yield _unreadable((1, 1), f"not YAML: {error}")
    except RecursionError:
        yield _unreadable((1, 1), "lists or mappings too deep inside each other", f"at most {MAX_DEPTH}")


def _unreadable(place: Place, problem: str, expected: str = "") -> _Document:
    return _Document(place, problems=[(place, Problem((), problem, expected))])


def _read(node: Node) -> _Document:
    start = _start(node)
    if not isinstance(node, MappingNode):
        return _unreadable(start, "not a campaign", "fields with values, as in campaign: home-hero")
    document = _Document(start)
    try:
        document.values = _value(node, (), document)
    except _TooMuchError as error:
        return _unreadable(start, *error.args)
    return document


class _TooMuchError(Exception):
    """A document that would not fit in memory or on the stack: a problem, and what is expected."""


def _value(node: Node, path: Path, document: _Document) -> Any:
    place = document.places[path] = _start(node)
    if len(document.places) > MAX_VALUES:
        raise _TooMuchError("too many values in one campaign", f"at most {MAX_VALUES}")
    if len(path) > MAX_DEPTH:
        raise _TooMuchError("lists or mappings too deep inside each other", f"at most {MAX_DEPTH}")
    if isinstance(node, MappingNode) and node.tag == _TAG + "map":
        return _mapping(node, path, document)
    if isinstance(node, SequenceNode) and node.tag == _TAG + "seq":
        return [_value(item, (*path, index), document) for index, item in enumerate(node.value)]
    if isinstance(node, ScalarNode) and (read := _SCALARS.get(str(node.tag))):
        return read(str(node.value))
    document.problems.append((place, Problem(path, f"has the tag {node.tag!r}", "no tag")))
    return None


def _mapping(node: MappingNode, path: Path, document: _Document) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        place = _start(key_node)
        if not isinstance(key_node, ScalarNode):
            document.problems.append((place, Problem(path, "has a name that is a list or a mapping", "text as a name")))
            continue
        if key_node.tag == _TAG + "merge":
            document.problems.append((place, Problem(path, "has a merge key ('<<')", "each field written out")))
            continue
        key = str(key_node.value)
        below = (*path, key)
        if key in values:
            first = document.keys[below][0]
            document.problems.append((place, Problem(below, f"is written twice, first in line {first}", "it once")))
            continue
        document.keys[below] = place
        values[key] = _value(value_node, below, document)
        if not isinstance(value_node, ScalarNode) or values[key] is None:
            # a section is best found by its name: what is in it may begin lines later
            document.places[below] = place
    return values


def _flag(text: str) -> bool | str:
    # under a %YAML 1.1 directive `no` would be a flag
    return {"true": True, "false": False}.get(text.lower(), text)


def _number(text: str) -> int | float | str:
    plain = text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan")
    try:
        return int(plain, 0) if plain.lstrip("+-")[:2] in ("0x", "0o", "0b") else int(plain)
    except ValueError:
        pass
    try:
        return float(plain)
    except ValueError:
        return text


def _start(node: Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


_SCALARS: Mapping[str, Callable[[str], Any]] = {
    _TAG + "str": str,
    _TAG + "timestamp": str,  # JSON has no dates
    _TAG + "value": str,
    _TAG + "null": lambda text: None,
    _TAG + "bool": _flag,
    _TAG + "int": _number,
    _TAG + "float": _number,
}

"""What every room says in English it says in Spanish: the same parts, in other words."""

import re
from typing import Any

import pytest

import policies
import server.cli
import server.planning
import server.training
import simulator
from policies.auto import WORDS as AUTO
from server.planning.words import WORDS as PLANS
from server.training.headings import HEADINGS
from server.training.of_log import LATE
from simulator.groups import NAMES
from simulator.replay.words import WORDS as REPLAYS
from simulator.reports.words import WORDS as REPORTS
from simulator.sentences import LANGUAGES
from tests.pseudo import of_language, parts, sentences, texts

ROOMS = (policies, simulator, server.cli, server.planning, server.training)
SAID = dict(sentences(*ROOMS))
ALIKE = {"ESS", "no", "snapshot", "{policy}", "{key}", "{key} {value}", "{line}.", "{mean}", "{name}"}
"""What is the same in both."""


def test_every_room_is_found() -> None:
    known = [LANGUAGES, REPORTS, REPLAYS, NAMES, AUTO, PLANS, HEADINGS, LATE]
    assert {id(said) for said in known} <= {id(said) for said in SAID.values()}


@pytest.mark.parametrize("name", SAID)
def test_the_same_is_said_in_both_languages(name: str) -> None:
    english, spanish = (dict(texts(of_language(SAID[name], lang))) for lang in ("en", "es"))
    assert english.keys() == spanish.keys()
    for place, text in english.items():
        other = spanish[place]
        assert parts(text) == parts(other), place
        assert bool(text) == bool(other), place
        assert text.endswith(".") == other.endswith("."), place
        assert text != other or text in ALIKE or not _words(text), place


def _words(text: str) -> list[Any]:
    """All that is not filled in."""
    return re.findall(r"[^\W\d_]{2,}", re.sub(r"\{[^{}]*\}", "", text))

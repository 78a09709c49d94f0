"""Every sentence in every language, with the same numbers in it."""

import importlib
import pkgutil
import string
from collections.abc import Iterator

import pytest

import simulator.checks
from simulator.checks.wording import Voice
from simulator.reports.finding_lines import ALWAYS, LOG_CHECKS
from simulator.sentences import LANGUAGES


def all_words() -> Iterator[tuple[str, dict[str, tuple[str, ...]]]]:
    for module in pkgutil.iter_modules(simulator.checks.__path__):
        found = importlib.import_module(f"simulator.checks.{module.name}")
        for name, value in vars(found).items():
            if isinstance(value, dict) and isinstance(value.get("en"), tuple):
                yield f"{module.name}.{name}", value


WORDS = dict(all_words())


def parts(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}


def test_there_are_words() -> None:
    assert len(WORDS) > 20


@pytest.mark.parametrize("name", WORDS)
def test_each_language_says_the_same_in_whole_sentences(name: str) -> None:
    words = WORDS[name]
    assert set(words) == set(LANGUAGES)
    says, do = words["en"]
    for lang, (said, done) in words.items():
        assert parts(said) == parts(says), lang
        assert parts(done) == parts(do), lang
        assert said.endswith(".")
        assert (done == "") == (do == ""), lang
        assert done == "" or done.endswith(".")


def test_every_check_of_a_log_has_a_name() -> None:
    assert {check.__name__ for check in simulator.checks.LOG_CHECKS} == set(LOG_CHECKS)
    assert all(set(names) == set(LANGUAGES) for names in LOG_CHECKS.values())
    assert set(ALWAYS) < set(LOG_CHECKS)


def test_numbers_as_a_language_writes_them() -> None:
    assert (Voice("en").count(12345), Voice("es").count(12345)) == ("12,345", "12.345")
    assert (Voice("en").percent(0.9449), Voice("es").percent(0.9449)) == ("94.5 %", "94,5 %")
    assert (Voice("en").number(0.01234), Voice("es").number(1234.5)) == ("0.0123", "1.234")
    assert (Voice("en").p_value(3.2e-9), Voice("es").p_value(0.0123), Voice().p_value(1e-300)) == (
        "3.2e-09",
        "0,012",
        "< 1e-12",
    )

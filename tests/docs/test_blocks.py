"""The documents are executed: section by section, each in a fresh folder, with a real server where they start one."""

import pytest
from _pytest.mark.structures import ParameterSet

from tests.docs.pages import LANGUAGES, PAGES, Section, sections
from tests.docs.runner import Runner

EXECUTED = ("bash", "python", "sql", "yaml")


def _cases() -> list[ParameterSet]:
    """Sections that hold something to execute; `<!-- test: slow -->` makes its section slow."""
    cases: list[ParameterSet] = []
    for page in PAGES:
        for section in sections(page):
            if any(block.language in EXECUTED for block in section.blocks):
                slow = any("slow" in block.marks for block in section.blocks)
                cases.append(pytest.param(section, id=str(section), marks=[pytest.mark.slow] if slow else []))
    return cases


@pytest.mark.parametrize("section", _cases())
def test_section(section: Section, runner: Runner) -> None:
    runner.run(section)


# benchmarks take minutes, and are run by `make bench`
@pytest.mark.parametrize("page", [page for page in PAGES if page != "docs/benchmarks.md"])
def test_blocks_name_their_language(page: str) -> None:
    found = {(block.language, block.line) for section in sections(page) for block in section.blocks}
    assert not [(language, line) for language, line in found if language not in LANGUAGES]


@pytest.mark.parametrize("page", PAGES)
def test_marks_are_known(page: str) -> None:
    for section in sections(page):
        for block in section.blocks:
            for mark in block.marks:
                known = mark in ("demo", "trial", "data", "slow") or mark.startswith(("needs ", "not run, "))
                assert known, f"{page}:{block.line}: no mark {mark!r}"

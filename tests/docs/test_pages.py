"""What every page has to keep: links that lead somewhere, figures with the command that prints them."""

import re

import pytest

from tests.docs.pages import PAGES, ROOT, anchors, links, read, sections

FIGURE = re.compile(r"\b\d+\.\d{3,}\b|% of the gap| (?:calls|decisions|rows) a second")
EXECUTABLE = {"bash", "python", "sql"}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target in links(page):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (ROOT / page).parent / path if path else ROOT / page
        assert found.exists(), f"{page}: there is no {target}"
        assert found.resolve().is_relative_to(ROOT), f"{page}: {target} leaves the repository"
        if anchor:
            linked = found.resolve().relative_to(ROOT).as_posix()
            assert anchor in anchors(linked), (
                f"{page}: {linked} has no heading {anchor!r}; it has {sorted(anchors(linked))}"
            )


@pytest.mark.parametrize("page", PAGES)
def test_figures_stand_beside_a_command(page: str) -> None:
    for section in sections(page):
        shown = "\n".join((section.prose, *(block.text for block in section.blocks if block.language == "text")))
        figure = FIGURE.search(shown)
        commands = [block for block in section.blocks if block.language in EXECUTABLE]
        assert not figure or commands, f"{section}: {figure[0]!r} stands there without the command that prints it"


def test_the_index_names_every_page() -> None:
    index = set(links("docs/README.md"))
    pages = {page.removeprefix("docs/") for page in PAGES if page.startswith("docs/")} - {"README.md"}
    assert pages <= index, f"docs/README.md does not name {sorted(pages - index)}"


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(path.name[:2]) for path in (ROOT / "docs" / "decisions").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("docs/decisions/")])
def test_a_decision_says_context_decision_consequence(page: str) -> None:
    text = read(page)
    places = [text.find(f"**{word}.**") for word in ("Context", "Decision", "Consequence")]
    assert places == sorted(places)
    assert places[0] > 0


def test_the_readme_and_its_spanish_twin_link_each_other() -> None:
    assert "README.es.md" in set(links("README.md"))
    assert "README.md" in set(links("README.es.md"))

"""The documents as data: their sections, and the fenced blocks in them with the marks that say how to run them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench/*.md"))
)
LANGUAGES = {"bash", "python", "yaml", "sql", "text"}

_MARK = re.compile(r"<!-- test: (.+?) -->")
_FILE = re.compile(r"# ([\w.-]+\.\w+)\s*")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block. `line` is where its text begins. `marks` are what the comments right before it say."""

    language: str
    text: str
    line: int
    marks: tuple[str, ...]

    @property
    def file(self) -> str | None:
        """The name in a first line such as `# hero.yaml`."""
        match = _FILE.fullmatch(self.text.partition("\n")[0])
        return match[1] if match else None


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one `##` heading, or before the first."""

    page: str
    title: str
    prose: str
    blocks: tuple[Block, ...]

    def __str__(self) -> str:
        return f"{self.page}: {self.title or 'top'}"


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def sections(page: str) -> Iterator[Section]:
    """The sections of a page, in order."""
    title = ""
    prose: list[str] = []
    blocks: list[Block] = []
    marks: list[str] = []
    block: list[str] | None = None
    language, first = "", 0
    for number, line in enumerate(read(page).splitlines(), start=1):
        if block is not None:
            if line == "```":
                blocks.append(Block(language, "\n".join(block) + "\n", first, tuple(marks)))
                block, marks = None, []
            else:
                block.append(line)
        elif line.startswith("```"):
            block, language, first = [], line.removeprefix("```"), number + 1
        elif match := _MARK.fullmatch(line):
            marks.append(match[1])
        else:
            assert not marks or not line, f"{page}:{number}: the mark {marks[-1]!r} stands before no block"
            if line.startswith("## "):
                yield Section(page, title, "\n".join(prose), tuple(blocks))
                title, prose, blocks = line.removeprefix("## "), [], []
            prose.append(line)
    assert block is None, f"{page}:{first}: the block does not end"
    yield Section(page, title, "\n".join(prose), tuple(blocks))


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = [
        line.lstrip("#").strip() for part in sections(page) for line in part.prose.splitlines() if line[:1] == "#"
    ]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: str) -> Iterator[str]:
    """The targets of all links in a page's prose."""
    for section in sections(page):
        yield from re.findall(r"\]\(([^)\s]+)\)", section.prose)

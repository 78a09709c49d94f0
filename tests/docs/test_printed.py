"""What a page says that a block prints is what it prints, to the letter."""

from itertools import pairwise

import pytest

from tests.docs.pages import sections


@pytest.mark.parametrize("title", ["Features", "Rewards"])
def test_the_block_prints_what_the_page_shows(title: str, capsys: pytest.CaptureFixture[str]) -> None:
    (section,) = (one for one in sections("docs/policies.md") if one.title == title)
    shown = [pair for pair in pairwise(section.blocks) if [one.language for one in pair] == ["python", "text"]]
    assert shown
    for code, printed in shown:
        exec(compile(code.text, f"docs/policies.md:{code.line}", "exec"), {})
        assert capsys.readouterr().out.strip() == printed.text.strip()

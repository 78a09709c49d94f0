"""Pages: every item once, whatever comes and goes in between; a token opens only its own list."""

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import InvalidRequest
from server.rpc.paging import MAX_SIZE, Page, page_of


def walk(names: list[str], size: int) -> list[list[str]]:
    token, pages = "", []
    while True:
        page = Page.read(size, token, scope="names")
        rest = [name for name in names if page.after is None or name > page.after]
        shown, token = page_of(rest, page, key=str)
        pages.append(list(shown))
        if not token:
            return pages


@given(st.sets(st.text(max_size=5), max_size=20), st.integers(1, 7))
def test_every_item_comes_once(names: set[str], size: int) -> None:
    encodable = sorted(name for name in names if name.isascii() or name.encode("utf-8", "ignore").decode() == name)
    pages = walk(encodable, size)
    assert [name for page in pages for name in page] == encodable
    assert all(len(page) == size for page in pages[:-1])


def test_the_last_page_says_so() -> None:
    assert walk(["a", "b", "c", "d"], 2) == [["a", "b"], ["c", "d"]]
    assert walk([], 2) == [[]]


def test_sizes() -> None:
    assert Page.read(0, "", scope="x").size == 50
    assert Page.read(10**9, "", scope="x").size == MAX_SIZE
    with pytest.raises(InvalidRequest, match="page_size -1: expected 0 or more"):
        Page.read(-1, "", scope="x")


@pytest.mark.parametrize("token", ["!", "!!!!", "a", "ñ", "AAAA", "====", "\x00", "a" * 10_000, "_w=="])
def test_tokens_that_nobody_gave_out(token: str) -> None:
    with pytest.raises(InvalidRequest, match="page_token"):
        Page.read(1, token, scope="x")


def test_a_token_opens_only_its_own_list() -> None:
    _, token = page_of(["a", "b"], Page.read(1, "", scope=("campaigns", [1, 2])), key=str)
    assert Page.read(9, token, scope=("campaigns", [1, 2])).after == "a"
    with pytest.raises(InvalidRequest, match="belongs to a list with other fields"):
        Page.read(1, token, scope=("campaigns", [1]))


@pytest.mark.parametrize("key", ["x", "-1", "1.5", "9" * 19, "9" * 5_000, "٣", "", " 1"])
def test_numbers_are_numbers(key: str) -> None:
    page = Page.read(1, "", scope="x")
    assert page.after_number() is None
    token = urlsafe_b64encode(page.scope + key.encode()).decode()
    with pytest.raises(InvalidRequest, match="page_token"):
        Page.read(1, token, scope="x").after_number()
    assert Page(1, page.scope, "17").after_number() == 17

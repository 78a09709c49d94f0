"""Versions are appended where something changes, and nowhere else."""

import json
from collections.abc import Callable
from typing import Any

Put = Callable[..., Any]
Sql = Callable[..., list[Any]]


def test_a_file_that_says_the_same_makes_no_version(put: Put, hero: str) -> None:
    assert put(hero).version == 1
    assert put(f"# a word\n{hero}").version == 1
    assert put(hero.replace("30m", "31m")).version == 2


def test_a_document_of_before_a_field_came_is_the_same_document(put: Put, hero: str, sql: Sql) -> None:
    put(hero)
    ((stored,),) = sql("SELECT document FROM campaigns")
    older = {name: value for name, value in json.loads(stored).items() if name not in ("retention", "learn_from")}
    sql("UPDATE campaigns SET document = :document", document=json.dumps(older))
    assert put(hero).version == 1
    assert put(f"retention: 500d\n{hero}").version == 2


def test_a_document_that_no_rule_allows_any_more_is_followed_by_a_version(put: Put, hero: str, sql: Sql) -> None:
    put(hero)
    sql("UPDATE campaigns SET document = :document", document='{"campaign": "hero", "gone": 1}')
    assert put(hero).version == 2

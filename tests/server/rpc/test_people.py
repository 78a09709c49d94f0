"""PeopleService over a real channel."""

from collections.abc import Callable
from typing import Any

from elige.v1 import common_pb2, decisions_pb2, evaluations_pb2
from elige.v1 import people_pb2 as pb


def visit(server: Any, person: str, **more: Any) -> Any:
    return server.decisions.Decide(decisions_pb2.DecideRequest(campaign="hero", person=person, **more))


def link(server: Any, *pairs: tuple[str, str]) -> Any:
    links = [pb.Link(alias=alias, person=person) for alias, person in pairs]
    return server.people.LinkPeople(pb.LinkPeopleRequest(links=links)).results


def test_every_link_has_its_own_answer(server: Any, refusal: Callable[..., tuple[str, str]]) -> None:
    one, two, three, four = link(server, ("c1", "ana"), ("c1", "ana"), ("c1", "berta"), ("", "ana"))
    assert (one.status, two.status) == (pb.LINK_STATUS_LINKED, pb.LINK_STATUS_ALREADY_LINKED)
    assert three.error.code == common_pb2.ERROR_CODE_ALREADY_EXISTS
    assert four.error.code == common_pb2.ERROR_CODE_INVALID_ARGUMENT
    assert refusal(server.people.LinkPeople, pb.LinkPeopleRequest())[0] == "INVALID_ARGUMENT"


def test_an_export_comes_in_pages(server: Any, apply: Any, hero: str) -> None:
    apply(hero)
    link(server, ("c1", "ana"))
    ids = [visit(server, person).decision_id for person in ("ana", "c1", "ana")]
    visit(server, "berta")
    first = server.people.ExportPerson(pb.ExportPersonRequest(person="c1", page_size=2))
    rest = server.people.ExportPerson(
        pb.ExportPersonRequest(person="c1", page_size=2, page_token=first.next_page_token)
    )
    assert [one.decision.decision_id for one in (*first.decisions, *rest.decisions)] == ids
    assert (len(first.person_keys), len(rest.person_keys), rest.next_page_token) == (2, 0, "")
    assert {one.person_key for one in first.decisions} == set(first.person_keys)
    assert first.decisions[0].decision.choices[0].content["text"]


def test_an_erased_decision_says_so(server: Any, apply: Any, hero: str) -> None:
    apply(hero)
    made = visit(server, "ana", context={"country": "ES"})
    counted = server.people.ErasePerson(pb.ErasePersonRequest(person="ana", dry_run=True))
    assert (counted.id, counted.state, counted.decisions) == ("", pb.ERASURE_STATE_UNSPECIFIED, 1)
    erased = server.people.ErasePerson(pb.ErasePersonRequest(person="ana"))
    assert (erased.decisions, erased.state) == (1, pb.ERASURE_STATE_RETRAINING)
    assert len(erased.id) == 32
    assert server.people.ErasePerson(pb.ErasePersonRequest(erasure=erased.id)) == erased
    assert len(server.people.ExportPerson(pb.ExportPersonRequest(person="ana")).decisions) == 0
    explained = server.evaluations.ExplainDecision(evaluations_pb2.ExplainDecisionRequest(decision_id=made.decision_id))
    assert explained.agrees
    assert explained.record.erased
    assert (explained.record.person_key, len(explained.record.context)) == ("", 0)


def test_what_can_not_be_asked(server: Any, refusal: Callable[..., tuple[str, str]]) -> None:
    erase = server.people.ErasePerson
    assert refusal(erase, pb.ErasePersonRequest())[0] == "INVALID_ARGUMENT"
    assert refusal(erase, pb.ErasePersonRequest(person=""))[0] == "INVALID_ARGUMENT"
    assert refusal(erase, pb.ErasePersonRequest(erasure="x"))[0] == "NOT_FOUND"
    assert refusal(erase, pb.ErasePersonRequest(erasure="x", dry_run=True))[0] == "INVALID_ARGUMENT"
    assert refusal(server.people.ExportPerson, pb.ExportPersonRequest())[0] == "INVALID_ARGUMENT"


def test_who_opted_out_gets_the_defaults_and_is_not_stored(server: Any, apply: Any, hero: str, sql: Any) -> None:
    apply(hero)
    made = visit(server, "ana", context={"country": "ES"}, opted_out=True)
    assert made.decision_id == ""
    assert [choice.variant for choice in made.choices] == ["hours", "try"]
    assert made.kind == decisions_pb2.DECISION_KIND_OPTED_OUT
    tables = ("decisions", "choices", "outcomes", "windows", "requests", "people")
    assert [sql(f"SELECT count(*) FROM {table}")[0][0] for table in tables] == [0] * len(tables)

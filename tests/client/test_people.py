"""Linking, exporting and erasing people, by both clients."""

from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf import json_format

from elige.client import EligeError, Erasure, Retraining
from elige.v1 import people_pb2


def test_links_go_from_alias_to_person_and_every_one_has_its_answer(elige: Any, service: Any) -> None:
    answers = [
        {"status": "LINK_STATUS_LINKED"},
        {"status": "LINK_STATUS_ALREADY_LINKED"},
        {"error": {"code": "ERROR_CODE_ALREADY_EXISTS", "message": "alias: it is linked to someone else"}},
    ]
    service.answers["LinkPeople"] = json_format.ParseDict({"results": answers}, people_pb2.LinkPeopleResponse())
    linked = elige.link_people({"c1": "ana", "c2": "ana", "c3": "berta"})
    assert [(one.alias, one.person) for one in service.requests[0].links] == [
        ("c1", "ana"),
        ("c2", "ana"),
        ("c3", "berta"),
    ]
    assert (linked["c1"], linked["c2"]) == ("linked", "already_linked")
    assert isinstance(linked["c3"], EligeError)
    assert linked["c3"].code == "ALREADY_EXISTS"


def test_an_export_turns_all_pages(elige: Any, service: Any) -> None:
    def page(request: people_pb2.ExportPersonRequest) -> people_pb2.ExportPersonResponse:
        keys, decision, token = (["k1", "k2"], "d-1", "2") if not request.page_token else ([], "d-2", "")
        document = {"personKeys": keys, "decisions": [{"decision": {"decisionId": decision}}], "nextPageToken": token}
        return json_format.ParseDict(document, people_pb2.ExportPersonResponse())

    service.answers["ExportPerson"] = page
    exported = elige.export_person("ana")
    assert exported.person_keys == ("k1", "k2")
    assert [one.decision.id for one in exported.decisions] == ["d-1", "d-2"]
    assert {request.person for request in service.requests} == {"ana"}


def test_an_erasure_is_asked_for_and_followed(elige: Any, service: Any) -> None:
    document = {
        "id": "e-1",
        "state": "ERASURE_STATE_FAILED",
        "decisions": "3",
        "outcomes": "2",
        "keys": "1",
        "retrainings": [{"campaign": "hero", "oldLineage": "1", "newLineage": "2", "progress": 0.5}],
        "startedAt": "2026-01-02T03:04:05Z",
        "error": {"code": "ERROR_CODE_UNKNOWN", "message": "hero: out of memory"},
    }
    service.answers["ErasePerson"] = json_format.ParseDict(document, people_pb2.Erasure())
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    retraining = Retraining("hero", "1", "2", 0.5, done=False)
    assert elige.erase_person("ana") == Erasure(
        "e-1", "failed", 3, 2, 1, (retraining,), at, None, "hero: out of memory"
    )
    elige.erase_person("ana", dry_run=True)
    elige.erase_person(erasure="e-1")
    targets = [(one.WhichOneof("target"), one.person, one.erasure, one.dry_run) for one in service.requests]
    assert targets == [("person", "ana", "", False), ("person", "ana", "", True), ("erasure", "", "e-1", False)]
    with pytest.raises(ValueError, match="person with erasure"):
        elige.erase_person("ana", erasure="e-1")

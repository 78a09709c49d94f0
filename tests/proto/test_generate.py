"""The generated code is what the protos say, the contract keeps its promises, and its own rules hold."""

import ast
import importlib
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import generate
import pytest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)

pytest.importorskip("grpc_tools", reason="grpcio-tools, of any version, compiles the protos for these tests")

CALLS = {
    "DecisionService": "Decide BatchDecide Activate BatchActivate Reward BatchReward ObserveDecision",
    "CampaignService": "PutCampaign GetCampaign ListCampaigns DiffCampaign SetCampaignState SetVariantState"
    " ListSnapshots RollBack PromotePolicy",
    "PeopleService": "PutProfiles GetProfile LinkPeople ExportPerson ErasePerson",
    "EvaluationService": "StartEvaluation GetEvaluation ListEvaluations CancelEvaluation WatchEvaluation"
    " ExplainDecision ListDecisions Diagnose Plan",
    "KeyService": "CreateKey ListKeys RevokeKey",
}
OVERWRITING = ["PutCampaign", "SetCampaignState", "SetVariantState", "RollBack", "PromotePolicy", "PutProfile"]


@pytest.fixture(scope="module")
def files() -> FileDescriptorSet:
    return generate.descriptors(generate.protos())


@pytest.fixture(scope="module")
def messages(files: FileDescriptorSet) -> dict[str, DescriptorProto]:
    return {message.name: message for file in files.file for message in file.message_type}


@pytest.fixture(scope="module")
def services(files: FileDescriptorSet) -> dict[str, ServiceDescriptorProto]:
    return {service.name: service for file in files.file for service in file.service}


def test_all_is_as_it_should_be() -> None:
    """Generated code, accepted contract, comments."""
    assert generate.check() == []


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The protos and the generated code in a folder of their own, to be spoiled. The modules stay those of the tree."""
    for path in (generate.ROOT / "elige/v1").iterdir():
        if path.is_file():
            target = tmp_path / "elige/v1" / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "ACCEPTED", tmp_path / "elige/v1/contract.json")
    return tmp_path / "elige/v1"


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_proto_whose_code_was_not_made_again_is_found(copy: Path) -> None:
    replace(copy / "keys.proto", "  string secret = 2;", "  string secret = 2;\n  // A hint.\n  string hint = 3;")
    found = generate.check()
    assert "contract.json lacks what was added: run `python proto/generate.py --accept`" in found
    assert "elige/v1/keys.proto is not what its generated code holds: run `python proto/generate.py`" in found


def test_accepting_records_an_addition_and_refuses_a_break(copy: Path) -> None:
    replace(copy / "keys.proto", "  string secret = 2;", "  string secret = 2;\n  // A hint.\n  string hint = 3;")
    assert generate.main(["--accept"]) == 0
    accepted = generate.ACCEPTED.read_text(encoding="utf-8")
    assert json.loads(accepted)["messages"]["elige.v1.CreateKeyResponse"]["3"] == "string hint"

    replace(copy / "keys.proto", "string hint = 3;", "bytes hint = 3;")
    broken = "elige.v1.CreateKeyResponse: 3 was `string hint` and is `bytes hint`"
    assert broken in generate.check()
    assert generate.accept() == [broken]
    assert generate.ACCEPTED.read_text(encoding="utf-8") == accepted
    assert generate.main(["--check"]) == 1


def test_a_comment_that_is_missing_is_found(copy: Path) -> None:
    replace(copy / "keys.proto", "  // The secret. It cannot be had again.\n", "")
    assert "elige.v1.CreateKeyResponse.secret has no comment" in generate.check()


def test_a_proto_that_does_not_compile_says_where(copy: Path) -> None:
    replace(copy / "keys.proto", "  string secret = 2;", "  strin secret = 2;")
    with pytest.raises(SystemExit, match=r"keys\.proto:\d+:3: .*strin"):
        generate.check()


def test_code_is_written_by_the_pinned_version_only(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "version", lambda package: "99.0.0")
    before = generate.checked_in()
    assert generate.write() == [
        "grpcio-tools 99.0.0 would make code that older runtimes refuse: expected " + generate.PINNED
    ]
    assert generate.checked_in() == before


def test_under_the_pinned_version_every_text_is_compared_and_made_again(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # whichever version runs the tests, what it makes is equal to what it made
    monkeypatch.setattr(generate, "version", lambda package: generate.PINNED)
    (copy / "gone_pb2.pyi").write_text("", encoding="utf-8")
    assert generate.write() == []
    assert not (copy / "gone_pb2.pyi").exists()
    assert generate.check() == []

    with (copy / "keys_pb2.pyi").open("a", encoding="utf-8") as file:
        file.write("# by hand\n")
    (copy / "people_pb2_grpc.py").unlink()
    again = "is not what the protos give: run `python proto/generate.py`"
    assert generate.check() == [f"elige/v1/keys_pb2.pyi {again}", f"elige/v1/people_pb2_grpc.py {again}"]


def module(file: FileDescriptorProto, suffix: str) -> ModuleType:
    return importlib.import_module(file.name.removesuffix(".proto").replace("/", ".") + suffix)


class Recorder:
    """A channel and a server that note which rpcs generated code opens and registers."""

    def __init__(self) -> None:
        self.opened: dict[str, tuple[str, Any]] = {}
        self.registered: dict[str, Any] = {}

    def unary_unary(self, path: str, *, response_deserializer: Any, **_: Any) -> None:
        self.opened[path] = ("one", response_deserializer)

    def unary_stream(self, path: str, *, response_deserializer: Any, **_: Any) -> None:
        self.opened[path] = ("stream", response_deserializer)

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        pass

    def add_registered_method_handlers(self, service: str, handlers: Any) -> None:
        self.registered |= {f"/{service}/{name}": handler for name, handler in handlers.items()}


def test_the_grpc_code_opens_the_rpcs_of_the_protos(files: FileDescriptorSet) -> None:
    """Holds whatever version of grpcio-tools is here, unlike the comparison of texts."""
    for file in files.file:
        for service in file.service:
            generated, seen = module(file, "_pb2_grpc"), Recorder()
            getattr(generated, f"{service.name}Stub")(seen)
            servicer = getattr(generated, f"{service.name}Servicer")()
            getattr(generated, f"add_{service.name}Servicer_to_server")(servicer, seen)
            rpcs = {f"/elige.v1.{service.name}/{rpc.name}": rpc for rpc in service.method}
            assert seen.opened.keys() == seen.registered.keys() == rpcs.keys()
            for path, rpc in rpcs.items():
                kind, parse = seen.opened[path]
                assert kind == ("stream" if rpc.server_streaming else "one")
                assert seen.registered[path].response_streaming == rpc.server_streaming
                assert f".{parse(b'').DESCRIPTOR.full_name}" == rpc.output_type
                assert f".{seen.registered[path].request_deserializer(b'').DESCRIPTOR.full_name}" == rpc.input_type


def test_the_stubs_for_type_checkers_have_every_field(files: FileDescriptorSet) -> None:
    # a field named as a keyword of Python would be missing: it could not be written as an attribute
    for file in files.file:
        text = (generate.ROOT / file.name.replace(".proto", "_pb2.pyi")).read_text(encoding="utf-8")
        classes = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)}
        assert classes.keys() == {found.name for found in [*file.message_type, *file.enum_type]}
        for message in file.message_type:
            fields = {
                node.target.id: ast.unparse(node.annotation)
                for node in classes[message.name].body
                if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
            }
            assert {name for name in fields if name.islower()} == {field.name for field in message.field}


def test_the_design_is_complete(services: dict[str, ServiceDescriptorProto]) -> None:
    assert {name: " ".join(rpc.name for rpc in service.method) for name, service in services.items()} == CALLS


def lists(services: dict[str, ServiceDescriptorProto]) -> Iterator[tuple[str, str]]:
    """Request and response of every rpc that answers by pages."""
    for service in services.values():
        for rpc in service.method:
            if rpc.name.startswith(("List", "Export")):
                yield rpc.input_type.rpartition(".")[2], rpc.output_type.rpartition(".")[2]


def fields(message: DescriptorProto) -> dict[str, FieldDescriptorProto]:
    return {field.name: field for field in message.field}


def test_every_list_has_pages(
    services: dict[str, ServiceDescriptorProto], messages: dict[str, DescriptorProto]
) -> None:
    found = list(lists(services))
    assert len(found) == 6
    for request, response in found:
        assert fields(messages[request])["page_size"].type == FieldDescriptorProto.TYPE_INT32
        assert fields(messages[request])["page_token"].type == FieldDescriptorProto.TYPE_STRING
        assert fields(messages[response])["next_page_token"].type == FieldDescriptorProto.TYPE_STRING


def test_every_batch_answers_item_by_item(messages: dict[str, DescriptorProto]) -> None:
    results = [name for name in messages if name.endswith("Result") and "error" in fields(messages[name])]
    assert sorted(results) == ["ActivateResult", "DecideResult", "LinkResult", "PutProfileResult", "RewardResult"]
    for name in results:
        assert [oneof.name for oneof in messages[name].oneof_decl] == ["result"]
        assert fields(messages[name])["error"].type_name == ".elige.v1.Error"


@pytest.mark.parametrize("name", OVERWRITING)
def test_what_could_overwrite_takes_the_version_expected(name: str, messages: dict[str, DescriptorProto]) -> None:
    message = messages.get(f"{name}Request") or messages[name]
    assert fields(message)["expected_version"].proto3_optional


def test_enums_start_unspecified_and_carry_their_prefix(files: FileDescriptorSet) -> None:
    enums: list[EnumDescriptorProto] = [enum for file in files.file for enum in file.enum_type]
    assert len(enums) > 15
    for enum in enums:
        prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", enum.name).upper()
        assert (enum.value[0].name, enum.value[0].number) == (f"{prefix}_UNSPECIFIED", 0)
        assert all(value.name.startswith(f"{prefix}_") for value in enum.value)


def test_free_objects_and_times_are_the_well_known_types(messages: dict[str, DescriptorProto]) -> None:
    for message in messages.values():
        for field in message.field:
            if field.name in ("context", "labels", "content", "features", "document", "parameters"):
                assert field.type_name == ".google.protobuf.Struct"
            if re.search(r"(_|^)at$", field.name):
                assert field.type_name == ".google.protobuf.Timestamp"


def test_importing_the_generated_code_needs_no_newer_runtime() -> None:
    for name, text in generate.checked_in().items():
        if name.endswith("_pb2_grpc.py"):
            assert f"GRPC_GENERATED_VERSION = '{generate.PINNED}'" in text


def test_the_help_of_servicers_is_that_of_the_protos(files: FileDescriptorSet) -> None:
    for file in files.file:
        comments = {tuple(place.path): place.leading_comments for place in file.source_code_info.location}
        for i, service in enumerate(file.service):
            servicer = getattr(module(file, "_pb2_grpc"), f"{service.name}Servicer")
            for j, rpc in enumerate(service.method):
                # protoc writes a doc string with a backslash before each quotation mark, so compare words
                words = re.findall(r"\w+", comments[6, i, 2, j])
                assert re.findall(r"\w+", inspect.getdoc(getattr(servicer, rpc.name)) or "") == words

"""What the code has, the documents name: commands, environment, errors, calls, tables, log events, policies."""

import asyncio
import importlib.util
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import grpc
import pytest

import server.errors
from elige.v1 import campaigns_pb2, decisions_pb2, evaluations_pb2, keys_pb2, people_pb2
from policies.registry import MENU
from server.app import STOP_SECONDS, running
from server.backoff import PAUSES
from server.errors import EligeError
from server.records import OutcomeStatus, Reason, State
from server.settings import DEV_WINDOW, DRAIN_GRACE, Settings
from server.store.database import BUSY_TIMEOUT_MS
from server.store.drain import CLOSE_SECONDS
from server.store.tables import metadata
from server.training.process import RESTART_SECONDS
from server.training.trainer import KEEP_SNAPSHOTS, LEASE_LASTS
from tests.docs.pages import ROOT, read, sections

CONTRACT = (decisions_pb2, campaigns_pb2, people_pb2, evaluations_pb2, keys_pb2)
NOT_BUILT = ": not supported yet"


def rows(page: str, title: str) -> Iterator[list[str]]:
    """The cells of every row of the tables in one section."""
    (section,) = (one for one in sections(page) if one.title == title)
    for line in section.prose.splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            yield [cell.strip() for cell in line.strip("|").split(" |")]


def quoted(cell: str) -> list[str]:
    """What stands in backticks: `a`, `b`."""
    return re.findall(r"`([^`]+)`", cell)


def sources() -> Iterator[str]:
    for folder in ("server", "simulator", "policies", "proto/elige/client"):
        for path in (ROOT / folder).rglob("*.py"):
            yield path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_cli", ROOT / "docs" / "generate_cli.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_commands_are_documented_as_they_are(generator: ModuleType) -> None:
    assert read("docs/cli.md") == generator.page(), "run: python docs/generate_cli.py"


def test_every_command_and_option_has_help(generator: ModuleType) -> None:
    for path, command in generator.commands():
        assert command.help, f"{path} has no help"
        for one in command.params:
            assert one.help, f"{path} {one.name} has no help"


def test_every_environment_variable_is_documented() -> None:
    used = {name for text in sources() for name in re.findall(r"\bELIGE_[A-Z_]+\b", text)}
    assert used
    assert used <= set(re.findall(r"\bELIGE_[A-Z_]+\b", read("docs/operations.md")))


def test_every_error_is_documented_with_its_code() -> None:
    documented = {
        quoted(name)[0]: quoted(code)[0] for name, code, *_ in rows("docs/protocol.md", "Errors") if quoted(name)
    }
    classes = [one for _, one in inspect.getmembers(server.errors, inspect.isclass) if issubclass(one, EligeError)]
    assert documented == {one.__name__: one.code for one in classes if one is not EligeError}


def test_calls_that_are_not_built_answer_what_the_page_says(tmp_path: Path) -> None:
    documented: dict[str, str] = {}
    for calls, text, *_ in rows("docs/protocol.md", "Not built yet"):
        documented |= {call: text + NOT_BUILT for call in quoted(calls) if "." not in call and call != "activation_ttl"}
    built = {call for _, calls in rows("docs/protocol.md", "Calls") for call in quoted(calls)}
    answered = asyncio.run(_answers(f"sqlite:///{tmp_path / 'elige.db'}"))
    assert {call: text for call, (code, text) in answered.items() if code == "UNIMPLEMENTED"} == documented
    assert {call for call, (code, _) in answered.items() if code != "UNIMPLEMENTED"} <= built
    assert not built & documented.keys()


async def _answers(url: str) -> dict[str, tuple[str, str]]:
    """Call by name: the code and text of its answer to an empty request."""
    answers = {}
    methods = [
        method
        for file in CONTRACT
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ]
    async with (
        running(Settings(url, "localhost:0"), train=False) as served,
        grpc.aio.insecure_channel(f"localhost:{served.port}") as channel,
    ):
        for method in methods:
            path = f"/{method.containing_service.full_name}/{method.name}"
            rpc = (channel.unary_stream if method.server_streaming else channel.unary_unary)(path, None, None)
            call = rpc(b"")  # an empty request
            answers[method.name] = ((await call.code()).name, await call.details())
    return answers


def test_every_answer_of_reward_and_every_reason_is_documented() -> None:
    told = {word for _, answer in rows("docs/protocol.md", "Every answer of Reward") for word in quoted(answer)}
    assert {status.value for status in OutcomeStatus} <= told
    reasons = {word for reason, _ in rows("docs/protocol.md", "Deciding") for word in quoted(reason)}
    # the contract calls an imported choice observed
    assert {reason.value.replace("imported", "observed") for reason in Reason} == reasons


def test_every_table_and_column_is_documented() -> None:
    documented: dict[str, set[str]] = {}
    table = ""
    for name, columns, *_ in rows("docs/operations.md", "Tables"):
        table = quoted(name)[0] if quoted(name) else table
        documented.setdefault(table, set()).update(quoted(columns))
    documented.pop("", None)  # the heading
    assert documented == {name: set(table.columns.keys()) for name, table in metadata.tables.items()}


def test_every_event_of_the_log_is_documented_with_its_level() -> None:
    logged = set()
    for text in sources():
        for level, event in re.findall(r'\blog\.(info|warning|error|exception)\(\s*"([^"]+)"', text):
            logged.add((event, "error" if level == "exception" else level))
    documented = {
        (event, level) for events, level, *_ in rows("docs/operations.md", "Logs") for event in quoted(events)
    }
    assert logged == documented


def test_every_policy_is_documented() -> None:
    documented = {
        quoted(name)[0].partition(":")[0]: learns == "yes"
        for name, _, learns in rows("docs/concepts.md", "Policies")
        if quoted(name)
    }
    assert documented == {name: entry.learns for name, entry in MENU.items()}
    (section,) = (one for one in sections("docs/concepts.md") if one.title == "Policies")
    for entry in MENU.values():
        assert set(entry.rules) - {"variant"} <= set(quoted(section.prose))


def test_limits_and_pauses_are_documented_as_they_are() -> None:
    page = " ".join(read("docs/operations.md").split())
    for told in (
        f"closes every reward window after {DEV_WINDOW.seconds} seconds",
        f"lets those under way finish for up to {STOP_SECONDS:.0f} seconds",
        f"refused with `UNAVAILABLE` after {BUSY_TIMEOUT_MS / 1000:.0f} seconds",
        f"started again after {RESTART_SECONDS[0]} seconds",
        f"after longer pauses, up to {RESTART_SECONDS[-1]:.0f} seconds",
        f"A lease of {LEASE_LASTS.seconds} seconds",
        f"the outbox is drained for up to {CLOSE_SECONDS:.0f} seconds",
        f"`ELIGE_DRAIN_GRACE` | `{DRAIN_GRACE.seconds // 60}m` |",
        f"The newest {KEEP_SNAPSHOTS} of a campaign keep their bytes",
        "alone for 1 second, then {}, {}, {} and {}".format(*(pause.seconds for pause in PAUSES[1:])),
    ):
        assert told in page


def test_every_state_of_a_campaign_is_documented() -> None:
    told = [cells[0] for cells in rows("docs/concepts.md", "What each kind of decision counts for")]
    assert {state.value for state in State} <= set(told)

"""Runs the blocks of one section in order, in one folder, as a reader would type them."""

import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from server.campaigns.file import load_campaigns
from simulator import ColumnMapping
from tests.docs.pages import ROOT, Block, Section

ADDRESS = "localhost:7461"
"""What the documents write. Here it stands for the server on a free port that the section has started."""
DATABASE = "elige-demo/elige.db"
SECONDS = 300
"""Far beyond what any block takes: a hanging one must not hang the tests."""

_DECISION = re.compile(r"\b[0-9a-v]{40}\b")
_NOT_RUN = "not run, "


@dataclass
class Runner:
    """One section under way. `demo` makes the folder that a finished demo leaves."""

    folder: Path
    shared: Path
    demo: Callable[[], Path]
    address: str = ADDRESS
    decision: str | None = None
    printed: str = ""
    servers: list[subprocess.Popen[str]] = field(default_factory=list)

    def run(self, section: Section) -> None:
        """Every block in turn. Fails with the block's place and what it printed."""
        for block in section.blocks:
            place = f"{section.page}:{block.line}"
            if block.language != "text":
                self.printed = ""
            if self._prepare(block, place):
                _RUN[block.language](self, block, place)

    def stop(self) -> None:
        """End the servers, as SIGTERM does: every one has to exit with 0."""
        for server in self.servers:
            server.send_signal(signal.SIGTERM)
        try:
            ended = [server.communicate(timeout=60) and server.returncode for server in self.servers]
        finally:
            for server in self.servers:
                server.kill()  # does nothing to one that has ended
        assert ended == [0] * len(ended)

    def _prepare(self, block: Block, place: str) -> bool:
        """Do what the marks ask for; whether the block is to be run."""
        for mark in block.marks:
            word, _, rest = mark.partition(" ")
            if mark.startswith(_NOT_RUN):
                return False
            if word == "needs" and shutil.which(rest) is None:
                return False
            if mark == "data" and not self.shared.is_dir():
                pytest.skip(f"{place}: no real data at {self.shared}")
            if mark == "demo" and not (self.folder / DATABASE).exists():
                shutil.copytree(self.demo(), self.folder / "elige-demo", dirs_exist_ok=True)
            if mark == "trial":
                (self.folder / "trial.csv").write_text(trial(), encoding="utf-8")
        if block.file:
            (self.folder / block.file).write_text(block.text, encoding="utf-8")
        return True

    def _bash(self, block: Block, place: str) -> None:
        if block.text.startswith("elige serve"):
            self._serve(block.text, place)
            return
        text = block.text
        if "DECISION" in text:
            assert self.decision, f"{place}: DECISION, but nothing above printed the id of one"
            text = text.replace("DECISION", self.decision)
        printed = self._call(["bash", "-euo", "pipefail", "-c", text.replace(ADDRESS, self.address)], place)
        self.decision = next(iter(_DECISION.findall(printed)[-1:]), self.decision)

    def _python(self, block: Block, place: str) -> None:
        # on a loaded machine the first decision takes more than the second that a page would wait
        patient = block.text.replace(f'Client("{ADDRESS}")', f'Client("{self.address}", decide_timeout=60)')
        self.printed = self._call([sys.executable, "-c", patient.replace(ADDRESS, self.address)], place)

    def _sql(self, block: Block, place: str) -> None:
        connection = sqlite3.connect(self.folder / DATABASE)
        rows = connection.execute(block.text).fetchall()
        connection.close()
        assert rows, f"{place}: the query answers no row"

    def _yaml(self, block: Block, place: str) -> None:
        if "campaign:" in block.text:
            assert load_campaigns(block.text, file_name=place)
        else:
            ColumnMapping.from_dict(YAML(typ="safe", pure=True).load(block.text))

    def _text(self, block: Block, place: str) -> None:
        """Shown output: of a program, to the letter; figures of commands differ from run to run."""
        if self.printed:
            assert block.text.strip() == self.printed.strip(), f"{place}: the block above printed\n{self.printed}"

    def _serve(self, command: str, place: str) -> None:
        log = (self.folder / f"server-{len(self.servers)}.log").open("w")
        server = subprocess.Popen(
            shlex.split(command),
            cwd=self.folder,
            env={**self._environment(), "ELIGE_LISTEN": "localhost:0"},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        log.close()
        self.servers.append(server)
        assert server.stdout is not None
        said = server.stdout.readline()
        match = re.search(r" on (\S+:\d+)", said)
        assert match, f"{place}: {command!r} said {said!r}; its log: {Path(log.name).read_text()}"
        self.address = match[1]
        self._settle(server, Path(log.name))

    def _settle(self, server: subprocess.Popen[str], log: Path) -> None:
        """Wait for the trainer: while it starts, two processes compete for one core with calls that have a deadline."""
        end = time.monotonic() + SECONDS
        while "trainer started" not in log.read_text():
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)

    def _call(self, command: list[str], place: str) -> str:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, (
            f"{place}: exit status {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        )
        return done.stdout

    def _environment(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("ELIGE_")}
        here = {} if self.address == ADDRESS else {"ELIGE_SERVER": self.address}
        path = os.pathsep.join((str(Path(sys.executable).parent), ours.get("PATH", os.defpath)))
        return {**ours, **here, "PATH": path}


_RUN: dict[str, Callable[[Runner, Block, str], None]] = {
    "bash": Runner._bash,
    "python": Runner._python,
    "sql": Runner._sql,
    "yaml": Runner._yaml,
    "text": Runner._text,
}


def trial() -> str:
    """A trial of two arms as a CSV file: 400 customers, each asked on a day of their own."""
    rows = ["arm,chance,visited,customer,day,country"]
    for n in range(400):
        arm = "ab"[n % 2]
        visited = int(n % (5 if arm == "a" else 4) < 2)
        rows.append(f"{arm},0.5,{visited},c{n % 150},2026-03-{1 + n // 20:02},{'ES' if n % 3 else 'MX'}")
    return "\n".join(rows) + "\n"


def shared_data() -> Path:
    """Where the real data are, beside the repository unless the environment says otherwise."""
    return Path(os.environ.get("ELIGE_SHARED", ROOT.parent / "shared"))

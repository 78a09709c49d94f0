"""A fresh house for every section, and a small log such as the demo leaves."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from elige.client import AsyncClient
from server.app import running
from server.demo.files import campaign_file
from server.demo.visitors import Crowd
from server.settings import Settings
from server.store.database import Database
from server.training.trainer import Trainer
from simulator.worlds import landing
from tests.docs.pages import ROOT
from tests.docs.runner import Runner, shared_data

VISITORS = 600


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """The folder of a small demo, made when first asked for: its landing page, served, rewarded, learned."""
    folder = tmp_path_factory.mktemp("demo")

    def make() -> Path:
        if not any(folder.iterdir()):
            asyncio.run(_serve_visitors(f"sqlite:///{folder / 'elige.db'}"))
            _learn(f"sqlite:///{folder / 'elige.db'}")
        return folder

    return make


@pytest.fixture
def runner(tmp_path: Path, demo_folder: Callable[[], Path]) -> Iterator[Runner]:
    """A folder `main` with the examples in it, beside it the real data, where there are any."""
    folder = tmp_path / "main"
    folder.mkdir()
    shutil.copytree(ROOT / "examples", folder / "examples")
    shared = shared_data()
    if shared.is_dir():
        (tmp_path / "shared").symlink_to(shared)
    running_section = Runner(folder, shared / "data", demo_folder)
    yield running_section
    running_section.stop()


async def _serve_visitors(url: str) -> None:
    world = landing()
    async with (
        running(Settings(url, "localhost:0"), train=False) as server,
        AsyncClient(f"localhost:{server.port}", decide_timeout=60.0) as elige,
    ):
        await elige.put_campaign(campaign_file(world, window="1s", explore=0.2))
        await Crowd(world, seed=1).visit(elige, VISITORS)


def _learn(url: str) -> None:
    """Train as if the windows had long closed."""
    database = Database(url)
    trainer = Trainer(database, holder="tests", grace=timedelta(0))
    later = datetime.now(UTC) + timedelta(hours=1)
    while not trainer.step(later).idle:
        pass
    trainer.close(later)
    database.close()

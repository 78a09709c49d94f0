"""A server whose database nobody keeps: it decides and learns, and leaves nothing behind."""

import asyncio
from pathlib import Path
from typing import Any

from elige.client import AsyncClient
from server.app import running
from server.settings import Settings


def test_it_learns_and_leaves_nothing(hero: str, said: list[Any], tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    async def scenario() -> str:
        async with (
            running(Settings("memory:", "127.0.0.1:0")) as server,
            AsyncClient(f"127.0.0.1:{server.port}", decide_timeout=60.0) as elige,
        ):
            await elige.put_campaign(hero.replace("30m", "1s"))
            await elige.reward((await elige.decide("hero")).id, "click")
            async with asyncio.timeout(120):
                while not (decided := await elige.decide("hero", dry_run=True)).snapshot:
                    await asyncio.sleep(0.05)
            assert list(tmp_path.glob("elige-*/elige.db"))
            return decided.snapshot

    assert asyncio.run(scenario()) == "1"
    assert "nothing is kept: the database goes with the server" in {one["event"] for one in said}
    assert not list(tmp_path.glob("elige-*"))

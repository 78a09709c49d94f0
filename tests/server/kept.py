"""What many tests begin with is made by the first of them; the others have a copy of the database it was left in."""

import shutil
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from server.store.database import Database

T = TypeVar("T")


@dataclass(frozen=True)
class Copy:
    """A database as it was left, the time and the state of the log's randomness then, and what making it returned."""

    content: Path | str
    now: datetime
    entropy: Any
    made: Any


@dataclass
class Copies:
    """Those of one test process, by what was made and the database it was made in."""

    folder: Path
    postgres: Callable[[], Any]
    by_name: dict[tuple[str, str], Copy] = field(default_factory=dict)

    def made(self, name: str, make: Callable[[], T], database: Database, *, clock: Any, log: Any) -> T:
        """What `make` returns; afterwards database, clock and log are as it left them, whether it was called or not."""
        key = (name, database.url.get_backend_name())
        if key in self.by_name:
            one = self.by_name[key]
            self._put_back(one.content, database)
            clock.now = one.now
            log.entropy.setstate(one.entropy)
        else:
            answer = make()
            one = Copy(self._keep(database), clock.now, log.entropy.getstate(), deepcopy(answer))
            self.by_name[key] = one
        made: T = deepcopy(one.made)
        return made

    def _keep(self, database: Database) -> Path | str:
        database._engine.dispose()
        if database.url.get_backend_name() != "sqlite":
            name: str = self.postgres().keep(database.url.database)
            return name
        content = self.folder / f"{len(self.by_name)}.db"
        shutil.copyfile(_file(database), content)
        return content

    def _put_back(self, content: Path | str, database: Database) -> None:
        database._engine.dispose()
        if isinstance(content, Path):
            shutil.copyfile(content, _file(database))
        else:
            self.postgres().put_back(database.url.database, template=content)


def _file(database: Database) -> Path:
    """The file that holds all of it: once nobody has it open, nothing is left in the log beside it."""
    file = Path(str(database.url.database))
    assert not file.with_name(file.name + "-wal").exists(), f"{file} is still open"
    return file

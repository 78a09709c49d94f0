"""The door to pyarrow."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.sources.parquet import ParquetError, load_arrow, load_parquet, open_parquet


@pytest.mark.parametrize("load", [load_parquet, load_arrow, lambda: open_parquet(Path("a.parquet"))])
def test_without_pyarrow_it_says_how_to_install_it(load: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ParquetError, match=r"pip install 'elige\[parquet\]'"):
        load()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_parquet(tmp_path / "a.parquet")

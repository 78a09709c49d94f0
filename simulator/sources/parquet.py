"""The one door to pyarrow, an optional part: `pip install 'elige[parquet]'`."""

from pathlib import Path
from types import ModuleType
from typing import Any

INSTALL = "Parquet files need pyarrow: pip install 'elige[parquet]'"


class ParquetError(ValueError):
    """A Parquet file that can't be read, or no pyarrow to read it with."""


def load_parquet() -> ModuleType:
    """The module pyarrow.parquet, when it is needed. Raises ParquetError where it is not installed."""
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise ParquetError(INSTALL) from error
    module: ModuleType = parquet
    return module


def load_arrow() -> ModuleType:
    """The module pyarrow, when it is needed. Raises ParquetError where it is not installed."""
    try:
        import pyarrow
    except ImportError as error:
        raise ParquetError(INSTALL) from error
    module: ModuleType = pyarrow
    return module


def open_parquet(path: Path) -> Any:
    """A pyarrow.parquet.ParquetFile. Raises ParquetError for a file that is none, FileNotFoundError for none at all."""
    parquet, arrow = load_parquet(), load_arrow()
    try:
        return parquet.ParquetFile(path)
    except arrow.ArrowInvalid as error:
        raise ParquetError(f"{path} is no Parquet file: {error}") from error

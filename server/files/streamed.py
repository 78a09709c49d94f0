"""A Parquet file that is larger than memory, or a folder of them, judged in pieces: no import, no database."""

from dataclasses import dataclass, fields
from pathlib import Path

from server.errors import InvalidRequest
from server.evaluation.request import EvaluationRequest
from simulator import ColumnMapping, Evaluation, Progress, evaluate_parquet
from simulator.engines.local import Engine
from simulator.sources.parquet import open_parquet

IN_MEMORY = 2_000_000
"""Rows of a file that are read at once; more are read in pieces. With ten variants they take about a gigabyte."""

SUPPORTED = (
    "campaign", "slot", "policies", "by", "estimators", "train_share", "confidence", "seed", "lang", "force",
)  # fmt: skip
"""What can be asked of a log that is read in pieces."""


def is_streamed(path: Path) -> bool:
    """Whether it is a folder, or a Parquet file of more than IN_MEMORY rows. Raises ParquetError."""
    if path.suffix != ".parquet" or path.is_dir():
        return path.is_dir()
    with open_parquet(path) as file:
        return int(file.metadata.num_rows) > IN_MEMORY


@dataclass(frozen=True, slots=True)
class Streamed:
    """A file or a folder, and which column is what. cores: None for all; engine: in place of those."""

    path: Path
    mapping: ColumnMapping
    cores: int | None = None
    engine: Engine | None = None

    def evaluate(self, request: EvaluationRequest, *, progress: Progress) -> Evaluation:
        """Raises InvalidRequest for what can't be asked of a log that is read in pieces, and what `evaluate_parquet`
        raises.
        """
        asked = [one.name for one in fields(request) if getattr(request, one.name) != one.default]
        if refused := [name for name in asked if name not in SUPPORTED]:
            raise InvalidRequest(
                f"{', '.join(refused)}: {self.path.name} is read in pieces, as are folders and files of more than "
                f"{IN_MEMORY:,} rows, and this needs all rows at once; ask it of a smaller file"
            )
        if request.slot not in (None, self.mapping.slot):
            raise InvalidRequest(
                f"{self.path.name} has no slot {request.slot!r}; its mapping says {self.mapping.slot!r}"
            )
        if len(request.by) > 1:
            raise InvalidRequest(f"by {', '.join(request.by)}: {self.path.name} is read in pieces; expected one key")
        return evaluate_parquet(
            self.path,
            self.mapping,
            request.policies,
            estimators=request.estimators,
            confidence=request.confidence,
            train_share=request.train_share,
            by=request.by[0] if request.by else None,
            lang=request.lang,
            seed=request.seed,
            force=request.force,
            cores=self.cores,
            engine=self.engine,
            progress=progress,
        )

"""A file of one row a decision, CSV or Parquet, judged as it is: no import, no database."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from policies.expressions import compile_expression
from server.errors import InvalidRequest
from server.evaluation.groups import groups_in
from server.evaluation.log import OnLeftOut
from server.evaluation.reading import Reading, reading_of
from server.evaluation.request import EvaluationRequest, slots_asked
from simulator import By, Candidate, ColumnMapping, Log, csv_log, parquet_log
from simulator.logs.log import when

ENDINGS = (".csv", ".parquet")
"""Of files that can be judged as they are."""

ELSEWHERE = ("reward", "metrics")
"""What is asked of campaigns alone, which keep every outcome."""


@dataclass(frozen=True, slots=True)
class Tabled:
    """As `server.evaluation.run.Source` says; a request's `campaign` is what the log is called."""

    path: Path
    mapping: ColumnMapping

    def read(self, request: EvaluationRequest, *, progress: Callable[[float], None], left_out: OnLeftOut) -> Reading:
        """Raises InvalidRequest for what a file can't be asked or when no row is left, SourceError, LogError,
        ParquetError, ExpressionError.
        """
        if asked := [name for name in ELSEWHERE if getattr(request, name) not in (None, ())]:
            raise InvalidRequest(f"{', '.join(asked)}: {self.path.name} says what each row earned, and no outcomes")
        if other := [slot for slot in slots_asked(request) if slot != self.mapping.slot]:
            raise InvalidRequest(f"{self.path.name} has no slot {other[0]!r}; its mapping says {self.mapping.slot!r}")
        if request.estimate_propensities:
            raise InvalidRequest("propensities of a file are estimated where its mapping says `shares: estimate`")
        log = (csv_log if self.path.suffix == ".csv" else parquet_log)(self.path, self.mapping)
        return reading_of(self._kept(replace(log, name=request.campaign), request), request.by)

    def snapshot(self, campaign: str, slot: str, name: str, lang: str = "en") -> Candidate:
        raise InvalidRequest(f"{name}: a file holds no snapshots; ask the database")

    def window(self, campaign: str) -> timedelta:
        return timedelta(0)

    def groups(self, log: Log, key: str, lang: str = "en") -> By:
        return groups_in(log, key)

    def _kept(self, log: Log, request: EvaluationRequest) -> Log:
        """The rows that are asked for."""
        if not log.timed and (request.since or request.until):
            raise InvalidRequest(f"{self.path.name} has no times, as its mapping says: since and until mean nothing")
        since, until = _unix(request.since, -np.inf), _unix(request.until, np.inf)
        kept = (log.times >= since) & (log.times < until)
        if request.where is not None:
            test = compile_expression(request.where, names=sorted(self.mapping.context))
            kept &= log.contexts.where(lambda context: test.test(context).holds)
        if not kept.any():
            start, end = (when(float(time), timed=log.timed) for time in (log.times[0], log.times[-1]))
            held = f"; they are from {start} to {end}"
            raise InvalidRequest(
                f"none of the {len(log):,} rows of {self.path.name} is in this period and as asked{held}"
            )
        return log if kept.all() else log[kept]


def read_mapping(path: Path) -> ColumnMapping:
    """What a YAML file says. Raises InvalidRequest for what can't be read or is no YAML, MappingError."""
    try:
        raw = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidRequest(f"mapping {path}: {error.strerror}; expected a YAML file") from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{path} is no YAML: {error}") from error
    if not isinstance(raw, dict):
        raise InvalidRequest(f"{path}: expected fields with values, such as 'variant: COLUMN'")
    return ColumnMapping.from_dict(raw)


def _unix(moment: datetime | None, default: float) -> float:
    return default if moment is None else moment.astimezone(UTC).timestamp()

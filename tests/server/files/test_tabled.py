"""A file of one row a decision, judged as it is."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from policies.expressions import ExpressionError
from server.cli import app
from server.errors import InvalidRequest
from server.evaluation.request import EvaluationRequest
from server.files.tabled import Tabled, read_mapping
from simulator import Log, LogError

MAPPING = """
variant: arm
reward: visited
propensity: chance
time: day
context: {country: text}
slot: banner
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """300 rows as CSV and as Parquet, beside a mapping: `b` is visited more, in Spain alone."""
    country = ["ES" if n % 3 else "MX" for n in range(300)]
    frame = pd.DataFrame(
        {
            "arm": ["ab"[n % 2] for n in range(300)],
            "chance": 0.5,
            "visited": [float(n % 5 < (3 if n % 2 and country[n] == "ES" else 1)) for n in range(300)],
            "day": [f"2026-03-{1 + n // 15:02}" for n in range(300)],
            "country": country,
        }
    )
    frame.to_csv(tmp_path / "trial.csv", index=False)
    frame.to_parquet(tmp_path / "trial.parquet")
    (tmp_path / "trial.yaml").write_text(MAPPING)
    return tmp_path / "trial.parquet"


def read(path: Path, **asked: object) -> Log:
    request = EvaluationRequest("trial", **asked)  # type: ignore[arg-type]
    source = Tabled(path, read_mapping(path.with_suffix(".yaml")))
    return source.read(request, progress=lambda done: None, left_out=lambda decisions: None).slots[0]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_rows_that_were_asked_for(table: Path, suffix: str) -> None:
    path = table.with_suffix(suffix)
    assert (read(path).name, read(path).slot, len(read(path))) == ("trial", "banner", 300)
    spanish = read(path, where="country == 'ES'", since=datetime(2026, 3, 11, tzinfo=UTC), slot="banner")
    assert len(spanish) == 100
    assert set(spanish.contexts.values("country")) == {"ES"}
    assert len(read(path, until=datetime(2026, 3, 2, tzinfo=UTC))) == 15


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"slot": "headline"}, "has no slot 'headline'; its mapping says 'banner'"),
        ({"metrics": ("click",)}, "metrics: trial.parquet says what each row earned, and no outcomes"),
        ({"estimate_propensities": True}, "where its mapping says `shares: estimate`"),
        ({"since": datetime(2027, 1, 1, tzinfo=UTC)}, "none of the 300 rows of trial.parquet is in this period"),
    ],
)
def test_what_a_file_can_not_be_asked(table: Path, asked: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        read(table, **asked)


def test_mistakes_in_the_files(table: Path) -> None:
    with pytest.raises(ExpressionError, match="did you mean 'country'"):
        read(table, where="contry == 'ES'")
    mapping = table.with_suffix(".yaml")
    mapping.write_text(MAPPING.replace("time: day\n", ""))
    with pytest.raises(InvalidRequest, match="has no times, as its mapping says"):
        read(table, since=datetime(2026, 3, 1, tzinfo=UTC))
    mapping.write_text(MAPPING.replace("visited", "sold"))
    with pytest.raises(LogError, match="no column 'sold'"):
        read(table)
    mapping.write_text("- a\n")
    with pytest.raises(InvalidRequest, match="expected fields with values"):
        read(table)
    mapping.write_text("a: [")
    with pytest.raises(InvalidRequest, match="is no YAML"):
        read(table)


def test_elige_evaluate(table: Path) -> None:
    command = ["evaluate", "--log", str(table), "--policy", "fixed:b", "--by", "country", "--json"]
    done = CliRunner().invoke(app, [*command, "--mapping", str(table.with_suffix(".yaml"))])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["log"]["name"] == "trial"
    snips = next(row for row in found["rows"] if row["name"] == "fixed:b")["estimates"]["snips"]["value"]
    assert snips == pytest.approx(sum(n % 5 < (3 if n % 3 else 1) for n in range(1, 300, 2)) / 150)
    alone = CliRunner().invoke(app, command)
    assert alone.exit_code == 2
    assert "--mapping" in alone.output


def test_a_mapping_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"mapping .*nowhere\.yaml: No such file or directory; expected a YAML"):
        read_mapping(tmp_path / "nowhere.yaml")
    (tmp_path / "table.yaml").write_bytes(b"PAR1\xe5\x00")
    with pytest.raises(InvalidRequest, match=r"table\.yaml is no YAML"):
        read_mapping(tmp_path / "table.yaml")

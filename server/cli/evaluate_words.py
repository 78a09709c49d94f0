"""What `elige evaluate` says beside the report, in English and Spanish."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """Templates."""

    written: str
    saved: str
    left_out: str


WORDS: Mapping[str, Words] = {
    "en": Words(
        written="written to {path}",
        saved="saved: elige evaluation show {id}",
        left_out=(
            "left out: {n} {n:decision that was told without its|decisions that were told without their} propensity"
        ),
    ),
    "es": Words(
        written="escrito en {path}",
        saved="guardado: elige evaluation show {id}",
        left_out="{n:se omite|se omiten} {n} {n:decisión que se contó|decisiones que se contaron} sin su probabilidad",
    ),
}

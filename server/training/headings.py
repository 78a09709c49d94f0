"""What the table of a diagnosis calls its columns, its levels, and what findings are about."""

from collections.abc import Mapping
from dataclasses import dataclass

from server.training.findings import Level

_SLOT = "slot "


@dataclass(frozen=True, slots=True)
class Headings:
    """about, says, do: of the columns. subjects: of what findings are about, by `Finding.about`; slot: before its
    name.
    """

    about: str
    says: str
    do: str
    levels: Mapping[Level, str]
    subjects: Mapping[str, str]
    slot: str

    def subject(self, about: str) -> str:
        """What a finding is about, as people read it."""
        if about.startswith(_SLOT):
            return self.slot + about.removeprefix(_SLOT)
        return self.subjects[about]


_SUBJECTS = {
    "state": "estado",
    "decisions": "decisiones",
    "outcomes": "resultados",
    "windows": "ventanas",
    "activation": "activación",
    "rewards": "recompensas",
    "traffic": "tráfico",
    "policy": "política",
    "apprentice": "aprendiz",
    "trainer": "entrenador",
    "context": "contexto",
    "snapshot": "snapshot",
}

HEADINGS: Mapping[str, Headings] = {
    "en": Headings(
        about="about",
        says="what is",
        do="what to do",
        levels={level: level.value for level in Level},
        subjects={subject: subject for subject in _SUBJECTS},
        slot=_SLOT,
    ),
    "es": Headings(
        about="sobre",
        says="qué pasa",
        do="qué hacer",
        levels={Level.OK: "bien", Level.NOTE: "aviso", Level.PROBLEM: "problema"},
        subjects=_SUBJECTS,
        slot="parte ",
    ),
}

"""HTML of tables and figures, as a page and a notebook show them. All text from outside is escaped here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table. kind: its class; about: shown where it is pointed at."""

    cells: Sequence[str]
    kind: str = ""
    about: str = ""


def table(headings: Sequence[str], lines: Iterable[Line], *, label: str) -> str:
    """A table whose first cells are headings of their rows. It scrolls by itself where the page is narrow, also by the
    keyboard: label is what a screen reader calls it then.
    """
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    body = "\n".join(map(_row, lines))
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(label, quote=True)}">\n<table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>"
    )


def figure(drawing: str, *, label: str) -> str:
    """A drawing that scrolls by itself where the page is narrow; label says to a screen reader what it shows."""
    return f'<figure class="scroll" role="img" aria-label="{escape(label, quote=True)}">{drawing}</figure>'


def _row(line: Line) -> str:
    first, *others = line.cells
    cells = f'<th scope="row">{escape(first)}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in others)
    kind = f' class="{escape(line.kind, quote=True)}"' if line.kind else ""
    about = f' title="{escape(line.about, quote=True)}"' if line.about else ""
    return f"<tr{kind}{about}>{cells}</tr>"


STYLE = """
.elige { --ink: #111827; --faint: #4b5563; --paper: #ffffff; --rule: #e5e7eb; --best: #ecfdf5; color-scheme: light dark;
  font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 72rem;
  margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) {
  .elige { --ink: #e5e7eb; --faint: #9ca3af; --paper: #111827; --rule: #374151; --best: #064e3b; }
  html:has(> body.elige) { background: #111827; }
}
.elige h1 { font-size: 1.25em; }
.elige h2 { font-size: 1.0625em; margin-top: 2rem; }
.elige .verdict { font-size: 1.125em; font-weight: 600; }
.elige .scroll { overflow-x: auto; margin: 1.5rem 0; }
.elige figure.scroll { background: #ffffff; }
.elige figure > div { min-width: 28rem; }
.elige table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
.elige th, .elige td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--rule);
  background: var(--paper); }
.elige td { white-space: nowrap; }
.elige thead th { vertical-align: bottom; min-width: 3.5rem; max-width: 14rem; }
.elige tr > th:first-child { text-align: left; min-width: 8rem; max-width: 22rem; position: sticky; left: 0; }
.elige tbody th { font-weight: inherit; }
.elige .best { font-weight: 600; }
.elige .best > * { background: var(--best); }
.elige .refused, .elige .missing, .elige .legend { color: var(--faint); }
.elige .legend { font-size: .875em; }
.elige .findings { list-style: none; padding: 0; }
.elige .findings li { border-left: .5rem solid; padding-left: .75rem; margin: .25rem 0; }
.elige .findings .red { border-color: #dc2626; }
.elige .findings .amber { border-color: #d97706; }
.elige .findings .green { border-color: #059669; color: var(--faint); }
.elige dt { font-weight: 600; }
@media print {
  .elige { --ink: #000000; --faint: #374151; --paper: #ffffff; --best: #ffffff; font-size: 9pt; margin: 0;
    max-width: none; }
  .elige .scroll { overflow: visible; }
  .elige td { white-space: normal; }
  .elige figure, .elige tr { break-inside: avoid; }
  .elige h2 { break-after: avoid; }
  .elige .modebar { display: none; }
}
"""

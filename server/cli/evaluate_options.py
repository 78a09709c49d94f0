"""The options of `elige evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

LOG, POLICIES, JUDGED = "Which log", "Which policies", "How they are judged"
SHOWN, WHERE = "What is shown and kept", "Where it is computed"
"""How the options are grouped in the help."""


Campaign = Annotated[
    str | None, typer.Option(help="The campaign. This, --world, or --log with --mapping.", rich_help_panel=LOG)
]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--log",
        help="Not the database: a folder that elige export wrote; or, with --mapping, a .csv or .parquet file, or "
        "a folder of .parquet files.",
        metavar="PATH",
        rich_help_panel=LOG,
    ),
]
Mapping = Annotated[
    Path | None,
    typer.Option(help="A YAML file that says which column of --log is what.", metavar="FILE", rich_help_panel=LOG),
]
EstimatePropensities = Annotated[
    bool,
    typer.Option(
        "--estimate-propensities",
        help="Of decisions told without theirs, in place of leaving them out; flagged.",
        rich_help_panel=LOG,
    ),
]
Policy = Annotated[
    list[str] | None,
    typer.Option(
        help="epsilon:epsilon=0.1, fixed:VARIANT … or snapshot:NUMBER; repeatable.",
        metavar="SPEC",
        rich_help_panel=POLICIES,
    ),
]
Slots = Annotated[
    list[str] | None,
    typer.Option(
        help="Only this one; repeated, these as a page, the others as logged. By default all.", rich_help_panel=LOG
    ),
]
Since = Annotated[str | None, typer.Option(help="Decisions from then on.", metavar="TIME", rich_help_panel=LOG)]
Until = Annotated[str | None, typer.Option(help="Decisions before then.", metavar="TIME", rich_help_panel=LOG)]
Where = Annotated[
    str | None,
    typer.Option(
        help="Only these, by context, label, group or version: country == 'ES'.", metavar="CEL", rich_help_panel=LOG
    ),
]
ByKeys = Annotated[
    list[str] | None,
    typer.Option(
        help="Also each group: a context key, a label, or segment; repeatable.",
        metavar="KEY",
        rich_help_panel=JUDGED,
    ),
]
Every = Annotated[
    str | None, typer.Option(help="Also each stretch of time: 1d, 6h.", metavar="DURATION", rich_help_panel=JUDGED)
]
Metric = Annotated[
    list[str] | None,
    typer.Option(help="Also by this metric's own mean a decision; repeatable.", rich_help_panel=JUDGED),
]
Value = Annotated[
    str | None,
    typer.Option(
        help="Another reward: a CEL formula over the outcomes that were kept.",
        metavar="CEL",
        rich_help_panel=JUDGED,
    ),
]
Bounds = Annotated[
    str | None,
    typer.Option(
        "--range", help="Of that reward; by default the campaign's.", metavar="LOW,HIGH", rich_help_panel=JUDGED
    ),
]
Estimator = Annotated[
    list[str] | None,
    typer.Option(
        help="Only these: ips, snips, dm, dr, sndr, clipped_ips, switch_dr, dros, cressie_read, mips:FEATURE, "
        "kernel:FEATURE, best; repeatable.",
        rich_help_panel=JUDGED,
    ),
]
Interval = Annotated[
    str,
    typer.Option(
        help="skewed, normal, bootstrap, empirical_bernstein, likelihood or anytime.",
        metavar="NAME",
        rich_help_panel=JUDGED,
    ),
]
Model = Annotated[str, typer.Option(help="Of the rewards: linear, vw or none.", rich_help_panel=JUDGED)]
Replay = Annotated[
    str | None,
    typer.Option(
        help="Learners learn while they are judged: auto (the log says how), rejection, dr, progressive.",
        metavar="METHOD",
        rich_help_panel=POLICIES,
    ),
]
Grid = Annotated[
    list[str] | None,
    typer.Option(
        help="'squarecb:gamma_scale=1|10|100': of all combinations one is chosen, and judged; repeatable.",
        metavar="SPEC",
        rich_help_panel=POLICIES,
    ),
]
LearnEvery = Annotated[
    str,
    typer.Option(
        help="With --replay: after so many decisions of their own, or a time: 1h.",
        metavar="N",
        rich_help_panel=POLICIES,
    ),
]
World = Annotated[
    str | None,
    typer.Option(
        help="A log drawn from a world that is known, and the truth beside.", metavar="NAME", rich_help_panel=LOG
    ),
]
ROUNDS = 10_000
Rounds = Annotated[int, typer.Option(help="With --world: the rounds to draw.", rich_help_panel=LOG)]
Cores = Annotated[
    int | None,
    typer.Option(
        help="Processes for a log that is read in pieces; by default one a core.", min=1, rich_help_panel=WHERE
    ),
]
Engine = Annotated[
    str,
    typer.Option(
        help="Where a .parquet log is read, or a grid trained: local or ray.", metavar="NAME", rich_help_panel=WHERE
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        help="With --engine ray: its address. By default RAY_ADDRESS, or one of this machine's own.",
        rich_help_panel=WHERE,
    ),
]
Seed = Annotated[int, typer.Option(help="Of learners, of folds, and of a world's log.", min=0, rich_help_panel=JUDGED)]
ListWorlds = Annotated[
    bool, typer.Option("--list-worlds", help="Only say which worlds there are.", rich_help_panel=LOG)
]
Lang = Annotated[str, typer.Option(help="Of the sentences: en or es.", rich_help_panel=SHOWN)]
Html = Annotated[
    Path | None, typer.Option(help="Also write a page with figures.", metavar="FILE", rich_help_panel=SHOWN)
]
Diagnose = Annotated[
    bool, typer.Option("--diagnose", help="Only say what is wrong with the log.", rich_help_panel=JUDGED)
]
Force = Annotated[
    bool,
    typer.Option("--force", help="Numbers although a finding is red, marked as forced.", rich_help_panel=JUDGED),
]
Save = Annotated[
    bool,
    typer.Option(
        "--save",
        help="Keep it in the database: elige evaluation shows it and computes it again.",
        rich_help_panel=SHOWN,
    ),
]

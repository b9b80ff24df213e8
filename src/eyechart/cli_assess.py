"""The commands `eyechart assess …`: published result files and finished runs, read again.

Nothing is computed here. Exit status as in `eyechart.cli`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from eyechart.assessment.result_files import ResultOptions

assess = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="How well ratings follow people's: published results read again, strategies compared.",
)

Files = Annotated[
    list[Path],
    typer.Argument(help="Result files, MODEL/DATABASE.json: {img_path, gt_score, logit_WORD…}."),
]
Words = Annotated[str, typer.Option(help="Words whose logits are compared, e.g. high/low.")]
Strategies = Annotated[
    str,
    typer.Option(
        help="How ratings are read, with commas: softmax, word-sets, five-level or argmax, as "
        "NAME:WORDS@TEMPERATURE."
    ),
]
Temperature = Annotated[
    float, typer.Option(min=1e-6, help="What logits are divided by; 100 in Q-Bench's code.")
]
Mos = Annotated[
    Path | None,
    typer.Option(help="People's scores for files without: CSV, JSON list or item folder."),
]
DatabaseName = Annotated[
    str, typer.Option("--database", help="Whose images these are; else told by the files' names.")
]
Unique = Annotated[bool, typer.Option("--unique", help="Count repeated records once.")]
Resamples = Annotated[int, typer.Option(min=1, help="Resamples for the intervals.")]
Json = Annotated[bool, typer.Option("--json", help="Print a JSON list and nothing else.")]
Out = Annotated[Path | None, typer.Option(help="Folder for a report with all tables.")]


@assess.command()
def replay(
    files: Files,
    words: Words = "",
    strategies: Strategies = "",
    softmax_temperature: Temperature = 100.0,
    mos: Mos = None,
    database: DatabaseName = "",
    unique: Unique = False,
    resamples: Resamples = 1000,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Compute every figure of published result files again, with intervals.

    Example: eyechart assess replay idefics/koniq.json idefics/agi.json

    Example: eyechart assess replay instructblip_t5/agi.json --words high/low --json
    """
    from eyechart.assessment import printing, replay, reporting
    from eyechart.printing import print_json
    from eyechart.terminal import listed

    settings = replay.ReplaySettings(
        strategies=replay.chosen(
            listed(strategies) or ["softmax"], words=words, temperature=softmax_temperature
        ),
        options=_options(mos, database, unique=unique),
        n_resamples=resamples,
    )
    rows = replay.replay(files, settings)
    if as_json:
        print_json([replay.record_of(row) for row in rows])
    else:
        printing.print_replay(rows)
    if out is not None:
        _wrote(reporting.write(reporting.replay_report(rows, files), out), quiet=as_json)


@assess.command()
def strategies(
    files: Annotated[list[Path], typer.Argument(help="Result files, or run folders.")],
    words: Words = "",
    strategies: Strategies = "",
    softmax_temperature: Temperature = 100.0,
    mos: Mos = None,
    database: DatabaseName = "",
    unique: Unique = False,
    resamples: Resamples = 1000,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Compare ways of reading ratings on the same images, within and across databases.

    All are compared with softmax of good and poor, or of --words. Without --strategies, every one
    that the files' words allow.

    Example: eyechart assess strategies qwen-vl/koniq.json qwen-vl/agi.json --out strategies
    """
    from eyechart.assessment import printing, replay, reporting, study
    from eyechart.assessment.subjects import read_subjects
    from eyechart.printing import print_json
    from eyechart.terminal import listed

    more = listed(strategies)
    named = replay.chosen(["softmax", *more], words=words, temperature=softmax_temperature)
    options, reference = _options(mos, database, unique=unique), named[0]
    wanted = named if more else ()
    subjects = read_subjects(files, wanted, options=options, reference=reference)
    found = study.compare(subjects, reference, n_resamples=resamples)
    if as_json:
        print_json(study.records_of(found))
    else:
        printing.print_study(found)
    if out is not None:
        _wrote(reporting.write(reporting.study_report(found, files), out), quiet=as_json)


def _options(mos: Path | None, database: str, *, unique: bool) -> ResultOptions:
    from eyechart.assessment.mos_files import mos_by_name
    from eyechart.assessment.result_files import ResultOptions

    return ResultOptions(database, mos_by_name(mos) if mos else {}, unique)


def _wrote(page: Path, *, quiet: bool) -> None:
    typer.echo(f"Wrote {page}", err=quiet)

"""The options that commands share, each declared once with its help.

In: nothing. Out: annotated types for the parameters of commands. Reads no option.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Workspace = Annotated[
    Path, typer.Option(envvar="EYECHART_WORKSPACE", help="Folder of the call log and of new runs.")
]
Model = Annotated[
    str,
    typer.Option(
        help="Address of the model: signal, guess, openai:NAME, http://HOST:PORT/v1#NAME, "
        "replay:RUN, … (see `eyechart list backends`)."
    ),
]
Out = Annotated[Path | None, typer.Option(help="Run folder; a new one in the workspace if absent.")]
Judges = Annotated[
    list[str] | None,
    typer.Option(
        "--judge",
        help="Address of a model that grades replies. Several: the first one's verdicts count, the "
        "others tell how far judges agree.",
    ),
]
JudgeDraws = Annotated[
    int,
    typer.Option(min=1, help="Verdicts on each question put to the judge; odd where votes decide."),
]
MaxUnjudged = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="Exit 1 above this share of unjudged replies; 0.05 if absent."),
]
Data = Annotated[
    list[str] | None,
    typer.Option(
        help="What the benchmark reads: a file, a folder or a hub address; NAME=FILE for a "
        "database. May be given several times."
    ),
]
Columns = Annotated[
    Path | None,
    typer.Option(help="A TOML file that says what --data call their columns and values."),
]
People = Annotated[
    Path | None,
    typer.Option(help="People's answers to the same items, CSV: item_id,rater,value."),
]
Chosen = Annotated[
    list[str] | None,
    typer.Option(help="A published model to show in the figures by subset. May be repeated."),
]
Photos = Annotated[
    Path | None, typer.Option(help="Photographs to make the chart of, or that --data names.")
]
MaxPhotos = Annotated[
    int | None, typer.Option(min=1, help="Use at most so many photographs, or rows of --data.")
]
Kinds = Annotated[str, typer.Option(help="Only these, e.g. single,true_false.")]
Only = Annotated[
    list[str] | None,
    typer.Option(help="Only items with this FACET=VALUE, e.g. split=dev. May be repeated."),
]
Limit = Annotated[int | None, typer.Option(min=1, help="A random sample of the items.")]
Seed = Annotated[int, typer.Option(help="Of the sample and of made items.")]
Form = Annotated[
    str,
    typer.Option(
        help="Prompt of single choice: eyechart, paper, llava, letter-suffix, letter-prefix or "
        "vlmevalkit; the benchmark's own if absent."
    ),
]
Also = Annotated[
    str,
    typer.Option(
        help="Ask closed questions in other ways too: rotations (of the options), blind (without "
        "the image), likelihood (of each option's text)."
    ),
]
Strategies = Annotated[
    str,
    typer.Option(
        help="How ratings are read, the headline's first: softmax, word-sets, five-level, argmax, "
        "number, sampling; as NAME:WORDS@TEMPERATURE, e.g. softmax:high/low@100."
    ),
]
Samples = Annotated[int, typer.Option(min=1, help="Replies an image for --strategies sampling.")]
RatingPrompt = Annotated[str, typer.Option(help="begun or one-word.")]
Concurrency = Annotated[
    int | None,
    typer.Option(min=1, help="Most calls at once; 32 if absent, more for a model on this machine."),
]
Attempts = Annotated[int, typer.Option(min=1, help="Tries per request.")]
Timeout = Annotated[float, typer.Option(help="Seconds that a call may take.")]
Temperature = Annotated[str, typer.Option(help="A number, or `default`.")]
MaxTokens = Annotated[int, typer.Option(min=1, help="Per reply, reasoning included.")]
MaxPixels = Annotated[
    int | None, typer.Option(min=1, help="Shrink larger pictures; said in the report.")
]
MaxCalls = Annotated[int | None, typer.Option(min=0, help="Budget in answered calls.")]
BudgetTokens = Annotated[int | None, typer.Option(min=0, help="Budget in tokens.")]
BudgetUsd = Annotated[float | None, typer.Option(min=0, help="Budget in US dollars.")]
PriceText = Annotated[
    str, typer.Option(help="US dollars per million tokens, IN,OUT, e.g. 1.25,10.")
]
JudgePrice = Annotated[str, typer.Option(help="The judges'; as --price if absent.")]
DryRun = Annotated[bool, typer.Option(help="Count what would be asked; ask nothing.")]

"""The command line: words to calls of the Python API, and what came of it in one line.

Nothing is computed here. Exit status: 0 done, 1 done with failures, 2 could not start or go on,
130 stopped by Ctrl-C.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

import eyechart as e
from eyechart import cli_ask
from eyechart import cli_options as o
from eyechart.cli_assess import assess
from eyechart.errors import BadInput, EyechartError, UnknownName

if TYPE_CHECKING:
    from eyechart.run import Outcome


class _Group(typer.core.TyperGroup):
    """Our own errors become one message and exit status 2, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except EyechartError as error:
            typer.echo(f"eyechart: {error}", err=True)
            raise SystemExit(2) from None
        except KeyboardInterrupt:
            typer.echo(
                "eyechart: stopped. What was answered is kept; the same command goes on from here.",
                err=True,
            )
            raise SystemExit(130) from None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            typer.echo(f"eyechart: {UnknownName('command', args[0], self.commands)}", err=True)
            raise SystemExit(2)
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_Group,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Measures how well multimodal models see image quality.",
)


app.add_typer(assess, name="assess")


@app.command("list")
def list_plugins(
    kind: Annotated[str, typer.Argument(help="benchmarks, backends or metrics.")] = "",
) -> None:
    """List benchmarks, backends and metrics.

    Example: eyechart list backends
    """
    from eyechart import plugins

    if kind and kind not in plugins.CONSTANTS:
        raise UnknownName("kind of plug-in", kind, plugins.CONSTANTS)
    for one in [kind] if kind else plugins.CONSTANTS:
        typer.echo(f"{one}:")
        for name in plugins.names(one):
            typer.echo(f"  {name:<20} {plugins.summary(one, name)}")


@app.command()
def make(
    benchmark: Annotated[str, typer.Argument(help="A benchmark that is made of photographs.")],
    photos: Annotated[Path | None, typer.Argument(help="Folder; built-in ones if absent.")] = None,
    out: Annotated[Path, typer.Option(help="The item folder to write.")] = Path("items"),
    seed: Annotated[int, typer.Option(help="Same seed, same items.")] = 0,
    max_photos: Annotated[int | None, typer.Option(help="Use at most so many photographs.")] = None,
) -> None:
    """Make a benchmark's items out of photographs, as an ordinary item folder.

    Example: eyechart make snellen my-photos --out my-chart
    """
    from eyechart import plugins
    from eyechart.benchmarks import Source

    maker = plugins.benchmark(benchmark).make
    if maker is None:
        raise BadInput(f"{benchmark} is not made of photographs; `eyechart run` reads it as it is")
    item_set = maker(Source(photos, out.parent, seed, max_photos), out)
    for note in item_set.card.notes:
        typer.echo(f"Note: {note}")
    counts = ", ".join(f"{n} {kind}" for kind, n in item_set.card.counts.items())
    typer.echo(f"Wrote {len(item_set.items)} items ({counts}) to {out}")


@app.command()
def run(
    benchmark: Annotated[str, typer.Argument(help="A benchmark's name, item folder or Parquet.")],
    model: o.Model,
    out: o.Out = None,
    data: o.Data = None,
    columns: o.Columns = None,
    judge: o.Judges = None,
    judge_draws: o.JudgeDraws = 5,
    max_unjudged: o.MaxUnjudged = None,
    photos: o.Photos = None,
    max_photos: o.MaxPhotos = None,
    kinds: o.Kinds = "",
    only: o.Only = None,
    limit: o.Limit = None,
    seed: o.Seed = 0,
    form: o.Form = "",
    also: o.Also = "",
    strategies: o.Strategies = "",
    samples: o.Samples = 8,
    rating_prompt: o.RatingPrompt = "begun",
    concurrency: o.Concurrency = None,
    attempts: o.Attempts = 6,
    timeout: o.Timeout = 300.0,
    temperature: o.Temperature = "0",
    max_tokens: o.MaxTokens = 4096,
    max_pixels: o.MaxPixels = None,
    max_calls: o.MaxCalls = None,
    budget_tokens: o.BudgetTokens = None,
    budget_usd: o.BudgetUsd = None,
    price: o.PriceText = "",
    judge_price: o.JudgePrice = "",
    dry_run: o.DryRun = False,
    workspace: o.Workspace = Path("runs"),
) -> None:
    """Run a benchmark on a model and write a report. Run it again to go on where it stopped.

    Example: eyechart run snellen --model openai:gpt-5.2 --judge openai:gpt-5.2 --price 1.25,10
    """
    from eyechart import terminal as t

    budget = e.Budget(max_calls, budget_tokens, budget_usd, t.price_of(price))
    settings = e.RunSettings(
        judges=tuple(judge or ()),
        judging=e.Judging(n_draws=judge_draws),
        judge_price=t.price_of(judge_price) if judge_price else None,
        max_unjudged=max_unjudged,
        form=e.PromptForm(form, rating_prompt, t.listed(also), t.listed(strategies), samples),
        sampling=e.Sampling(temperature=t.temperature_of(temperature), max_tokens=max_tokens),
        ask=e.AskSettings(concurrency, e.Patience(attempts, timeout_s=timeout), max_pixels, budget),
        kinds=t.which_kinds(kinds),
        only=t.which_facets(only or ()),
        limit=limit,
        seed=seed,
        photos=photos,
        max_photos=max_photos,
        data=tuple(data or ()),
        columns=columns,
        workspace=workspace,
    )
    _run(benchmark, model, settings, out=out, dry_run=dry_run)


@app.command()
def score(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    judge: o.Judges = None,
    judge_draws: o.JudgeDraws = 5,
    max_unjudged: o.MaxUnjudged = None,
    concurrency: o.Concurrency = None,
    attempts: o.Attempts = 6,
    timeout: o.Timeout = 300.0,
    max_calls: o.MaxCalls = None,
    budget_tokens: o.BudgetTokens = None,
    budget_usd: o.BudgetUsd = None,
    price: o.PriceText = "",
    workspace: o.Workspace = Path("runs"),
) -> None:
    """Score a run's responses again, offline; with --judge, have replies graded.

    Verdicts of earlier judges are kept, and the report says how far the judges agree.

    Example: eyechart score runs/snellen-gpt-5.2-20260101-120000 --judge openai:gpt-5.2
    """
    from eyechart.terminal import price_of, told, watch

    budget = e.Budget(max_calls, budget_tokens, budget_usd, price_of(price))
    settings = e.RunSettings(
        judges=tuple(judge or ()),
        judging=e.Judging(n_draws=judge_draws),
        max_unjudged=max_unjudged,
        ask=e.AskSettings(concurrency, e.Patience(attempts, timeout_s=timeout), budget=budget),
        workspace=workspace,
    )
    _end(told(e.rescore(run, settings=settings, watch=watch)))


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="A run folder.")], chosen: o.Chosen = None
) -> None:
    """Write a run's report again from its scores, offline.

    Example: eyechart report runs/snellen-gpt-5.2-20260101-120000
    """
    from eyechart.run import rewrite_report
    from eyechart.terminal import told

    told(rewrite_report(run, chosen=chosen or ()))


@app.command()
def compare(
    runs: Annotated[
        list[Path], typer.Argument(help="Run folders of the same items; two, or one with --people.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the comparison.")] = Path("comparison"),
    people: o.People = None,
    chosen: o.Chosen = None,
) -> None:
    """Compare runs on the same items, with each other and with people, and find bad questions.

    Paired differences, exact McNemar, Holm; the benchmark's own tables with a line for each run;
    how hard each question is, which ones all miss, and which keys look wrong.

    Example: eyechart compare runs/snellen-signal-1 runs/snellen-gpt-5.2-2 --out signal-vs-gpt

    Example: eyechart compare runs/portrait-gpt-5.2-1 --people answers.csv
    """
    from eyechart.comparing import compare as compare_runs
    from eyechart.terminal import show_comparison

    show_comparison(compare_runs(runs, out=out, people=people, chosen=chosen or ()), out)


@app.command()
def power(
    targets: Annotated[
        list[str],
        typer.Argument(help="A benchmark, item folder or Parquet; or runs of the same items."),
    ],
    accuracy: Annotated[
        float | None, typer.Option(help="Mean of the two models', 0 to 1; 0.6, or as in the runs.")
    ] = None,
    correlation: Annotated[
        float | None,
        typer.Option(help="Of the two models' marks, item by item; 0.5, or as in the runs."),
    ] = None,
    power: Annotated[
        float, typer.Option(help="How often a difference of that size is to show, 0 to 1.")
    ] = 0.8,
    alpha: Annotated[
        float, typer.Option(help="How often equal models may be told apart, 0 to 1.")
    ] = 0.05,
    data: o.Data = None,
    columns: o.Columns = None,
    photos: o.Photos = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON list and nothing else.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for a report.")] = None,
    workspace: o.Workspace = Path("runs"),
) -> None:
    """Tell the smallest difference between two models that so many questions can show.

    For all questions and for each facet: on the same questions (paired), and on others (unpaired).

    Example: eyechart power qbench-portrait

    Example: eyechart power runs/portrait-gpt-5.2-1 runs/portrait-signal-2 --out power
    """
    from eyechart.power import power_of
    from eyechart.power.printing import print_power
    from eyechart.power.reporting import write
    from eyechart.power.sizes import PowerSettings
    from eyechart.printing import print_json

    settings = PowerSettings(
        accuracy=accuracy,
        correlation=correlation,
        power=power,
        alpha=alpha,
        data=tuple(data or ()),
        columns=columns,
        photos=photos,
        workspace=workspace,
    )
    found = power_of(targets, settings)
    if as_json:
        print_json(found.records())
    else:
        print_power(found)
    if out is not None:
        typer.echo(f"Wrote {write(found, out)}", err=as_json)


app.command("requests")(cli_ask.requests)
app.command("ask")(cli_ask.ask)
app.add_typer(cli_ask.calls, name="calls")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for all it writes.")] = Path("eyechart-demo"),
) -> None:
    """Run the built-in eye chart on the built-in model `signal`: no key, no download.

    Example: eyechart demo --out demo
    """
    from eyechart.run import evaluate
    from eyechart.run_settings import RunSettings
    from eyechart.terminal import told, watch

    settings = RunSettings(workspace=out)
    outcome = told(evaluate("snellen", "signal", out=out, settings=settings, watch=watch))
    typer.echo("Next, a model of yours: eyechart run snellen --model http://localhost:8000/v1#NAME")
    _end(outcome)


@app.callback(invoke_without_command=True)
def _version(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"eyechart {installed('eyechart')}")
        raise typer.Exit


def _run(
    benchmark: str, model: str, settings: e.RunSettings, *, out: Path | None, dry_run: bool
) -> None:
    """Run a benchmark, or only tell what that would ask."""
    from eyechart import terminal as t

    if dry_run:
        return t.show_plan(benchmark, model, settings)
    _end(t.told(e.evaluate(benchmark, model, out=out, settings=settings, watch=t.watch)))


def _end(outcome: Outcome) -> None:
    """Exit 1 where requests failed or the judge owes too much.

    Replies that could not be parsed are results, not failures.
    """
    if outcome.n_failed or outcome.too_many_unjudged:
        raise typer.Exit(1)


def _leave_threads_to_us() -> None:
    """Have NumPy's matrix products keep to one thread; must be called before NumPy is loaded.

    Resamples are counted in threads of our own. Those of OpenBLAS wait for a core by spinning: on a
    busy machine, 10,000 images then take 15 s in place of half a second.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def main() -> None:
    """The entry point of the `eyechart` command."""
    _leave_threads_to_us()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks our dashes is no failure
    try:
        app(prog_name="eyechart")
    except Exception:
        traceback.print_exc()
        typer.echo(
            "eyechart: this is a fault in eyechart; please report it with the lines above. What "
            "was answered is kept.",
            err=True,
        )
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()

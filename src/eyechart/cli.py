"""The command line: words to calls of the Python API, and what came of it in one line.

Nothing is computed here. Exit status: 0 done, 1 done with failures, 2 could not start or go on,
130 stopped by Ctrl-C.
"""

from __future__ import annotations

import io
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

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
JudgeDraws = Annotated[int, typer.Option(min=1, help="Verdicts on each open answer.")]
Concurrency = Annotated[int, typer.Option(min=1, help="Most calls at once.")]
Timeout = Annotated[float, typer.Option(help="Seconds that a call may take.")]
MaxPixels = Annotated[
    int | None, typer.Option(min=1, help="Shrink larger pictures; said in the report.")
]
PriceText = Annotated[
    str, typer.Option(help="US dollars per million tokens, IN,OUT, e.g. 1.25,10.")
]
Judge = Annotated[str, typer.Option(help="Address of the model that grades open answers.")]


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
    model: Model,
    out: Out = None,
    judge: Judge = "",
    judge_draws: JudgeDraws = 5,
    photos: Annotated[Path | None, typer.Option(help="Photographs to make the chart of.")] = None,
    max_photos: Annotated[int | None, typer.Option(min=1, help="Use at most so many.")] = None,
    kinds: Annotated[str, typer.Option(help="Only these, e.g. single,true_false.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="A random sample of the items.")] = None,
    seed: Annotated[int, typer.Option(help="Of the sample and of made items.")] = 0,
    concurrency: Concurrency = 32,
    attempts: Annotated[int, typer.Option(min=1, help="Tries per request.")] = 6,
    timeout: Timeout = 300.0,
    temperature: Annotated[str, typer.Option(help="A number, or `default`.")] = "0",
    max_tokens: Annotated[int, typer.Option(min=1, help="Per reply, reasoning included.")] = 4096,
    rating_prompt: Annotated[str, typer.Option(help="begun or one-word.")] = "begun",
    max_pixels: MaxPixels = None,
    max_calls: Annotated[int | None, typer.Option(min=0, help="Budget in answered calls.")] = None,
    budget_tokens: Annotated[int | None, typer.Option(min=0, help="Budget in tokens.")] = None,
    budget_usd: Annotated[float | None, typer.Option(min=0, help="Budget in US dollars.")] = None,
    price: PriceText = "",
    judge_price: Annotated[str, typer.Option(help="The judge's; as --price if absent.")] = "",
    dry_run: Annotated[bool, typer.Option(help="Count what would be asked; ask nothing.")] = False,
    workspace: Workspace = Path("runs"),
) -> None:
    """Run a benchmark on a model and write a report. Run it again to go on where it stopped.

    Example: eyechart run snellen --model openai:gpt-5.2 --judge openai:gpt-5.2 --price 1.25,10

    Example: eyechart run my-chart --model http://localhost:8000/v1#Qwen/Qwen3-VL-8B-Instruct
    """
    from eyechart.asking import AskSettings, Budget, Patience
    from eyechart.prompts import Judging, PromptForm
    from eyechart.records import Sampling
    from eyechart.run import evaluate
    from eyechart.run_settings import RunSettings
    from eyechart.terminal import price_of, show_plan, temperature_of, told, watch, which_kinds

    budget = Budget(max_calls, budget_tokens, budget_usd, price_of(price))
    patience = Patience(attempts, timeout_s=timeout)
    settings = RunSettings(
        judge=judge,
        judging=Judging(n_draws=judge_draws),
        judge_price=price_of(judge_price) if judge_price else None,
        form=PromptForm(rate=rating_prompt),
        sampling=Sampling(temperature=temperature_of(temperature), max_tokens=max_tokens),
        ask=AskSettings(concurrency, patience, max_pixels, budget),
        kinds=which_kinds(kinds),
        limit=limit,
        seed=seed,
        photos=photos,
        max_photos=max_photos,
        workspace=workspace,
    )
    if dry_run:
        show_plan(benchmark, model, settings)
        return
    _end(told(evaluate(benchmark, model, out=out, settings=settings, watch=watch)))


@app.command()
def score(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    judge: Judge = "",
    judge_draws: JudgeDraws = 5,
    concurrency: Concurrency = 32,
    timeout: Timeout = 300.0,
    workspace: Workspace = Path("runs"),
) -> None:
    """Score a run's responses again, offline; with --judge, have open answers graded.

    Example: eyechart score runs/snellen-gpt-5.2-20260101-120000 --judge openai:gpt-5.2
    """
    from eyechart.asking import AskSettings, Patience
    from eyechart.prompts import Judging
    from eyechart.run import rescore
    from eyechart.run_settings import RunSettings
    from eyechart.terminal import told, watch

    settings = RunSettings(
        judge=judge,
        judging=Judging(n_draws=judge_draws),
        ask=AskSettings(concurrency, patience=Patience(timeout_s=timeout)),
        workspace=workspace,
    )
    _end(told(rescore(run, settings=settings, watch=watch)))


@app.command()
def report(run: Annotated[Path, typer.Argument(help="A run folder.")]) -> None:
    """Write a run's report again from its scores, offline.

    Example: eyechart report runs/snellen-gpt-5.2-20260101-120000
    """
    from eyechart.run import rewrite_report
    from eyechart.terminal import told

    told(rewrite_report(run))


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Two or more run folders of the same items.")],
    out: Annotated[Path, typer.Option(help="Folder for the comparison.")] = Path("comparison"),
) -> None:
    """Compare runs on the same items: paired differences, exact McNemar, Holm.

    Example: eyechart compare runs/snellen-signal-1 runs/snellen-gpt-5.2-2 --out signal-vs-gpt
    """
    from eyechart.comparing import compare as compare_runs
    from eyechart.terminal import show_comparison

    show_comparison(compare_runs(runs, out=out), out)


@app.command()
def calls(
    workspace: Workspace = Path("runs"),
    price: PriceText = "",
) -> None:
    """Show what was asked, by model and role: answers, failures, tokens, cost.

    Example: eyechart calls --price 1.25,10
    """
    from eyechart.terminal import price_of, show_calls

    show_calls(workspace, price_of(price))


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


def _end(outcome: Outcome) -> None:
    """Exit 1 where requests failed. Replies that could not be parsed are results, not failures."""
    if outcome.n_failed:
        raise typer.Exit(1)


def main() -> None:
    """The entry point of the `eyechart` command."""
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

"""The commands about tables: `eyechart requests`, `eyechart ask` and `eyechart calls import`.

Nothing is computed here. Exit status as in `eyechart.cli`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import eyechart as e
from eyechart import cli_options as o
from eyechart.errors import BadInput, UnknownName

if TYPE_CHECKING:
    from eyechart.fleet.ray_data import RaySettings

calls = typer.Typer(add_completion=False, rich_markup_mode=None)

PLACES = ("local", "ray")
Table = Annotated[
    str, typer.Argument(metavar="REQUESTS", help="A table of requests: a file, or s3://… and such.")
]
OutTable = Annotated[
    str, typer.Option(help="The table to write: a file, or an address (s3://…, gs://…).")
]
OutFolder = Annotated[
    str, typer.Option(help="Folder for the responses: here, or an address (s3://…, gs://…).")
]
On = Annotated[str, typer.Option(help="Where to ask: local (this machine) or ray (a fleet).")]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Models at once on the fleet; as many as fit if absent.")
]

Vllm = Annotated[
    bool | None,
    typer.Option("--vllm/--no-vllm", help="Let vLLM compute what it can; where it is installed."),
]


def requests(
    benchmark: Annotated[str, typer.Argument(help="A benchmark's name, item folder or Parquet.")],
    model: o.Model,
    out: OutTable = "requests.parquet",
    data: o.Data = None,
    columns: o.Columns = None,
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
    temperature: o.Temperature = "0",
    max_tokens: o.MaxTokens = 4096,
    workspace: o.Workspace = Path("runs"),
) -> None:
    """Write what a benchmark would ask a model as a table, photographs included. Asks nothing.

    Example: eyechart requests snellen --model hf:Qwen/Qwen3-VL-8B-Instruct --out requests.parquet
    """
    from eyechart import terminal as t
    from eyechart.fleet.benchmark_requests import write_benchmark
    from eyechart.fleet.printing import print_written

    settings = e.RunSettings(
        form=e.PromptForm(form, rating_prompt, t.listed(also), t.listed(strategies), samples),
        sampling=e.Sampling(temperature=t.temperature_of(temperature), max_tokens=max_tokens),
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
    written = write_benchmark(benchmark, model, out, settings=settings)
    print_written(written, out)
    _end(written.n_left_out)


def ask(
    requests: Table,
    model: o.Model,
    out: OutFolder,
    on: On = "local",
    workers: Workers = None,
    vllm: Vllm = None,
    concurrency: o.Concurrency = None,
    attempts: o.Attempts = 6,
    timeout: o.Timeout = 300.0,
    max_pixels: o.MaxPixels = None,
    max_calls: o.MaxCalls = None,
    budget_tokens: o.BudgetTokens = None,
    budget_usd: o.BudgetUsd = None,
    price: o.PriceText = "",
    dry_run: o.DryRun = False,
    workspace: o.Workspace = Path("runs"),
) -> None:
    """Ask a model what a table of requests asks. Run it again to go on where it stopped.

    Example: eyechart ask requests.parquet --model hf:Qwen/Qwen3-VL-8B-Instruct --out answers

    Example: eyechart ask s3://lab/requests.parquet --model hf:Qwen/Qwen3-VL-8B-Instruct --out
    s3://lab/answers --on ray
    """
    from eyechart.terminal import price_of

    if on not in PLACES:
        raise UnknownName("place to ask", on, PLACES)
    budget = e.Budget(max_calls, budget_tokens, budget_usd, price_of(price))
    settings = e.AskSettings(
        concurrency, e.Patience(attempts, timeout_s=timeout), max_pixels, budget
    )
    if on == "ray":
        _ask_on_ray(requests, model, out, _fleet(settings, workers, vllm), dry_run=dry_run)
    elif workers is not None or vllm is not None:
        raise BadInput("--workers and --vllm are of a fleet: add --on ray, or leave them out")
    elif dry_run:
        _show_plan(requests, model, out, settings, workspace)
    else:
        _ask_here(requests, model, out, settings, workspace)


@calls.callback(invoke_without_command=True)
def show(
    ctx: typer.Context,
    workspace: o.Workspace = Path("runs"),
    price: o.PriceText = "",
) -> None:
    """Show what was asked, by model and role: answers, failures, tokens, cost.

    With `import`, take in what a fleet answered.

    Example: eyechart calls --price 1.25,10
    """
    if ctx.invoked_subcommand is None:
        from eyechart.terminal import price_of, show_calls

        show_calls(workspace, price_of(price))


@calls.command("import")
def import_(
    responses: Annotated[
        str,
        typer.Argument(
            metavar="RESPONSES", help="Folder or file of responses: here, or an address (s3://…)."
        ),
    ],
    workspace: o.Workspace = Path("runs"),
) -> None:
    """Merge the answers of a fleet into the call log, where `eyechart run` finds them.

    Example: eyechart calls import s3://lab/answers
    """
    from eyechart.fleet.importing import import_responses
    from eyechart.fleet.printing import print_imported
    from eyechart.run_settings import CALL_LOG

    imported = import_responses(responses, workspace)
    print_imported(imported, workspace / CALL_LOG)
    _end(imported.n_failed + imported.n_refused)


def _ask_here(
    requests: str, model: str, out: str, settings: e.AskSettings, workspace: Path
) -> None:
    from eyechart.fleet.asking_table import ask_table
    from eyechart.fleet.printing import print_asked
    from eyechart.terminal import watch

    asked = ask_table(requests, model, out, settings=settings, workspace=workspace, watch=watch)
    print_asked(asked)
    _end(asked.n_failed)


def _fleet(settings: e.AskSettings, workers: int | None, vllm: bool | None) -> RaySettings:
    from eyechart.fleet.ray_data import RaySettings

    return RaySettings(settings, workers, vllm=vllm)


def _ask_on_ray(
    requests: str, model: str, out: str, settings: RaySettings, *, dry_run: bool
) -> None:
    from eyechart.fleet.printing import print_asked
    from eyechart.fleet.ray_data import ask_on_ray

    if dry_run:
        return _show_plan(requests, model, out, settings.ask, None)
    asked = ask_on_ray(requests, model, out, settings=settings)
    print_asked(asked)
    _end(asked.n_failed)


def _show_plan(
    requests: str, model: str, out: str, settings: e.AskSettings, workspace: Path | None
) -> None:
    from eyechart.fleet.asking_table import plan_table
    from eyechart.fleet.printing import print_plan

    plan = plan_table(requests, model, out, settings=settings, workspace=workspace)
    print_plan(plan, settings.budget.price)


def _end(n_failed: int) -> None:
    if n_failed:
        raise typer.Exit(1)

"""What the command line prints, and how it reads options that are more than a number.

In: outcomes, tallies, option texts. Out: lines on the terminal, or settings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from eyechart import plugins
from eyechart.asking import Price
from eyechart.asking.call_log import CallLog
from eyechart.asking.engine import Tally
from eyechart.asking.planning import planned
from eyechart.errors import BadInput, UnknownName
from eyechart.prompts import answer_requests
from eyechart.records import KINDS, Kind, Response
from eyechart.report.comparison import Comparison, comparison_headline
from eyechart.report.formatting import plural
from eyechart.rubrics import rubrics_of
from eyechart.run import Outcome, load_items
from eyechart.run_settings import CALL_LOG, RunSettings, fitted
from eyechart.stages import Stage

console = Console(highlight=False, emoji=False, markup=False)
EVERY_N_RESPONSES = 8
WIDE = 200


def watch(responses: Iterator[Response], stage: Stage) -> Iterator[Response]:
    """Show a progress bar with rate, failures, cost and time left while responses pass."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Told(stage),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), refresh_per_second=4) as progress:
        task = progress.add_task(stage.name, total=stage.n_requests)
        for n, response in enumerate(responses, start=1):
            yield response
            if n % EVERY_N_RESPONSES == 0 or n == stage.n_requests:
                progress.update(task, completed=n)


class _Told(ProgressColumn):
    """What the tally says, as it is at this moment; before, that a model here is being loaded."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._tally, self._model = stage.tally, stage.model
        self._n_before = stage.tally.n_asked

    def render(self, task: Task) -> Text:
        n_asked, seconds = self._tally.n_asked - self._n_before, task.elapsed
        if self._tally.stopping and not task.finished:
            return Text("waiting for the answers on their way; Ctrl-C again gives them up")
        if not n_asked and self._model.window is not None and not task.finished:
            return Text(f"loading {self._model.model}, trying it, first answers")
        return Text(_told(self._tally, n_asked / seconds if seconds else 0.0))


def _told(tally: Tally, speed: float) -> str:
    parts = [f"{speed:.1f}/s"] if speed else []
    if tally.n_found:
        parts.append(f"{tally.n_found} from the log")
    if tally.n_failed:
        parts.append(f"{tally.n_failed} failed")
    if tally.n_retries:
        parts.append(f"{tally.n_retries} retries")
    if tally.usd:
        parts.append(f"${tally.usd:.2f}")
    elif tally.tokens_in:
        parts.append(f"{(tally.tokens_in + tally.tokens_out) / 1000:.0f}k tokens")
    return ", ".join(parts)


def told(outcome: Outcome) -> Outcome:
    """Print what a run found and where its report is; returns the outcome."""
    console.print(Text(outcome.report.headline), soft_wrap=not console.is_terminal)
    if outcome.most_frequent_failure:
        console.print(
            Text(f"Most frequent failure: {outcome.most_frequent_failure}"), soft_wrap=True
        )
    for note in outcome.judge_notes:
        console.print(Text(note), soft_wrap=True)
    asked = f"asked {outcome.n_asked}, from the log {outcome.n_found}, failed {outcome.n_failed}"
    shown = f" ({asked})" if outcome.n_asked or outcome.n_found or outcome.n_failed else ""
    console.print(Text(f"Wrote {outcome.folder / 'report.html'}{shown}"), soft_wrap=True)
    return outcome


def show_plan(benchmark: str, model: str, settings: RunSettings) -> None:
    """Print what a run would ask, send and at most cost, asking nothing."""
    name, item_set = load_items(benchmark, settings)
    backend = plugins.open_model(model)
    rules = plugins.rules_of(name, item_set)
    settings = fitted(settings, backend, item_set.items, rules)
    requests = answer_requests(item_set.items, form=settings.form, sampling=settings.sampling)
    with CallLog(settings.workspace / CALL_LOG) as log:
        plan = planned(requests, backend, log, max_pixels=settings.ask.max_pixels)
    console.print(
        f"Would ask {plan.n_calls} calls of {backend.model}: {plan.n_bytes / 1e6:.1f} MB of "
        f"pictures; {plan.n_found} are in the log already, {plan.n_failed} cannot be sent. "
        "Nothing was asked.",
        soft_wrap=True,
    )
    most_usd = settings.ask.budget.price.usd_out * plan.n_tokens / 1e6
    limit = f" (${most_usd:.2f} at the price given)" if most_usd else ""
    n_rubrics = sum(len(rubrics_of(item, rules.rubrics)) for item in item_set.items)
    n_verdicts = n_rubrics * settings.judging.n_draws * len(settings.judges)
    if n_verdicts:
        console.print(f"The judges would be asked for up to {n_verdicts} verdicts on top of that.")
    console.print(f"Replies can hold at most {plan.n_tokens:,} tokens{limit}; pictures cost extra.")


def show_calls(workspace: Path, price: Price) -> None:
    """Print the call log's summary. Raises BadInput where there is no log."""
    path = workspace / CALL_LOG
    if not path.is_file():
        raise BadInput(f"{path}: no call log here; `eyechart run` makes one, or use --workspace")
    table = Table(box=None)
    table.add_column("model", no_wrap=True)
    table.add_column("role")
    for column in ("answered", "failed", "tokens in", "tokens out", "mean s", "US$"):
        table.add_column(column, justify="right")
    with CallLog(path) as log:
        rows = log.summary()
    for row in rows:
        usd = (row.tokens_in * price.usd_in + row.tokens_out * price.usd_out) / 1e6
        cost = f"{usd:.2f}" if price != Price() else "–"
        counts = [row.n_answered, row.n_failed, row.tokens_in, row.tokens_out]
        mean_s = f"{row.seconds / row.n_answered:.2f}" if row.n_answered else "–"
        table.add_row(Text(row.model), row.role, *[f"{n:,}" for n in counts], mean_s, cost)
    wide = console if console.is_terminal else Console(highlight=False, emoji=False, width=WIDE)
    wide.print(table)
    n_answered = sum(row.n_answered for row in rows)
    console.print(f"{n_answered:,} answered calls in {path}", soft_wrap=True)


def show_comparison(comparison: Comparison, out: Path) -> None:
    """Print what a comparison found and where its page is."""
    console.print(Text(comparison_headline(comparison)), soft_wrap=not console.is_terminal)
    page = out / "compare.html"
    n_runs = sum(not run.people for run in comparison.runs)
    beside = " and people" if n_runs < len(comparison.runs) else ""
    told = f"{plural(n_runs, 'run')}{beside}, {plural(comparison.n_items, 'shared item')}"
    console.print(Text(f"Wrote {page} ({told})"), soft_wrap=True)


def price_of(text: str) -> Price:
    """Read `IN,OUT` in US dollars per million tokens; "" is no price."""
    if not text:
        return Price()
    try:
        usd_in, usd_out = (float(part) for part in text.split(","))
        return Price(usd_in, usd_out)
    except ValueError:
        raise BadInput(f"--price {text}: expected IN,OUT per million, e.g. 1.25,10") from None


def temperature_of(text: str) -> float | None:
    """Read a temperature; `default` leaves the endpoint's own in force."""
    if text == "default":
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 2:
        raise BadInput(f"--temperature {text}: expected a number from 0 to 2, or `default`")
    return value


def which_facets(texts: Iterable[str]) -> dict[str, str]:
    """Read `FACET=VALUE` texts. Raises BadInput for any other."""
    chosen = {}
    for text in texts:
        facet, sign, value = text.partition("=")
        if not sign or not facet.strip():
            raise BadInput(f"--only {text}: expected FACET=VALUE, e.g. --only split=dev")
        chosen[facet.strip()] = value.strip()
    return chosen


def listed(text: str) -> tuple[str, ...]:
    """The names in a list with commas; "" is none."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def which_kinds(text: str) -> tuple[Kind, ...]:
    """Read a list of kinds; "" is all of them. Raises UnknownName."""
    names = listed(text)
    for name in names:
        if name not in get_args(Kind):
            raise UnknownName("kind of question", name, KINDS)
    return tuple(kind for kind in KINDS if kind in names)

"""What the commands about tables of requests and responses print.

In: what came of them. Out: lines on standard output.
"""

from __future__ import annotations

from pathlib import Path

from eyechart.asking import Price
from eyechart.fleet.answer_folder import AskedTable
from eyechart.fleet.asking_table import TablePlan
from eyechart.fleet.importing import Imported
from eyechart.fleet.request_rows import Written
from eyechart.printing import print_notes, print_text, wide_console
from eyechart.report.formatting import plural


def print_written(written: Written, out: str) -> None:
    """Print how many requests a table holds, and what was left out."""
    console = wide_console()
    print_text(console, f"Wrote {plural(written.n_requests, 'request')} to {out}")
    if written.n_left_out:
        left_out = plural(written.n_left_out, "request")
        print_text(console, f"Left out {left_out} that cannot be asked, the first: {written.why}")


def print_plan(table: TablePlan, price: Price) -> None:
    """Print what asking a table would ask, send and at most cost."""
    console, plan = wide_console(), table.plan
    print_text(
        console,
        f"Would ask {plural(plan.n_calls, 'call')} of {table.model}: {plan.n_bytes / 1e6:.1f} MB "
        f"of pictures; {table.n_before} are answered already, {plan.n_found} are in the log, "
        f"{plan.n_failed} cannot be sent. Nothing was asked.",
    )
    most_usd = price.usd_out * plan.n_tokens / 1e6
    limit = f" (${most_usd:.2f} at the price given)" if most_usd else ""
    print_text(
        console, f"Replies can hold at most {plan.n_tokens:,} tokens{limit}; pictures cost extra."
    )


def print_asked(asked: AskedTable) -> None:
    """Print how many requests of a table are answered, and why others are not."""
    console = wide_console()
    if asked.why:
        print_text(console, f"Most frequent failure: {asked.why}")
    print_notes(console, asked.notes)
    n_answered = asked.n_before + asked.n_asked + asked.n_found
    print_text(
        console,
        f"Answered {n_answered} of {plural(asked.n_requests, 'request')} in {asked.out} "
        f"(asked {asked.n_asked}, from the log {asked.n_found}, there before {asked.n_before}, "
        f"failed {asked.n_failed})",
    )


def print_imported(imported: Imported, log: Path) -> None:
    """Print what an import added to the call log, and what it refused."""
    console = wide_console()
    for refusal in imported.refusals:
        print_text(console, f"Refused: {refusal}")
    n_more = imported.n_refused - len(imported.refusals)
    if n_more:
        print_text(console, f"Refused: {plural(n_more, 'more row')}")
    print_text(
        console,
        f"Imported {plural(imported.n_new, 'answer')} into {log} (known already "
        f"{imported.n_known}, without an answer {imported.n_failed}, refused {imported.n_refused})",
    )

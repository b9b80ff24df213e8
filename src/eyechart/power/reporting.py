"""The page of `eyechart power`. In: a `PowerReport`. Out: a `Report`, and its files written."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from eyechart.power import ASKED, PowerReport
from eyechart.records import Report
from eyechart.report.formatting import BLANK
from eyechart.report.write import refuse_run_folder, write_report

PACKAGES = ("eyechart", "numpy", "scipy")


def write(report: PowerReport, folder: Path) -> Path:
    """Write the report's files; returns the path of the page.

    Raises BadInput where it cannot, and where the folder holds a run.
    """
    refuse_run_folder(folder)
    return write_report(_page(report), (), folder)


def _page(report: PowerReport) -> Report:
    taken = {name: f"{getattr(report.taken, name):g}" for name in ASKED}
    return Report(
        title=f"What differences show: {report.sized.title}",
        benchmark=report.sized.benchmark,
        model=", ".join(report.sized.models) or BLANK,
        headline=report.headline,
        cells=(),
        notes=report.notes,
        provenance={
            "targets": ", ".join(report.targets),
            **taken,
            **{package: version(package) for package in PACKAGES},
        },
        tables=(report.table,),
    )

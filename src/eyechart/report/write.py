"""Writes a report's files into a folder, each whole or not at all.

In: a `Report`, its entries, a folder. Out: report.html, report.md, tables/*.csv|tex and
figures/*.svg|png. The same report writes the same bytes. Of the files that an earlier report or
comparison wrote into the folder, those that are no longer part of it go; a page names its files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from eyechart.errors import BadInput
from eyechart.records import Report
from eyechart.report.charts import drawings_of
from eyechart.report.drawing import Drawing
from eyechart.report.entries import Entry, listing_of
from eyechart.report.figures import figures_of
from eyechart.report.markdown import report_markdown
from eyechart.report.page import report_page
from eyechart.report.printed import Printed, csv_text, latex_text
from eyechart.report.scatter import clouds_of, ratings_drawing
from eyechart.report.tables import tables_of

REPORT, COMPARISON = "report.html", "compare.html"
_FILES = "\n<!-- files: {} -->\n"
_FILES_NAMED = re.compile(rb"\n<!-- files: ([^>]*) -->\n\Z")
_REMOVED = re.compile(r"(tables/[\w-]+\.(csv|tex)|figures/[\w-]+\.(svg|png)|items\.csv)", re.ASCII)
"""Of an earlier page's files nothing else is ever removed."""


def write_report(report: Report, entries: Sequence[Entry], folder: Path) -> Path:
    """Write every form of the report; returns the path of `report.html`.

    Raises BadInput where the folder cannot be written.
    """
    with ThreadPoolExecutor(1) as beside:  # thumbnails are made while figures are drawn
        listing = beside.submit(listing_of, entries)
        clouds = clouds_of(entries)
        ratings = [ratings_drawing(clouds, report.model)] if clouds else []
        files = {
            **table_files(tables_of(report)),
            **figure_files([*figures_of(report), *ratings, *drawings_of(report.charts)]),
            "report.md": report_markdown(report, clouds).encode(),
        }
        page = report_page(report, listing.result(), clouds)
    return write_files(folder, files, page=REPORT, text=page)


def table_files(tables: Sequence[Printed]) -> dict[str, bytes]:
    """The CSV and LaTeX files of tables, by name under the folder."""
    files = {}
    for table in tables:
        files[f"tables/{table.name}.csv"] = csv_text(table).encode()
        files[f"tables/{table.name}.tex"] = latex_text(table).encode()
    return files


def figure_files(drawings: Sequence[Drawing]) -> dict[str, bytes]:
    """The SVG and PNG files of figures, by name under the folder."""
    files = {}
    for drawing in drawings:
        files[f"figures/{drawing.name}.svg"] = drawing.svg.encode()
        files[f"figures/{drawing.name}.png"] = drawing.png
    return files


def refuse_run_folder(folder: Path) -> None:
    """Raise BadInput where a folder holds a run, whose report must not be written over."""
    if (folder / "run.json").is_file():
        raise BadInput(f"{folder}: holds a run and its report; choose another folder with --out")


def write_files(folder: Path, files: Mapping[str, bytes], *, page: str, text: str) -> Path:
    """Write the files, then the `page` with its `text`, which names them; returns its path.

    Then removes what an earlier page of this name says was written with it and is no longer: only
    tables, figures and items.csv that no other page names, so that nothing of anybody else's goes.

    Raises BadInput where the folder cannot be written.
    """
    earlier = _named_by(folder / page)
    for name, data in files.items():
        _write(folder / name, data)
    _write(folder / page, (text.rstrip("\n") + _FILES.format(" ".join(sorted(files)))).encode())
    others = (_named_by(folder / name) for name in (REPORT, COMPARISON) if name != page)
    for name in earlier.difference(files, *others):
        with suppress(OSError):
            (folder / name).unlink()
    return folder / page


def _named_by(page: Path) -> set[str]:
    """The files that a page was written with, as far as they may be removed; none without one."""
    try:
        found = _FILES_NAMED.search(page.read_bytes())
    except OSError:
        return set()
    names = found[1].decode(errors="replace").split() if found else []
    return {name for name in names if _REMOVED.fullmatch(name)}


def _write(path: Path, data: bytes) -> None:
    """Write a file under a temporary name, then rename it, so that none is ever half written."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise BadInput(
            f"{path}: the report cannot be written ({error.strerror}); expected a folder with "
            "room that you may write to. Free some space or choose another with --out."
        ) from error

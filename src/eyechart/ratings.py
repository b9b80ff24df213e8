"""People's ratings as a table: one row for each value that a person gave.

In: a CSV file with the columns `item_id, rater, value, at, round`, or `Rating` records. Out: the
other of the two. The last two columns may be absent. Aggregates nothing.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import astuple, fields
from pathlib import Path

from eyechart.errors import BadInput
from eyechart.records import Rating

COLUMNS = tuple(field.name for field in fields(Rating))
NEEDED = COLUMNS[:3]


def read_ratings(file: Path | str) -> tuple[Rating, ...]:
    """The ratings of a CSV file, in its order.

    Raises BadInput with the file, line, column and what was expected of every bad row.
    """
    file = Path(file)
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            missing = [name for name in NEEDED if name not in (rows.fieldnames or ())]
            if missing:
                raise BadInput(f"{file}: no column {', '.join(missing)}; expected {COLUMNS}")
            read = [_rating(row, f"{file}:{rows.line_num}") for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{file}: not a readable CSV file ({error})") from None
    problems = [problem for problem in read if isinstance(problem, str)]
    if problems:
        raise BadInput(
            f"{len(problems)} bad rows; mend them and try again:\n" + "\n".join(problems)
        )
    return tuple(rating for rating in read if isinstance(rating, Rating))


def write_ratings(file: Path | str, ratings: Iterable[Rating]) -> None:
    """Write ratings as CSV, one row each."""
    with Path(file).open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(COLUMNS)
        rows.writerows(astuple(rating) for rating in ratings)


def _rating(row: dict[str, str], where: str) -> Rating | str:
    problems = [f"{where}: {name}: expected a text" for name in NEEDED[:2] if not row[name]]
    value, at_round = _number(row["value"]), _number(row.get("round") or "1")
    if value is None:
        problems.append(f"{where}: value: expected a finite number, not {row['value']!r}")
    if at_round is None or at_round < 1 or at_round != int(at_round):
        problems.append(f"{where}: round: expected 1, 2, …, not {row.get('round')!r}")
    if problems or value is None or at_round is None:
        return "\n".join(problems)
    return Rating(row["item_id"], row["rater"], value, row.get("at") or "", int(at_round))


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None

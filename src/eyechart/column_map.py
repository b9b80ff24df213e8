"""What a data set calls its columns and values, in a TOML file that a person writes.

In: such a file, and rows by the data set's names. Out: the same rows by ours. Knows no benchmark:
which names are ours is for its reader to say.

    [columns]                                # our name = theirs
    question = "prompt"
    options = ["choice_a", "choice_b", "choice_c", "choice_d"]
    image_source = "domain"

    [values.image_source]                    # their value = ours
    "photo" = "NIs"
    "cartoon" = "CGIs"

A column that is not named here keeps its name, and a value that is not listed stays as it is. A
list of columns becomes one list of their values, without empty ones at its end: an empty one before
another keeps its place. Values are those of our column, after `[columns]`; numbers, true and false
are written as texts (`"0"`, `"true"`).
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eyechart.errors import BadInput, UnknownName
from eyechart.rows import RowProblem

TABLES = ("columns", "values")
_LINE = re.compile(r"at line (\d+)")


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """`columns`: theirs by our name. `values`: our value by theirs, by our name of the column.

    >>> by = ColumnMap(Path("map.toml"), {"scope": "level"}, {"scope": {"0": "Global"}})
    >>> by.applied({"id": 7, "level": 0})
    {'id': 7, 'scope': 'Global'}
    """

    path: Path
    columns: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @staticmethod
    def read(path: Path, known: Collection[str]) -> ColumnMap:
        """The map in a file. `known`: our names.

        Raises BadInput where the file cannot be read or is no TOML (with its line), and with all
        of it that is not of the form above; for a name that is none of ours it offers the nearest.
        """
        tables = _tables(path)
        wrong = list(_wrong(tables, known))
        if wrong:
            told = "\n".join(f"  {one}" for one in wrong)
            raise BadInput(f"{path}: not a map of columns; mend it and try again:\n{told}")
        columns = {
            ours: tuple(theirs) if isinstance(theirs, list) else theirs
            for ours, theirs in tables.get("columns", {}).items()
        }
        return ColumnMap(path, columns, tables.get("values", {}))

    def applied(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row by our names and values; a column that was renamed is there by our name alone."""
        renamed = {name for theirs in self.columns.values() for name in _names(theirs)}
        named = {name: value for name, value in row.items() if name not in renamed}
        for ours, theirs in self.columns.items():
            named[ours] = row.get(theirs) if isinstance(theirs, str) else _listed(row, theirs)
        for ours, values in self.values.items():
            if ours in named:
                named[ours] = _meant(named[ours], values)
        return named

    def misses(self, columns: Collection[str]) -> tuple[RowProblem, ...]:
        """What of this map no row has. `columns`: every column of the data, by their names."""
        there = ", ".join(columns) or "nothing"
        missed = [
            RowProblem(
                str(self.path),
                f"[columns] {ours}",
                f"a column that the data have, not {name!r}; they have {there}",
            )
            for ours, theirs in self.columns.items()
            for name in _names(theirs)
            if name not in columns
        ]
        return (*missed, *self._missed_values(columns))

    def _missed_values(self, columns: Collection[str]) -> Iterator[RowProblem]:
        for ours in self.values:
            if ours not in columns and ours not in self.columns:
                expected = (
                    "a column that the data have under this name; if it is called otherwise there, "
                    f"say so in [columns]: {ours} = ..."
                )
                yield RowProblem(str(self.path), f"[values.{ours}]", expected)


def _names(theirs: str | tuple[str, ...]) -> tuple[str, ...]:
    return (theirs,) if isinstance(theirs, str) else theirs


def _listed(row: Mapping[str, Any], names: Collection[str]) -> list[Any] | None:
    """The values of these columns, in their order, up to the last there is; None without any."""
    found = [row.get(name) for name in names]
    n = max((place for place, value in enumerate(found, 1) if value is not None), default=0)
    return found[:n] or None


def _meant(value: Any, values: Mapping[str, str]) -> Any:
    """The value by our name; of a list each of its values."""
    if isinstance(value, list):
        return [_meant(one, values) for one in value]
    text = value.strip() if isinstance(value, str) else json.dumps(value, default=str)
    return values.get(text, value)


def _tables(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        return tomllib.loads(text)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror}); expected a TOML file") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not a text in UTF-8 ({error}); expected a TOML file") from None
    except tomllib.TOMLDecodeError as error:
        line = _LINE.search(str(error))
        number = line[1] if line else str(len(text.splitlines()))
        expected = 'expected TOML such as\n  [columns]\n  question = "prompt"'
        raise BadInput(f"{path}:{number}: not TOML ({error}); {expected}") from None


def _wrong(tables: Mapping[str, Any], known: Collection[str]) -> Iterator[str]:
    """Everything that is not of the form that the module describes, in words."""
    for name, table in tables.items():
        if name not in TABLES:
            yield str(UnknownName("table", name, TABLES))
        elif not isinstance(table, dict):
            yield f"[{name}]: expected a table of names, not {table!r:.80}"
        else:
            for ours, given in table.items():
                if ours not in known:
                    yield f"[{name}]: {UnknownName('column of ours', ours, known)}"
                yield from (
                    _wrong_column(ours, given) if name == "columns" else _wrong_values(ours, given)
                )


def _wrong_column(ours: str, theirs: Any) -> Iterator[str]:
    names = theirs if isinstance(theirs, list) else [theirs]
    if not names or not all(isinstance(name, str) and name for name in names):
        yield f"[columns] {ours}: expected a column's name or a list of them, not {theirs!r:.80}"


def _wrong_values(ours: str, values: Any) -> Iterator[str]:
    if not isinstance(values, dict):
        yield f'[values.{ours}]: expected lines such as "theirs" = "ours", not {values!r:.80}'
        return
    for theirs, mine in values.items():
        if not isinstance(mine, str):
            yield f'[values.{ours}] "{theirs}": expected a text, not {mine!r:.80}'

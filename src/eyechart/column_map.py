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
are written as texts (`"0"`, `"true"`). One column of theirs is two of ours only where `[values]`
says what its values mean for one of them.
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
        named = self._named(row)
        for ours, values in self.values.items():
            if ours in named:
                named[ours] = _meant(named[ours], values)
        return named

    def met(self, row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """The lines of values that a row has: our column, and their value.

        >>> by = ColumnMap(Path("map.toml"), values={"scope": {"0": "Global", "1": "Local"}})
        >>> list(by.met({"id": 7, "scope": 0}))
        [('scope', '0')]
        """
        named = self._named(row)
        for ours, values in self.values.items():
            yield from ((ours, text) for text in _texts(named.get(ours)) if text in values)

    def unmet(self, met: Collection[tuple[str, str]]) -> str:
        """A sentence on the lines of values that no row has, "" where there are none.

        `met`: those of all rows.
        """
        lines = [
            f'"{theirs}" of [values.{ours}]'
            for ours, values in self.values.items()
            for theirs in values
            if (ours, theirs) not in met
        ]
        return f"{self.path.name}: no row has {', '.join(lines)}." if lines else ""

    def misses(self, columns: Collection[str]) -> tuple[RowProblem, ...]:
        """What of this map no row has; the first one lists `columns`, all those of the data."""
        there = f"; they have {', '.join(columns) or 'nothing'}"
        missed = [*self._missed_columns(columns), *self._missed_values(columns)]
        return tuple(
            RowProblem(str(self.path), name, f"{expected}{'' if place else there}")
            for place, (name, expected) in enumerate(missed)
        )

    def _named(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row by our names, with the values that it has."""
        renamed = {name for theirs in self.columns.values() for name in _names(theirs)}
        named = {name: value for name, value in row.items() if name not in renamed}
        for ours, theirs in self.columns.items():
            named[ours] = row.get(theirs) if isinstance(theirs, str) else _listed(row, theirs)
        return named

    def _missed_columns(self, columns: Collection[str]) -> Iterator[tuple[str, str]]:
        for ours, theirs in self.columns.items():
            for name in _names(theirs):
                if name not in columns:
                    yield f"[columns] {ours}", f"a column that the data have, not {name!r}"

    def _missed_values(self, columns: Collection[str]) -> Iterator[tuple[str, str]]:
        for ours in self.values:
            if ours not in columns and ours not in self.columns:
                line = f'or a line in [columns]: {ours} = "its name there"'
                yield f"[values.{ours}]", f"a column that the data have under this name, {line}"


def _names(theirs: str | tuple[str, ...]) -> tuple[str, ...]:
    return (theirs,) if isinstance(theirs, str) else theirs


def _listed(row: Mapping[str, Any], names: Collection[str]) -> list[Any] | None:
    """The values of these columns, in their order, up to the last there is; None without any."""
    found = [row.get(name) for name in names]
    n = max((place for place, value in enumerate(found, 1) if value not in (None, "")), default=0)
    return found[:n] or None


def _meant(value: Any, values: Mapping[str, str]) -> Any:
    """The value by our name; of a list each of its values."""
    if isinstance(value, list):
        return [_meant(one, values) for one in value]
    (text,) = _texts(value)
    return values.get(text, value)


def _texts(value: Any) -> list[str]:
    """A value as `[values]` has it; of a list each of its values."""
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value.strip() if isinstance(value, str) else json.dumps(value, default=str)]


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
    there = {name: table for name, table in tables.items() if isinstance(table, dict)}
    for name, table in tables.items():
        if name not in TABLES:
            yield str(UnknownName("table", name, TABLES))
        elif name not in there:
            yield f"[{name}]: expected a table of names, not {table!r:.80}"
        else:
            for ours, given in table.items():
                yield from (
                    _wrong_column(ours, given) if name == "columns" else _wrong_values(ours, given)
                )
    yield from _unknown({name: there.get(name, {}) for name in TABLES}, known)
    yield from _taken_twice(there.get("columns", {}), there.get("values", {}))


def _unknown(tables: Mapping[str, Collection[str]], known: Collection[str]) -> Iterator[str]:
    """Names that are none of ours, each with the nearest; then all of ours, once."""
    wrong = [(name, ours) for name, table in tables.items() for ours in table if ours not in known]
    for name, ours in wrong:
        told, _, _ = str(UnknownName("column of ours", ours, known)).rpartition(" Known: ")
        yield f"[{name}]: {told}"
    if wrong:
        yield f"our columns are {', '.join(sorted(known))}"


def _taken_twice(columns: Mapping[str, Any], values: Collection[str]) -> Iterator[str]:
    """Columns of theirs that are two of ours, without `[values]` to tell what each makes of it."""
    by_theirs: dict[str, list[str]] = {}
    for ours, theirs in columns.items():
        names = theirs if isinstance(theirs, list) else [theirs]
        for name in dict.fromkeys(name for name in names if isinstance(name, str)):
            by_theirs.setdefault(name, []).append(ours)
    for theirs, several in by_theirs.items():
        if sum(ours not in values for ours in several) > 1:
            yield (
                f"[columns] {', '.join(several)}: expected a column for each, not {theirs!r} for "
                f"all of them; or say in [values.{several[-1]}] what its values mean there"
            )


def _wrong_column(ours: str, theirs: Any) -> Iterator[str]:
    names = theirs if isinstance(theirs, list) else [theirs]
    are_names = bool(names) and all(isinstance(name, str) and name for name in names)
    if not are_names or len(set(names)) < len(names):
        expected = "expected a column's name or a list of them, each once"
        yield f"[columns] {ours}: {expected}, not {theirs!r:.80}"


def _wrong_values(ours: str, values: Any) -> Iterator[str]:
    if not isinstance(values, dict):
        yield f'[values.{ours}]: expected lines such as "theirs" = "ours", not {values!r:.80}'
        return
    for theirs, mine in values.items():
        if not isinstance(mine, str):
            yield f'[values.{ours}] "{theirs}": expected a text, not {mine!r:.80}'

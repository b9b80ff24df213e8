"""People's answers as a table: one row for each value that a person gave to an item.

In: a CSV file with the columns `item_id, rater, value, at, round`, or `Rating` records. Out: the
other of the two. The last two columns may be absent; cells are parted by "," or, where the head is,
by ";". Beside the items a value may be what a person writes ("B", "A, C", "True", an option's
text). Aggregates nothing.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from eyechart.errors import BadInput
from eyechart.records import CLOSED_KINDS, JUDGED_KINDS, LETTERS, MOST_VERDICT, Item, Kind, Rating
from eyechart.rows import TRUTH, RowProblem

COLUMNS = tuple(field.name for field in fields(Rating))
NEEDED = COLUMNS[:3]
DELIMITERS = (",", ";")
BEYOND = "beyond the last column"
MANY_CELLS = """no more cells than columns; put several options in quotes, as in "A, C\""""
EXAMPLE = "  item_id,rater,value\n  q1,anna,B"
MOST_SHOWN = 20
Answer = str | tuple[str, ...] | bool | float


def read_ratings(file: Path | str, items: Iterable[Item] | None = None) -> tuple[Rating, ...]:
    """The ratings of a CSV file, in its order.

    With `items`, every rating must be an answer to one of them, and its value may be written as
    people do: an option's letter or text (single), several of them parted by "," or ";" (multiple),
    True or False (true_false); or as the number that `Rating` documents. Of several options that is
    a sum, which only counts as `write_ratings` writes it ("4.0" for C): a person's "4" may mean D.
    An open question has a verdict, 0 to 2 in steps of a half; a rating is any finite number.

    Raises BadInput with the file, line, item and what was expected of every bad row, up to 20 of
    them: bad values, unknown items, a person who answers an item twice in one round.
    """
    rows = _Rows(Path(file), None if items is None else {item.id: item for item in items})
    ratings = rows.read()
    rows.refuse_bad_ones(rows.unknown)
    return ratings


@dataclass(frozen=True, slots=True)
class PeoplesAnswers:
    """People's answers to some items; `n_others`: rows of the file about other items."""

    ratings: tuple[Rating, ...]
    n_others: int


def read_answers(file: Path | str, items: Iterable[Item]) -> PeoplesAnswers:
    """The answers of a CSV file to these items; rows about other items are counted.

    Raises BadInput as `read_ratings` does, where all rows are about other items, and without rows.
    """
    rows = _Rows(Path(file), {item.id: item for item in items})
    ratings = rows.read()
    rows.refuse_bad_ones({} if ratings else rows.unknown)
    if not ratings:
        raise BadInput(f"{file}: no answers in it; expected a row for each:\n{EXAMPLE}")
    return PeoplesAnswers(ratings, rows.n_unknown)


def _table(file: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows of a CSV file, each with its line. Raises BadInput where it is none."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            head = lines.readline()
            lines.seek(0)
            table = csv.DictReader(lines, restkey=BEYOND, delimiter=_delimiter(head))
            table.fieldnames = [name.strip() for name in table.fieldnames or ()]
            missing = [name for name in NEEDED if name not in table.fieldnames]
            if missing:
                raise BadInput(
                    f"{file}: no column {', '.join(missing)}; expected {', '.join(NEEDED)} in the "
                    f"first line, parted by ',' or ';', and an answer in each other:\n{EXAMPLE}"
                )
            return [(table.line_num, row) for row in table]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{file}: not a readable CSV file ({error})") from None


def _delimiter(head: str) -> str:
    """What parts the columns' names, and so all cells: ";" in many of Europe's spreadsheets."""

    def n_named(mark: str) -> int:
        names = next(csv.reader([head], delimiter=mark), ())
        return len(set(NEEDED) & {name.strip() for name in names})

    return max(DELIMITERS, key=n_named)


def write_ratings(file: Path | str, ratings: Iterable[Rating]) -> None:
    """Write ratings as CSV, one row each, with the values as numbers.

    What is written is read back the same, beside the items too, unless an option is called by
    another's number ("2.0").
    """
    with Path(file).open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(COLUMNS)
        rows.writerows((r.item_id, r.rater, float(r.value), r.at, r.round) for r in ratings)


def last_rounds(ratings: Iterable[Rating]) -> tuple[Rating, ...]:
    """Of each person's values for an item the one of the last round, as first met.

    Raises BadInput where a person has two values for an item in one round.

    >>> [r.value for r in last_rounds([Rating("1", "anna", 2, ""), Rating("1", "anna", 3, "", 2)])]
    [3]
    """
    last: dict[tuple[str, str], Rating] = {}
    seen: set[tuple[str, str, int]] = set()
    for rating in ratings:
        whose, key = (rating.item_id, rating.rater), (rating.item_id, rating.rater, rating.round)
        if key in seen:
            raise BadInput(
                f"item {rating.item_id}: {rating.rater} has two values in round {rating.round}; "
                "expected one; give a second look the next round"
            )
        seen.add(key)
        if whose not in last or last[whose].round < rating.round:
            last[whose] = rating
    return tuple(last.values())


def decoded(rating: Rating, item: Item) -> Answer:
    """What a person answered, in the form of `Item.answer`.

    The option's text (single), a tuple of them (multiple), True or False (true_false); the value
    itself for the other kinds. Raises BadInput where the value is no answer to this item.

    >>> item = Item("1", "multiple", "What ails it?", (), ("Blur", "Noise", "Haze"))
    >>> decoded(Rating("1", "anna", 5, ""), item)
    ('Blur', 'Haze')
    """
    value = rating.value
    if not _is_value(value, item):
        raise BadInput(
            f"item {item.id}: {rating.rater}'s value: expected {_expected(item)}, not {value!r}"
        )
    if item.kind == "single":
        return item.options[int(value) - 1]
    if item.kind == "multiple":
        return tuple(text for i, text in enumerate(item.options) if int(value) >> i & 1)
    return bool(value) if item.kind == "true_false" else value


def encoded(answer: Answer, item: Item) -> float:
    """The number for an answer in the form of `Item.answer`, as `Rating.value` documents it.

    The inverse of `decoded`. Raises BadInput where an option is not the item's.

    >>> encoded(("Blur", "Haze"), Item("1", "multiple", "?", (), ("Blur", "Noise", "Haze")))
    5.0
    """
    if not isinstance(answer, (str, tuple)):
        return float(answer)
    texts = (answer,) if isinstance(answer, str) else answer
    strange = [text for text in texts if text not in item.options]
    if strange:
        raise BadInput(f"item {item.id}: {strange[0]!r} is none of its options {item.options!r}")
    places = [item.options.index(text) for text in texts]
    return float(places[0] + 1 if item.kind == "single" else sum(2**place for place in places))


def letters(answer: Answer, item: Item) -> str:
    """An answer to a closed question as reports name it: "B", "A, C", "True".

    >>> letters("Noise", Item("1", "single", "?", (), ("Blur", "Noise")))
    'B'
    """
    if not isinstance(answer, (str, tuple)):
        return str(answer)
    texts = (answer,) if isinstance(answer, str) else answer
    return ", ".join(LETTERS[i] for i, text in enumerate(item.options) if text in texts)


class _Rows:
    """Reads row after row, and keeps what is wrong with any of them."""

    def __init__(self, file: Path, items: Mapping[str, Item] | None) -> None:
        self._file, self._items = file, items
        self._problems: list[str] = []
        self._n_bad = 0
        self.unknown: dict[str, int] = {}
        self.n_unknown = 0
        self._seen: dict[tuple[str, str, int], int] = {}

    def read(self) -> tuple[Rating, ...]:
        """The ratings of all rows that are good."""
        found = (self._rating(row, line) for line, row in _table(self._file))
        return tuple(rating for rating in found if rating is not None)

    def _rating(self, row: Mapping[str, str | None], line: int) -> Rating | None:
        """The rating of a row; None where it is bad."""
        name, rater = row["item_id"] or "", row["rater"] or ""
        item = self._items.get(name) if self._items is not None else None
        if name and self._items is not None and item is None:
            self.unknown.setdefault(name, line)
            self.n_unknown += 1
            return None
        value, at_round = _value(row["value"] or "", item), _number(row.get("round") or "1")
        named = {"item_id": name, "rater": rater}
        problems = [(column, "a text") for column, text in named.items() if not text]
        if any(row.get(BEYOND) or ()):
            problems.append(("row", MANY_CELLS))
        if isinstance(value, str):
            problems.append(("value", value))
        if at_round is None or at_round < 1 or at_round != int(at_round):
            problems.append(("round", f"1, 2, …, not {row.get('round')!r}"))
        elif not problems:
            first = self._seen.setdefault((name, rater, int(at_round)), line)
            if first != line:
                again = f"one value of {rater} for each item and round; line {first} has another"
                problems.append(("rater", again))
        if problems or isinstance(value, str) or at_round is None:
            self._told(problems, f"{line} (item {name})" if name else str(line))
            return None
        return Rating(name, rater, value, row.get("at") or "", int(at_round))

    def refuse_bad_ones(self, unknown: Mapping[str, int]) -> None:
        """Raise BadInput with all that is wrong, `unknown` items (each at its line) included."""
        problems = [*self._unknown_told(unknown), *self._problems]
        if not problems:
            return
        n_bad = self._n_bad + (self.n_unknown if unknown else 0)
        shown = "\n".join(f"  {problem}" for problem in problems[:MOST_SHOWN])
        more = len(problems) - MOST_SHOWN
        rest = f"\n  … and {more} more" if more > 0 else ""
        raise BadInput(
            f"{n_bad} bad row{'s'[: n_bad - 1]}; mend them and try again:\n{shown}{rest}"
        )

    def _told(self, problems: Iterable[tuple[str, str]], where: str) -> None:
        self._n_bad += 1
        for column, expected in problems:
            self._problems.append(str(RowProblem(f"{self._file}:{where}", column, expected)))

    def _unknown_told(self, unknown: Mapping[str, int]) -> Iterator[str]:
        if unknown:
            named = [f"{name!r} (line {line})" for name, line in unknown.items()]
            listed = ", ".join(named[:MOST_SHOWN])
            more = len(named) - MOST_SHOWN
            rest = f" and {more} more" if more > 0 else ""
            known = f"ids of the {len(self._items or {})} items"
            yield str(RowProblem(str(self._file), "item_id", f"{known}, not {listed}{rest}"))


def _value(text: str, item: Item | None) -> float | str:
    """The number that a cell stands for, or what was expected in its place."""
    if item is None or item.kind not in CLOSED_KINDS:
        number = _number(text)
        fits = number is not None and (item is None or _is_value(number, item))
        expected = _expected(item) if item else "a finite number"
        return number if number is not None and fits else f"{expected}, not {text!r}"
    found = READERS[item.kind](text.strip(), item)
    if len(found) == 1:
        return found.pop()
    if not found:
        return f"{_wanted(text.strip(), item)}, not {text!r}"
    both = " and ".join(letters(decoded(Rating("", "", v, ""), item), item) for v in sorted(found))
    return f"what fits one answer; {text!r} fits {both}: write the number, as in {min(found):.1f}"


def _one(text: str, item: Item) -> set[float]:
    """The numbers of the options that a letter or a text may mean."""
    same = [i for i, option in enumerate(item.options) if option.strip() == text]
    folded = _folded(text)
    found = same or [i for i, option in enumerate(item.options) if _folded(option) == folded]
    for place, option in enumerate(item.options):
        letter = LETTERS[place]
        alone = re.fullmatch(rf"\(?{letter}[.)]?", text, re.IGNORECASE)
        both = re.fullmatch(rf"\(?{letter}[.):]\s*(.+)", text, re.IGNORECASE)
        if alone or (both and _folded(both[1]) == _folded(option)):
            found.append(place)
    return {float(i + 1) for i in found}


def _single(text: str, item: Item) -> set[float]:
    return _one(text, item) | _whole(text, item)


def _several(text: str, item: Item) -> set[float]:
    """The sums that the text may mean: of one option, of letters in a row ("AC"), or of options
    parted by ";", or else ",".
    """
    found = {2.0 ** (place - 1) for place in _one(text, item)}
    known = LETTERS[: len(item.options)]
    if len(text) > 1 and len(set(text)) == len(text) and set(text) <= set(known):
        found.add(sum(2.0 ** known.index(letter) for letter in text))
    parts = [part.strip() for part in text.split(";" if ";" in text else ",")]
    each = [_one(part, item) for part in parts if part]
    if len(parts) > 1 and each and all(each):
        doubtful = next((one for one in each if len(one) > 1), None)
        chosen = {place for one in each for place in one}
        sums = [2.0 ** (place - 1) for place in doubtful or chosen]
        found |= set(sums) if doubtful else {sum(sums)}
    return found | (_whole(text, item) if re.fullmatch(r"\d+\.0", text, re.ASCII) else set())


def _truth(text: str, item: Item) -> set[float]:
    known = {**TRUTH, "t": True, "f": False}
    said = known.get(text.lower())
    return {float(said)} if said is not None else _whole(text, item)


READERS: Mapping[Kind, Callable[[str, Item], set[float]]] = {
    "single": _single,
    "multiple": _several,
    "true_false": _truth,
}


def _whole(text: str, item: Item) -> set[float]:
    """The number as it is documented, where it is one."""
    number = _number(text)
    return {number} if number is not None and _is_value(number, item) else set()


def _wanted(text: str, item: Item) -> str:
    """What was expected in place of a text that is no answer to the item."""
    if item.kind == "multiple" and re.fullmatch(r"\d+", text, re.ASCII) and _whole(text, item):
        return f"letters, or {float(text)} for the sum"
    return _expected(item)


def _is_value(value: float, item: Item) -> bool:
    """Whether a number stands for an answer to the item."""
    if item.kind == "rate" or not math.isfinite(value):
        return math.isfinite(value)
    if item.kind in JUDGED_KINDS:
        return 0 <= value <= MOST_VERDICT and 2 * value == int(2 * value)
    n = len(item.options)
    low, high = {"single": (1, n), "multiple": (1, 2**n - 1)}.get(item.kind, (0, 1))
    return value == int(value) and low <= value <= high


def _expected(item: Item) -> str:
    """What may stand as a value for the item, in words."""
    ends = f"A to {LETTERS[len(item.options) - 1]}" if item.options else ""
    words: dict[Kind, str] = {
        "single": f"a letter from {ends} or an option's text",
        "multiple": f"letters from {ends} or options' texts, parted by ';' or ','",
        "true_false": "True or False",
        "rate": "a finite number",
    }
    return words.get(item.kind, f"a verdict from 0 to {MOST_VERDICT} in steps of a half")


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None

"""What letters stand for: the options of an item, those that were chosen, and its pictures' names.

In: an item, and a choice as replies are read ("B", "A, C", "True"). Out: texts, uncut for files or
shortened for a page. Escapes nothing.
"""

from __future__ import annotations

from eyechart.records import LETTERS, Item
from eyechart.report.formatting import one_line

APART = " | "
MOST_OPTION, MOST_OPTIONS = 40, 72
"""The most characters of one option on a page, and of all that are chosen together."""


def pictures_told(item: Item) -> str:
    """The names of the item's pictures; "" without any."""
    return APART.join(picture.label for picture in item.images)


def options_told(item: Item) -> str:
    """Every option behind its letter; "" where an item has none.

    >>> options_told(Item("1", "single", "?", (), ("Blur", "Noise")))
    'A. Blur | B. Noise'
    """
    return APART.join(f"{LETTERS[i]}. {text}" for i, text in enumerate(item.options))


def texts_of(item: Item, choice: str) -> str:
    """The texts of the options that are chosen; "" where the choice is not of letters.

    >>> texts_of(Item("1", "multiple", "?", (), ("Blur", "Noise", "Haze")), "A, C")
    'Blur | Haze'
    """
    return APART.join(item.options[place] for place in _places(item, choice))


def choice_told(item: Item, choice: str) -> str:
    """A choice for a page: letters with their texts, shortened; as it is where it has none.

    >>> item = Item("1", "multiple", "?", (), ("Blur", "Noise", "Haze"))
    >>> choice_told(item, "A, C"), choice_told(Item("2", "true_false", "?", ()), "True")
    ('A. Blur | C. Haze', 'True')
    """
    places = _places(item, choice)
    most = min(MOST_OPTION, MOST_OPTIONS // max(len(places), 1))
    told = (f"{LETTERS[i]}. {one_line(item.options[i], most)}" for i in places)
    return APART.join(told) or choice


def _places(item: Item, choice: str) -> list[int]:
    """The places of the options with these letters; none where any of them is no option's."""
    letters = choice.split(", ") if choice else []
    known = LETTERS[: len(item.options)]
    if not all(len(letter) == 1 and letter in known for letter in letters):
        return []
    return [known.index(letter) for letter in letters]

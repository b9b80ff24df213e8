"""The image quality databases that are known by name, and what is peculiar to each.

In: a name or a file's stem. Out: a `Database`: how many images it has, how it is divided, which
images are not independent. Reads no files.

Counts are those of the lists that Q-Bench released (arXiv 2309.14181, `a3_iqa_databases`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Database:
    """A database of images with mean opinion scores (MOS).

    `counts`: numbers of images that a whole copy has, the released list's first; empty where
    nothing is known. `aliases`: further names, lower case. `mos_low`, `mos_high`: the scale that
    people rated on, None where we know of none; `scale_source` says who tells. `half`: images in
    the first of two halves that are correlated apart, 0 where there are no halves. `reference`: a
    pattern of file names whose first group names the photograph that an image was made from.
    """

    name: str
    counts: tuple[int, ...] = ()
    aliases: tuple[str, ...] = ()
    mos_low: float | None = None
    mos_high: float | None = None
    scale_source: str = ""
    half: int = 0
    reference: str = ""


# In the order of the leaderboard's columns.
DATABASES = (
    Database(
        "SPAQ",
        (11_125,),
        ("spag",),  # the file's name in Q-Bench's table
        0,
        100,
        "Fang et al. 2020, CVPR: a slider from 0 to 100",
    ),
    Database(
        "KonIQ-10k",
        (10_073,),
        ("koniq", "koniq10k"),
        1,
        5,
        "Hosu et al. 2020, arXiv 1910.06180: five categories, 1 to 5",
    ),
    Database(
        "LIVE-FB",
        (39_810,),
        ("flive", "livefb", "paq2piq"),
        0,
        100,
        "Ying et al. 2020, arXiv 1912.10088: a slider from 0 to 100",
    ),
    Database(
        "LIVE-itw",
        (1_169, 1_162),
        ("livec", "liveitw", "clive", "live-challenge"),
        0,
        100,
        "Ghadiyaram and Bovik 2016, arXiv 1511.02919: a slider from 0 to 100",
    ),
    Database("CGIQA-6K", (6_000,), ("cgi", "cgiqa", "cgiqa6k"), half=3_000),
    Database("AGIQA-3K", (2_982,), ("agi", "agiqa", "agiqa3k")),
    Database(
        "KADID-10K",
        (10_125,),
        ("kadid", "kadid10k"),
        1,
        5,
        "Lin et al. 2019, QoMEX: degradation categories, 1 to 5",
        reference=r"(I\d+)_\d+_\d+",
    ),
)
_REMARKS = {
    "LIVE-itw": "the literature's 1,162 leave out 7 training images that Q-Bench's list holds",
}


def known(name: str) -> Database | None:
    """The known database of this name or alias, in any case; None for any other.

    >>> known("flive").name, known("koniq-10K").name, known("mine")
    ('LIVE-FB', 'KonIQ-10k', None)
    """
    wanted = name.strip().lower()
    return next((d for d in DATABASES if wanted in (d.name.lower(), *d.aliases)), None)


def named(name: str) -> Database:
    """The known database of this name, or a new one of which nothing is known but its name."""
    return known(name) or Database(name.strip())


def order_of(name: str) -> tuple[int, str]:
    """Sorts databases as the leaderboard does; unknown ones follow by name.

    >>> sorted(["mine", "KADID-10K", "SPAQ"], key=order_of)
    ['SPAQ', 'KADID-10K', 'mine']
    """
    names = [database.name for database in DATABASES]
    return (names.index(name) if name in names else len(names), name)


def halves(database: Database, places: Sequence[int]) -> tuple[list[int], ...]:
    """Which records are correlated apart: all together, or those of each half that has any.

    `places`: where each record stands in the whole list, from 0. Those behind the second half count
    for nothing, as in the published evaluation.

    >>> halves(known("cgi"), [1, 2_999, 3_000, 6_000])
    ([0, 1], [2])
    >>> halves(known("agi"), [0, 2, 2_981])
    ([0, 1, 2],)
    """
    if not database.half:
        return ([*range(len(places))],)
    parts = ([n for n, at in enumerate(places) if at // database.half == half] for half in (0, 1))
    return tuple(part for part in parts if part)


def half_name(database: Database, index: int) -> str:
    """Which half a record at this place of the list is in: `first`, `second`; "" without halves.

    >>> half_name(known("cgi"), 3_000)
    'second'
    """
    if not database.half:
        return ""
    return "first" if index < database.half else "second"


def reference_of(database: Database, name: str) -> str:
    """The photograph that an image was made from, by its file name; "" where each is its own.

    The 125 versions of one photograph in KADID-10K are not independent, so that intervals resample
    photographs, not images.

    >>> reference_of(known("kadid"), "images/I01_04_05.png")
    'I01'
    """
    if not database.reference:
        return ""
    found = re.fullmatch(database.reference, name.rpartition("/")[2].rpartition(".")[0])
    return found[1] if found else ""


def clusters_of(database: Database, names: Sequence[str]) -> list[str] | None:
    """Which images are not independent: those of one reference, and repeats of one image.

    None where each image is on its own.
    """
    groups = [reference_of(database, name) or name for name in names]
    return groups if len(set(groups)) < len(groups) else None


def list_notes(database: Database, n_images: int) -> list[str]:
    """What a reader must know of a list of so many images of the database."""
    notes = [count_note(database, n_images)]
    if database.half:
        notes.append(
            f"{database.name}: two halves of {database.half:,} in the order of its list (games, "
            "then films), correlated apart and then averaged, as published."
        )
    return [note for note in notes if note]


def count_note(database: Database, n_images: int) -> str:
    """What a reader must know of the number of images; "" where it is as published.

    >>> count_note(known("agi"), 100)
    'AGIQA-3K: 100 of 2,982 images; figures of a part are not those of the whole.'
    >>> count_note(known("livec"), 1_162)
    "LIVE-itw: the literature's 1,162 leave out 7 training images that Q-Bench's list holds."
    """
    if not database.counts or n_images == database.counts[0]:
        return ""
    name, remark = database.name, _REMARKS.get(database.name, "")
    if n_images in database.counts:
        return f"{name}: {remark}."
    aside = f" ({remark})" if remark else ""
    if n_images > database.counts[0]:
        told = f"{n_images:,} images where {database.counts[0]:,} are expected{aside}"
        return f"{name}: {told}; is this another database?"
    whole = min(count for count in database.counts if count > n_images)
    told = f"{n_images:,} of {whole:,} images{aside}"
    return f"{name}: {told}; figures of a part are not those of the whole."

"""`eyechart power`: the smallest difference between two models that a benchmark's parts can show.

In: a benchmark with published sizes, items, or run folders. Out: a `PowerReport`: a table with a
line for each part, and sentences; printed, or as a page in a folder. Asks no model.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from eyechart.errors import BadInput
from eyechart.metrics.power import ACCURACY, out_of_range
from eyechart.power.parts import Part, Taken, decimal, parts_of, points, power_table, taken_of
from eyechart.power.sizes import PowerSettings, Sized, sizes_of, sizes_of_runs
from eyechart.records import Table
from eyechart.report.formatting import facet_name, number, plural, whole

__all__ = [
    "Part",
    "PowerReport",
    "PowerSettings",
    "Sized",
    "Taken",
    "power_of",
    "power_table",
    "sizes_of",
    "sizes_of_runs",
]
HOW = (
    "A difference shows where a two-sided test at {alpha:g} % finds it in {power:g} of 100 trials. "
    "Paired: both models answer the same questions, exact McNemar. Unpaired: each has questions of "
    "its own, z test of two proportions."
)
OF_ONE_PAIR = "This is of one pair of models; where many are compared at once, Holm asks for more."
ESTIMATE_THEM = (
    "Name two or more run folders of the same questions to have what is assumed estimated."
)
SAME = "that answer the same ones"
EVERY_PART = "Every part shows a difference of 20 points."
ASKED = ("accuracy", "correlation", "power", "alpha")


@dataclass(frozen=True, slots=True)
class PowerReport:
    """What a benchmark's parts can show; `targets`: what was asked about."""

    sized: Sized
    taken: Taken
    parts: tuple[Part, ...]
    headline: str
    notes: tuple[str, ...]
    targets: tuple[str, ...]

    @property
    def table(self) -> Table:
        """The parts as a table."""
        return power_table(self.sized.sizes, self.taken)

    def records(self) -> list[dict[str, object]]:
        """A flat record for each part, differences as fractions, for `--json`.

        `shows_20_points` is None where models of this accuracy cannot differ by so much.
        """
        taken = {name: getattr(self.taken, name) for name in ASKED}
        return [
            {
                **dataclasses.asdict(part),
                "shows_20_points": not part.is_coarse if self.taken.has_coarse else None,
                **taken,
            }
            for part in self.parts
        ]


def power_of(targets: Sequence[str | Path], settings: PowerSettings | None = None) -> PowerReport:
    """The smallest differences that these targets can show.

    One target: a benchmark's name, an item folder, Parquet or a run folder. Two or more run folders
    of the same questions: accuracy and correlation are then estimated from their scores.

    Raises BadInput where several targets are not all runs or share no marked question, where a
    benchmark's sizes are not known without its data, where nothing is right or wrong, for settings
    out of range, and for data or columns that the targets cannot have; UnknownName for a name that
    no benchmark has.
    """
    settings = settings or PowerSettings()
    _refuse_absurd(settings)
    names = tuple(map(str, targets))
    sized = sizes_of(names[0], settings) if len(names) == 1 else sizes_of_runs(names, settings)
    taken = taken_of(sized, settings)
    parts = parts_of(sized.sizes, taken)
    return PowerReport(
        sized=sized,
        taken=taken,
        parts=parts,
        headline=_headline(parts, taken),
        notes=(*_how(taken, sized), *sized.notes, OF_ONE_PAIR),
        targets=names,
    )


def _refuse_absurd(settings: PowerSettings) -> None:
    """Raise BadInput for settings out of range, before any data are read."""
    wrong = out_of_range(
        accuracy=ACCURACY if settings.accuracy is None else settings.accuracy,
        correlation=settings.correlation,
        power=settings.power,
        alpha=settings.alpha,
    )
    if wrong:
        raise BadInput(f"--{wrong}")


def _how(taken: Taken, sized: Sized) -> Iterator[str]:
    yield HOW.format(alpha=100 * taken.alpha, power=100 * taken.power)
    yield (
        f"The two models' mean accuracy is {number(taken.accuracy)} % ({taken.accuracy_from}), the "
        f"correlation of their marks on the same questions {decimal(taken.correlation)} "
        f"({taken.correlation_from})."
    )
    if not taken.has_coarse:
        yield (
            f"Two models of that mean accuracy differ by at most {points(taken.largest)} points: "
            "a larger difference cannot exist."
        )
    if not sized.models and "assumed" in (taken.accuracy_from, taken.correlation_from):
        yield ESTIMATE_THEM


def _headline(parts: Sequence[Part], taken: Taken) -> str:
    """What the whole shows, what its smallest part shows, and how many parts show little."""
    largest = max(parts, key=lambda part: part.n)
    rest = [part for part in parts if part.value and part is not largest]
    sentences = [_whole_told(largest)]
    if rest:
        sentences.append(_part_told(min(rest, key=lambda part: part.n)))
        sentences.append(_coarse_told(rest, taken))
    return " ".join(sentences)


def _whole_told(part: Part) -> str:
    which = f"the {_questions(part)}" if part.value else f"all {plural(part.n, 'question')}"
    unpaired = f"one of {number(part.unpaired)} points where each has its own"
    if part.paired is not None:
        also = f", and {unpaired}" if part.unpaired else ""
        return (
            f"Over {which} a difference of {number(part.paired)} points shows between two models "
            f"{SAME}{also}."
        )
    if part.unpaired:
        return f"Over {which} no difference shows between two models {SAME}, but {unpaired}."
    return f"Over {which} no difference between two models shows."


def _part_told(part: Part) -> str:
    if part.paired is None:
        paired = f" between two {SAME}" if part.unpaired else ""
        return f"Over the {_questions(part)} none shows{paired}."
    return f"Over the {_questions(part)} none under {number(part.paired)} points shows."


def _coarse_told(parts: Sequence[Part], taken: Taken) -> str:
    """How many of the parts are coarse, or that none is."""
    n_coarse = sum(part.is_coarse for part in parts)
    show = f"{whole(n_coarse)} of {plural(len(parts), 'part')} show{'s' * (n_coarse == 1)}"
    if taken.has_coarse:
        return f"{show} nothing under 20 points." if n_coarse else EVERY_PART
    most = f"over {points(taken.largest)} points can exist"
    if n_coarse:
        return f"{show} no difference on the same questions; at this accuracy none {most}."
    return f"At this accuracy no difference {most}, and every part shows one that can."


def _questions(part: Part) -> str:
    facet = f" ({facet_name(part.facet)})" if part.facet else ""
    return f"{plural(part.n, 'question')} of {part.label}{facet}"

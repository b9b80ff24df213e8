"""The smallest difference that each part of a benchmark can show.

In: sizes, and what is given or known of the models. Out: `Part`s, and the table of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eyechart.errors import BadInput
from eyechart.metrics.arrays import Floats
from eyechart.metrics.power import ACCURACY, ALPHA, COARSE, CORRELATION, POWER, smallest_difference
from eyechart.power.sizes import PowerSettings, Sized, Sizes
from eyechart.records import Column, Estimate, Line, Table
from eyechart.report.formatting import facet_name, facet_value, heading, plural

SHARED_HEAD = "Smallest difference"
ROUNDING = 1e-9
COARSE_WORDS = f"shows nothing under {100 * COARSE:.0f} points"


@dataclass(frozen=True, slots=True)
class Taken:
    """What the differences are computed with, and where accuracy and correlation come from."""

    accuracy: float = ACCURACY
    correlation: float = CORRELATION
    power: float = POWER
    alpha: float = ALPHA
    accuracy_from: str = "assumed"
    correlation_from: str = "assumed"

    @property
    def largest(self) -> float:
        """The largest difference that two models of this mean accuracy can have, in (0, 1].

        >>> Taken(accuracy=0.75).largest
        0.5
        """
        return 2 * min(self.accuracy, 1 - self.accuracy)

    @property
    def has_coarse(self) -> bool:
        """Two models of this mean accuracy can differ by 20 points."""
        return self.largest > COARSE - ROUNDING


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a benchmark: the items whose `facet` has `value` ("" = all items).

    `unpaired`, `paired`: the smallest difference that its n items show, in (0, 1]; None where they
    show none.
    """

    facet: str
    value: str
    n: int
    unpaired: float | None
    paired: float | None

    @property
    def is_coarse(self) -> bool:
        """It shows no difference of 20 points even where both models answer the same questions.

        Where so large a one cannot be: none at all.
        """
        return self.paired is None or self.paired > COARSE

    @property
    def label(self) -> str:
        """The part for people; of a pair of facets (`kind/scope`) both values."""
        facets, values = self.facet.split("/"), self.value.split("/")
        if len(facets) != len(values):
            return facet_value(self.facet, self.value)
        return "/".join(map(facet_value, facets, values)) or "All questions"


def power_table(sizes: Sizes, taken: Taken | None = None) -> Table:
    """A line for each part, in order: its n and the smallest differences, grouped by facet.

    >>> power_table({"scope": {"Local": 18}}).lines[0].entries[-1]
    'shows nothing under 20 points'
    """
    taken = taken or Taken()
    return Table(
        name="power",
        title="The smallest difference between two models that shows",
        columns=(
            Column("n", "count"),
            Column("unpaired", "percent", 1, SHARED_HEAD),
            Column("paired", "percent", 1, SHARED_HEAD),
            Column("remark"),
        ),
        lines=tuple(_line(part, taken) for part in parts_of(sizes, taken)),
        label="Questions",
    )


def parts_of(sizes: Sizes, taken: Taken) -> tuple[Part, ...]:
    """Every part with what it shows, in the order of `sizes`."""
    return tuple(
        Part(facet, value, n, _shown(n, taken, None), _shown(n, taken, taken.correlation))
        for facet, values in sizes.items()
        for value, n in values.items()
    )


def remark_of(part: Part, taken: Taken) -> str:
    """What to know of a part that shows little; "" for others.

    >>> remark_of(Part("", "", 9, None, None), Taken(accuracy=0.99))
    'shows nothing where paired; over 2 points cannot exist'
    """
    if not part.is_coarse:
        return ""
    if taken.has_coarse:
        return COARSE_WORDS
    return f"shows nothing where paired; over {points(taken.largest)} points cannot exist"


def points(difference: float) -> str:
    """A difference in points, to three digits.

    >>> points(0.002), points(0.19)
    ('0.2', '19')
    """
    return f"{100 * difference:.3g}"


def taken_of(sized: Sized, settings: PowerSettings) -> Taken:
    """What was given, else what the runs say, else what is assumed."""
    accuracy, accuracy_from = settings.accuracy, "given"
    if accuracy is None:
        accuracy, accuracy_from = _accuracy(sized)
    correlation, correlation_from = settings.correlation, "given"
    if correlation is None:
        correlation, correlation_from = _correlation(sized.marks)
    return Taken(
        accuracy, correlation, settings.power, settings.alpha, accuracy_from, correlation_from
    )


def _accuracy(sized: Sized) -> tuple[float, str]:
    if not sized.marks.size:
        return ACCURACY, "assumed"
    found = float(sized.marks.mean())
    if not 0 < found < 1:
        every = "right" if found else "wrong"
        raise BadInput(
            f"{', '.join(sized.models)}: every answer is {every}, from which no accuracy of two "
            "models that differ can be estimated; give one with --accuracy"
        )
    return found, f"the mean of {plural(len(sized.models), 'run')}"


def _correlation(marks: Floats) -> tuple[float, str]:
    """The mean over pairs of runs; a run whose marks are all the same has none."""
    varied = marks[np.ptp(marks, axis=1) > 0] if marks.size else marks
    if len(varied) < 2:
        return CORRELATION, "assumed"
    every = np.asarray(np.corrcoef(varied))
    found = every[np.triu_indices(len(varied), k=1)].clip(-1, 1)
    told = f"the mean over {plural(found.size, 'pair')} of runs"
    spread = f", {decimal(found.min())} to {decimal(found.max())}" if found.size > 1 else ""
    return float(found.mean()), told + spread


def decimal(value: float) -> str:
    """A correlation for people.

    >>> decimal(-0.25)
    '−0.25'
    """
    return f"{value:.2f}".replace("-", "−")


def _shown(n: int, taken: Taken, correlation: float | None) -> float | None:
    return smallest_difference(
        n,
        accuracy=taken.accuracy,
        correlation=correlation,
        power=taken.power,
        alpha=taken.alpha,
    )


def _line(part: Part, taken: Taken) -> Line:
    group = heading(facet_name(part.facet)) if part.facet else ""
    # n is 0: the entries are no figures of n items that would be greyed for being few.
    entries = [Estimate(v, None, None, 0) for v in (part.n, part.unpaired, part.paired)]
    return Line(part.label, (*entries, remark_of(part, taken)), group=group)

"""What is seen: severity curves by setting and by distortion.

In: `Curve`s. Out: the same curves in groups. Nothing is computed or drawn here.
"""

from __future__ import annotations

from collections.abc import Iterable

from eyechart.records import Curve


def sees(curve: Curve) -> bool:
    """The distortion is seen at some tested severity, and the interval's end is tested too."""
    t = curve.threshold
    is_open = t.low is not None and t.high is None
    return t.value is not None and not is_open


def by_setting(curves: Iterable[Curve]) -> dict[str, list[Curve]]:
    """The curves of each setting, both in the order in which they come."""
    found: dict[str, list[Curve]] = {}
    for curve in curves:
        found.setdefault(curve.setting, []).append(curve)
    return found


def by_distortion(series: Iterable[Iterable[Curve]]) -> list[list[Curve | None]]:
    """For each distortion that any series has: one curve of each series, None where it lacks it."""
    found = [{curve.name: curve for curve in curves} for curves in series]
    names = dict.fromkeys(name for curves in found for name in curves)
    return [[curves.get(name) for curves in found] for name in names]


def first(curves: Iterable[Curve | None]) -> Curve:
    """The first curve that is there."""
    return next(curve for curve in curves if curve is not None)

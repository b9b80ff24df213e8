"""The 4-parameter logistic curve that maps predictions to the unit of people's scores.

In: predictions and targets. Out: the `Logistic` that fits them best by least squares, or None; and
for many weightings of the same items at once, how well each one's own best curve fits (`climb`).
Draws no resamples.

The curve's height and offset are those of a linear regression on its shape s(a x + c), so only a
and c are searched for: Gauss-Newton steps on what is left of the squared residuals (variable
projection, Kaufman 1975, BIT 15: 49-57), damped after Levenberg and Marquardt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eyechart.metrics.arrays import Floats, paired

N_PARAMETERS = 4
MOST_BINS = 512
# Slopes for standardised predictions, each with its middle at their mean. The first is the usual
# start, a quarter of the standard deviation wide; a third is nearly straight over all predictions.
STARTS = (4.0, 1.0)
_NEARLY_STRAIGHT = 0.25
_MOST_STEPS = 300
_STEEPNESS = (1e-3, 1e3)
_LEAST_BEYOND = -1 + 1e-8  # -1 is an exponential, whose middle would be infinitely far away
_LONGEST = 0.7  # share of the steepness by which one step may change it
_FLAT, _TINY = 1e-26, 1e-300
_LARGEST_EXPONENT = 700.0

Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Logistic:
    """f(x) = (b1 - b2) / (1 + exp(-(x - b3) / |b4|)) + b2; `b4` > 0.

    It rises from `b2` to `b1`, or falls where b1 < b2. Where the data show only one bend, or none,
    the asymptotes and `b3` lie far outside them, and the curve over the data is an exponential's or
    a straight line's.
    """

    b1: float
    b2: float
    b3: float
    b4: float

    def __call__(self, predictions: ArrayLike) -> Floats:
        """The curve at each prediction, in the unit of the targets.

        >>> Logistic(b1=5.0, b2=1.0, b3=0.5, b4=0.1)([0.5])
        array([3.])
        """
        u = (np.asarray(predictions, dtype=np.float64) - self.b3) / self.b4
        if abs(self.b1) < abs(self.b2):  # measured from the asymptote that is nearer the data
            return np.asarray(self.b1 + (self.b2 - self.b1) * _shape(-u, 1))
        return np.asarray(self.b2 + (self.b1 - self.b2) * _shape(u, 1))


@dataclass(frozen=True, slots=True)
class Fits:
    """Where each weighting's search ended [weightings].

    `a`, `c`: the curve's shape 1 / (1 + exp(-(a x + c))) in standardised predictions. `gain`: by
    how much the curve lowers the weighted sum of squared residuals from that about the mean; NaN
    where it has none. `settled`: False where the search ran out of steps.
    """

    a: Floats
    c: Floats
    gain: Floats
    settled: NDArray[np.bool_]


def fit_logistic(predictions: ArrayLike, targets: ArrayLike) -> Logistic | None:
    """The curve with the least squared residuals from the targets; arrays [items].

    The search starts from the usual point and from two wider curves, and the best end is kept: no
    worse than a straight line. A falling curve is as good as a rising one. None for fewer than five
    items, where either side is constant, and where the search does not settle.
    Raises BadInput where a value is not finite or the lengths differ.

    VQEG 2003 (FR-TV phase II), and Sheikh, Sabir and Bovik 2006, IEEE Trans. Image Process. 15:
    3440-3451, fit the same curve (the latter with a fifth, linear term).

    >>> x = np.linspace(0, 1, 50)
    >>> curve = fit_logistic(x, Logistic(5.0, 1.0, 0.4, 0.1)(x))
    >>> [round(b, 6) for b in (curve.b1, curve.b2, curve.b3, curve.b4)]
    [5.0, 1.0, 0.4, 0.1]
    """
    x, y = paired(predictions, targets, ("predictions", "targets"))
    if x.size <= N_PARAMETERS or (x == x[0]).all() or (y == y[0]).all():
        return None
    (x, x_unit), (y, y_unit) = standardised(x), standardised(y)
    found = _search(x, y)
    return None if found is None else _in_units(found, x, y, (x_unit, y_unit))


@dataclass(frozen=True, slots=True)
class Unit:
    """What standardised values are measured in: their mean, and their standard deviation."""

    mean: float
    deviation: float


def standardised(values: Floats) -> tuple[Floats, Unit]:
    """Values [items], not all equal, less their mean and over their standard deviation."""
    size = float(np.abs(values).max())  # so that the squares of tiny or huge ones lose no digits
    scaled = values / size
    mean, deviation = float(scaled.mean()), float(scaled.std())
    return (scaled - mean) / deviation, Unit(mean * size, deviation * size)


def bin_starts(x: Floats) -> Ints:
    """Where each bin of sorted predictions [items] begins; an item to each where they are few.

    Half of the at most 512 bins divide the items evenly, half the range, so that those at a long
    tail's end, which pull on the curve most, are not lumped together.
    """
    if x.size <= MOST_BINS:
        return np.arange(x.size, dtype=np.intp)
    evenly = np.arange(x.size) / x.size + (x - x[0]) / (x[-1] - x[0])
    return np.asarray(np.flatnonzero(np.diff(np.floor(evenly * MOST_BINS / 2), prepend=-1)))


class Points:
    """Predictions in bins, and what each weighting makes of them.

    `x`: standardised predictions [bins]. `weights`: how much of each bin [weightings, bins].
    `targets`: the weighted sum of the standardised targets in each bin [weightings, bins].
    """

    def __init__(self, x: Floats, weights: Floats, targets: Floats) -> None:
        self.x, self.weights, self.total = x, weights, weights.sum(axis=1)
        self.targets = targets - weights * (targets.sum(axis=1) / self.total)[:, None]
        self.ends = float(x.min()), float(x.max())


def climb(
    points: Points, start: tuple[Floats, Floats], *, n_steps: int, tolerance: float = 1e-8
) -> Fits:
    """For each weighting the curve that fits best, searched from `start`: a and c [weightings].

    Settled where a step lowers the squared residuals by at most `tolerance` of those about the
    mean.
    """
    start_beyond = start[1] + start[0] * _far_end(start[0], points.ends)
    here = _look(points, start[0], _bent(start_beyond))
    damping, settled = np.full(len(here.gain), 1e-2), np.isnan(here.gain)
    for _ in range(n_steps):
        steep, beyond, cut = _step(here, damping)
        there = _look(points, steep, beyond)
        gained = there.gain - here.gain
        settled |= (np.abs(gained) <= tolerance * points.total) & (damping <= 1) & ~cut
        settled |= damping > 1e8  # no step from here leads up
        here = _moved(here, there, gained > 0)
        if settled.all():
            break
        damping = damping * np.where(gained > 0, 0.1, 10.0)
    past = np.where(here.beyond > 0, here.beyond, np.log1p(np.minimum(here.beyond, 0)))
    return Fits(
        here.steep, past - here.steep * _far_end(here.steep, points.ends), here.gain, settled
    )


@dataclass(frozen=True, slots=True)
class _Point:
    """A curve for each weighting: its gain, and the normal equations of the next step.

    `squares`: the products ss, sb, bb of the slopes by steep and beyond [3, weightings]; `pull`:
    their products with the residuals [2, weightings].
    """

    steep: Floats
    beyond: Floats
    gain: Floats
    squares: Floats
    pull: Floats


def _look(points: Points, steep: Floats, beyond: Floats) -> _Point:
    """The slopes are those of s less what a new height and offset would make up for."""
    steep, beyond = _upright(steep, beyond, points.ends)
    middle = _far_end(steep, points.ends) - np.maximum(beyond, 0) / steep
    away, foot = points.x - middle[:, None], 1 + np.minimum(beyond, 0)[:, None]
    s = _shape(steep[:, None] * away, foot)
    by_steep, by_beyond = s * (1 - foot * s) * away, -s * s  # the former about the middle
    weights, total, targets = points.weights, points.total, points.targets
    mean = np.vecdot(weights, s) / total
    s -= mean[:, None]
    w_s, w_steep, w_beyond = weights * s, weights * by_steep, weights * by_beyond
    ss, sy = np.vecdot(w_s, s), np.vecdot(targets, s)
    s_steep, s_beyond = np.vecdot(w_s, by_steep), np.vecdot(w_s, by_beyond)
    mean_steep, mean_beyond = w_steep.sum(axis=1), w_beyond.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        height = np.where(ss > _FLAT * (ss + total * mean**2), sy / ss, np.nan)
        squares = [
            np.vecdot(w_steep, by_steep) - mean_steep**2 / total - s_steep**2 / ss,
            np.vecdot(w_steep, by_beyond)
            - mean_steep * mean_beyond / total
            - s_steep * s_beyond / ss,
            np.vecdot(w_beyond, by_beyond) - mean_beyond**2 / total - s_beyond**2 / ss,
        ]
        pull = [
            np.vecdot(targets, by_steep) / height - s_steep,
            np.vecdot(targets, by_beyond) / height - s_beyond,
        ]
    return _Point(steep, beyond, sy * height, np.asarray(squares), np.asarray(pull))


def _step(here: _Point, damping: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """The next steep and beyond for each weighting, and whether the step was cut short."""
    by_steep, by_beyond = _solved(here, damping)
    size, past = np.abs(here.steep), np.maximum(here.beyond, 0)
    share = np.minimum(
        _LONGEST * size / np.maximum(np.abs(by_steep), _TINY),
        (2 + np.abs(here.beyond) / 2) / np.maximum(np.abs(by_beyond), _TINY),
    )
    share = np.minimum(share, 1)
    steep = here.steep + share * by_steep
    steep = np.copysign(np.clip(np.abs(steep), *_STEEPNESS), here.steep)
    kept = np.where(past > 0, past * steep / here.steep, here.beyond)  # its middle stays
    return steep, np.maximum(kept + share * by_beyond, _LEAST_BEYOND), share < 1


def _solved(here: _Point, damping: Floats) -> tuple[Floats, Floats]:
    """The damped step by steep and by beyond; no step out of a limit, or without a solution."""
    (ss, sb, bb), (to_s, to_b) = here.squares, here.pull
    ss, bb, size = ss * (1 + damping), bb * (1 + damping), np.abs(here.steep)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        inverse = 1 / (ss * bb - sb**2)
        by_s, by_b = (bb * to_s - sb * to_b) * inverse, (ss * to_b - sb * to_s) * inverse
        least, most = size <= _STEEPNESS[0], size >= _STEEPNESS[1]
        held = np.where(by_s * here.steep > 0, most, least)
        by_s, by_b = np.where(held, 0, by_s), np.where(held, to_b / bb, by_b)
        ended = (here.beyond <= _LEAST_BEYOND) & (by_b < 0)
        by_s, by_b = np.where(ended & ~held, to_s / ss, by_s), np.where(ended, 0, by_b)
    safe = np.isfinite(by_s) & np.isfinite(by_b)
    return np.where(safe, by_s, 0), np.where(safe, by_b, 0)


def _moved(here: _Point, there: _Point, better: NDArray[np.bool_]) -> _Point:
    return _Point(
        np.where(better, there.steep, here.steep),
        np.where(better, there.beyond, here.beyond),
        np.where(better, there.gain, here.gain),
        np.where(better, there.squares, here.squares),
        np.where(better, there.pull, here.pull),
    )


def _shape(z: Floats, foot: Floats | float) -> Floats:
    """S = 1 / (foot + exp(-z)): a logistic for foot 1, an exponential for foot 0."""
    return np.asarray(1 / (foot + np.exp(-np.clip(z, -_LARGEST_EXPONENT, _LARGEST_EXPONENT))))


def _far_end(steep: Floats, ends: tuple[float, float]) -> Floats:
    """Where the curve is farthest from the asymptote that it is measured from."""
    return np.where(steep > 0, ends[1], ends[0])


def _upright(steep: Floats, beyond: Floats, ends: tuple[float, float]) -> tuple[Floats, Floats]:
    """The same curves, measured from the asymptote that the mean prediction is nearer to."""
    turned = beyond > steep * _far_end(steep, ends)
    other = _bent(np.abs(steep) * (ends[1] - ends[0]) - beyond)
    return np.where(turned, -steep, steep), np.where(turned, other, beyond)


def _bent(past: Floats) -> Floats:
    """`beyond` for a middle that lies this many widths short of the far end, or past it if < 0."""
    return np.where(past > 0, past, np.maximum(np.expm1(np.minimum(past, 0)), _LEAST_BEYOND))


def _search(x: Floats, y: Floats) -> Fits | None:
    """The best of all starts on binned items, then on the items themselves; one weighting."""
    order = np.argsort(x, kind="stable")
    starts = bin_starts(x[order])
    counts = np.diff(starts, append=x.size).astype(np.float64)
    steep = np.asarray([*STARTS, _NEARLY_STRAIGHT / np.abs(x).max()])
    shape = len(steep), len(starts)
    bins = Points(
        np.add.reduceat(x[order], starts) / counts,
        np.broadcast_to(counts, shape),
        np.broadcast_to(np.add.reduceat(y[order], starts), shape),
    )
    rough = climb(bins, (steep, np.zeros(len(steep))), n_steps=_MOST_STEPS)
    if np.isnan(rough.gain).all():
        return None
    best = [int(np.nanargmax(rough.gain))]
    items = Points(x, np.ones((1, x.size)), y[None])
    fine = climb(items, (rough.a[best], rough.c[best]), n_steps=_MOST_STEPS)
    return fine if fine.settled[0] and np.isfinite(fine.gain[0]) else None


def _in_units(found: Fits, x: Floats, y: Floats, units: tuple[Unit, Unit]) -> Logistic:
    """The curve with the height and offset of the regression on its shape."""
    a, c = float(found.a[0]), float(found.c[0])
    s = _shape(a * x + c, 1)
    centred = s - s.mean()
    height = units[1].deviation * float((centred @ y) / (centred @ centred))
    near = units[1].mean - height * float(s.mean())
    low, high = (near, near + height) if a > 0 else (near + height, near)
    width = units[0].deviation / abs(a)
    return Logistic(b1=high, b2=low, b3=units[0].mean - c / a * units[0].deviation, b4=width)

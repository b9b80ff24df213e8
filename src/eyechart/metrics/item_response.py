"""Item response theory: how hard each item is, how well it tells models apart, how able each is.

In: the marks of several models on the same items. Out: an `ItemResponses`. Knows nothing of
questions and keys, and draws nothing at random. Not a plug-in: it needs many models at once.

Written here because the libraries for it either have had no release for years (girth, 2021) or
bring PyTorch (py-irt).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eyechart.errors import BadInput
from eyechart.metrics.arrays import Floats

FEWEST_MODELS = 3
SD_LOG_DISCRIMINATION, SD_LOGIT = 0.5, 2.0
_MOST_CYCLES, _TOLERANCE = 200, 1e-4
_LIMITS = (-5.0, 5.0)  # of log discrimination: what bounds it where all models answer alike
_LONGEST = 1.0  # what one step may change in a logit, and twice what in a log discrimination
_POINTS, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_LOG_WEIGHTS = np.log(_WEIGHTS / _WEIGHTS.sum()) + _POINTS**2 / 2


@dataclass(frozen=True, slots=True)
class ItemResponses:
    """A model of ability t gets item i right with probability 1 / (1 + exp(-a_i (t - b_i))).

    `difficulty` b [items]: the ability at which half get it right. `discrimination` a [items],
    above 0: how steeply the item tells models apart. `ability` t [models]: its mean over these
    models is 0 and its standard deviation 1, so that b and t are in units of how far they differ.
    Each with a standard error; NaN for an item that no model answered, and for a model that
    answered none. `n_models`: those that answered any. `converged`: False where the fit ran out of
    cycles.
    """

    difficulty: Floats
    difficulty_se: Floats
    discrimination: Floats
    discrimination_se: Floats
    ability: Floats
    ability_se: Floats
    n_models: int
    converged: bool

    @property
    def chances(self) -> Floats:
        """Of each model being right on each item [models, items]; NaN where one is unknown."""
        return _expit(self.discrimination * (self.ability[:, None] - self.difficulty))


def fit_item_responses(marks: ArrayLike) -> ItemResponses:
    """The two-parameter logistic model (Birnbaum 1968) of marks [models, items] in [0, 1].

    NaN where a mark is missing: it does not enter. Half marks enter as fractions of a right answer
    (quasi-likelihood): the curve is that of the expected mark, and standard errors are a little too
    large.

    Marginal maximum likelihood over normal abilities by EM (Bock and Aitkin 1981, Psychometrika 46:
    443-459). The quadrature points lie around each model's own ability (Liu and Pierce 1994,
    Biometrika 81: 624-629), which thousands of items tell more finely than any fixed grid. After
    each cycle abilities are brought to mean 0 and variance 1, as in BILOG.

    Priors keep the fit of few models finite (Mislevy 1986, Psychometrika 51: 177-195): log a is
    normal with standard deviation 0.5, and so is, with 2, the logit at the average ability, -a b;
    the means are those of the items at hand. Differs from Mislevy, whose second prior is on b
    itself: where models are much alike, items lie many of their standard deviations apart, and such
    a prior would raise every a instead. Few models tell little of a, which then stays near its
    prior; in simulations of 26 models on 500 items it came out 1 to 23 % high. As a is above 0, an
    item that better models miss more often has a small one.

    Standard errors of items are from the observed information at the mode (Louis 1982, J. R. Stat.
    Soc. B 44: 226-233), each item by itself; those of abilities take the items as known, and are
    somewhat small where models are few.

    Raises BadInput for fewer than 3 models with a mark, and for marks outside [0, 1].

    >>> found = fit_item_responses([[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]])
    >>> found.difficulty.argsort().tolist(), found.ability.argsort().tolist()
    ([0, 1, 2, 3], [2, 1, 0])
    """
    table = _checked(marks)
    known = ~np.isnan(table)
    models, items = (np.asarray(known.any(axis=axis)) for axis in (1, 0))
    kept = known[np.ix_(models, items)]
    found = _fitted(_Marks(np.where(kept, table[np.ix_(models, items)], 0.0), kept.astype(float)))
    return ItemResponses(
        difficulty=_spread_out(found.difficulty, items),
        difficulty_se=_spread_out(found.difficulty_se, items),
        discrimination=_spread_out(found.discrimination, items),
        discrimination_se=_spread_out(found.discrimination_se, items),
        ability=_spread_out(found.ability, models),
        ability_se=_spread_out(found.ability_se, models),
        n_models=found.n_models,
        converged=found.converged,
    )


@dataclass(frozen=True, slots=True)
class _Marks:
    """Marks and whether they are there, 1 or 0; both [models, items], 0 where they are not."""

    values: Floats
    known: Floats


@dataclass(frozen=True, slots=True)
class _Items:
    """`log_a`, and the `logit` at ability 0; both [items]."""

    log_a: Floats
    logit: Floats

    def logits(self, ability: Floats) -> Floats:
        """Of each model being right [models, items]."""
        return np.exp(self.log_a) * ability[:, None] + self.logit


@dataclass(frozen=True, slots=True)
class _Abilities:
    """What is known of each model's ability: its `mode`, and `weights` of `points` around it.

    `points`, `weights`: [models, points]; a model's weights sum to 1.
    """

    mode: Floats
    points: Floats
    weights: Floats

    @property
    def mean(self) -> Floats:
        """Of each model."""
        return np.asarray((self.weights * self.points).sum(axis=1))

    @property
    def variance(self) -> Floats:
        """Of each model."""
        apart = self.points - self.mean[:, None]
        return np.asarray((self.weights * apart**2).sum(axis=1))


@dataclass(frozen=True, slots=True)
class _Information:
    """Of each item on (log a, logit): the entries of a symmetric matrix, each [items]."""

    log_a: Floats
    both: Floats
    logit: Floats

    @property
    def determinant(self) -> Floats:
        """Of each item's matrix."""
        return self.log_a * self.logit - self.both**2


def _checked(marks: ArrayLike) -> Floats:
    table = np.asarray(marks, dtype=np.float64)
    if table.ndim != 2:
        raise BadInput(f"marks: expected an array [models, items], got {table.ndim} dimensions")
    outside = (table < 0) | (table > 1)
    if outside.any():
        model, item = map(int, np.argwhere(outside)[0])
        raise BadInput(
            f"marks[{model}, {item}] is {table[model, item]:g}, expected a number from 0 to 1, or "
            "NaN where it is missing"
        )
    n_models = int((~np.isnan(table)).any(axis=1).sum())
    if n_models < FEWEST_MODELS:
        raise BadInput(
            f"marks of {n_models} models: expected at least {FEWEST_MODELS} with a mark; item "
            "responses tell items apart by how models differ, so add runs"
        )
    return table


def _fitted(marks: _Marks) -> ItemResponses:
    items, mode = _start(marks)
    converged = False
    for _ in range(_MOST_CYCLES):
        abilities, standard = _standardised(_abilities(marks, items, mode), items)
        moved = _improved(marks, standard, abilities)
        converged = _furthest(moved, items) < _TOLERANCE
        items, mode = moved, abilities.mode
        if converged:
            break
    abilities, items = _standardised(_abilities(marks, items, mode), items)
    a, b = np.exp(items.log_a), -items.logit * np.exp(-items.log_a)
    info = _observed(marks, items, abilities)
    of_log_a, of_both, of_logit = (
        part / info.determinant for part in (info.logit, -info.both, info.log_a)
    )
    return ItemResponses(
        difficulty=b,
        difficulty_se=np.sqrt(b**2 * of_log_a + 2 * b / a * of_both + of_logit / a**2),
        discrimination=a,
        discrimination_se=a * np.sqrt(of_log_a),
        ability=abilities.mean,
        ability_se=np.sqrt(abilities.variance),
        n_models=len(mode),
        converged=converged,
    )


def _start(marks: _Marks) -> tuple[_Items, Floats]:
    """From the shares of marks that each item and each model has."""
    of_models, of_items = (
        np.log((marks.values.sum(axis=axis) + 0.5) / (_lost(marks).sum(axis=axis) + 0.5))
        for axis in (1, 0)
    )
    spread = max(float(of_models.std()), 0.05)
    mode = (of_models - of_models.mean()) / spread
    return _Items(np.full(of_items.size, np.log(spread)), of_items), mode


def _lost(marks: _Marks) -> Floats:
    return marks.known - marks.values


def _abilities(marks: _Marks, items: _Items, mode: Floats) -> _Abilities:
    """Each model's ability, where the items are known; `mode`: where to look first."""
    a = np.exp(items.log_a)
    for _ in range(20):
        right = _expit(items.logits(mode))
        slope = (marks.values - marks.known * right) @ a - mode
        curve = (marks.known * right * (1 - right)) @ a**2 + 1
        step = np.clip(slope / curve, -1, 1)
        mode = mode + step
        if np.abs(step).max() < 1e-6:
            break
    right = _expit(items.logits(mode))
    curve = (marks.known * right * (1 - right)) @ a**2 + 1
    points = mode[:, None] + _POINTS / np.sqrt(curve)[:, None]
    logs = _LOG_WEIGHTS - points**2 / 2 + marks.values @ items.logit[:, None]
    logs += points * (marks.values @ a)[:, None]
    for column, ability in enumerate(points.T):
        passing = np.logaddexp(0, items.logits(ability))
        logs[:, column] -= np.einsum("mi,mi->m", marks.known, passing)
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return _Abilities(mode, points, weights / weights.sum(axis=1, keepdims=True))


def _standardised(abilities: _Abilities, items: _Items) -> tuple[_Abilities, _Items]:
    """The same curves, in abilities whose mean over the models is 0 and variance 1."""
    mean = float(abilities.mean.mean())
    deviation = float(np.sqrt(abilities.variance.mean() + abilities.mean.var()))
    log_a = np.clip(items.log_a + np.log(deviation), *_LIMITS)
    moved = _Items(log_a, items.logit + np.exp(items.log_a) * mean)
    mode, points = ((at - mean) / deviation for at in (abilities.mode, abilities.points))
    return _Abilities(mode, points, abilities.weights), moved


def _improved(marks: _Marks, items: _Items, abilities: _Abilities) -> _Items:
    """One step of Fisher scoring for every item, where the abilities are known."""
    slope_a, slope_logit = np.zeros(items.logit.size), np.zeros(items.logit.size)
    for ability, weights in zip(abilities.points.T, abilities.weights.T, strict=True):
        left = marks.values - marks.known * _expit(items.logits(ability))
        slope_a += (weights * ability) @ left
        slope_logit += weights @ left
    slope_a *= np.exp(items.log_a)
    slope_a -= (items.log_a - items.log_a.mean()) / SD_LOG_DISCRIMINATION**2
    slope_logit -= (items.logit - items.logit.mean()) / SD_LOGIT**2
    info = _complete(marks, items, abilities)
    step_a = (info.logit * slope_a - info.both * slope_logit) / info.determinant
    step_logit = (info.log_a * slope_logit - info.both * slope_a) / info.determinant
    return _Items(
        np.clip(items.log_a + np.clip(step_a, -_LONGEST / 2, _LONGEST / 2), *_LIMITS),
        items.logit + np.clip(step_logit, -_LONGEST, _LONGEST),
    )


def _furthest(a: _Items, b: _Items) -> float:
    """The largest change of any item."""
    return float(max(np.abs(a.log_a - b.log_a).max(), np.abs(a.logit - b.logit).max()))


def _complete(marks: _Marks, items: _Items, abilities: _Abilities) -> _Information:
    """The information with that of the priors, as if the abilities were observed."""
    moments = np.zeros((3, items.logit.size))
    for ability, weights in zip(abilities.points.T, abilities.weights.T, strict=True):
        right = _expit(items.logits(ability))
        powers = weights * ability ** np.arange(3)[:, None]
        moments += powers @ (marks.known * right * (1 - right))
    a = np.exp(items.log_a)
    return _Information(
        a**2 * moments[2] + 1 / SD_LOG_DISCRIMINATION**2,
        a * moments[1],
        moments[0] + 1 / SD_LOGIT**2,
    )


def _observed(marks: _Marks, items: _Items, abilities: _Abilities) -> _Information:
    """The complete information less what not knowing the abilities takes away (Louis 1982)."""
    complete = _complete(marks, items, abilities)
    squares, means = np.zeros((3, items.logit.size)), np.zeros((2, *marks.values.shape))
    for ability, weights in zip(abilities.points.T, abilities.weights.T, strict=True):
        left = marks.values - marks.known * _expit(items.logits(ability))
        squares += (weights * ability ** np.arange(3)[:, None]) @ left**2
        means += (weights * ability ** np.arange(2)[:, None])[:, :, None] * left
    a = np.exp(items.log_a)
    less = _Information(
        complete.log_a - a**2 * (squares[2] - (means[1] ** 2).sum(axis=0)),
        complete.both - a * (squares[1] - (means[0] * means[1]).sum(axis=0)),
        complete.logit - (squares[0] - (means[0] ** 2).sum(axis=0)),
    )
    sound = (less.determinant > 0) & (less.logit > 0)
    return _Information(
        np.where(sound, less.log_a, complete.log_a),
        np.where(sound, less.both, complete.both),
        np.where(sound, less.logit, complete.logit),
    )


def _expit(logits: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)))


def _spread_out(values: Floats, where: NDArray[np.bool_]) -> Floats:
    """The values at their places; NaN in the others."""
    out = np.full(where.size, np.nan)
    out[where] = values
    return out

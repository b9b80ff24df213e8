"""Resampling as matrix products: all resamples of all models in a few of them.

In: values and the clusters they come in. Out: the statistic in each resample. Makes no intervals of
them (see `eyechart.metrics.intervals`). A resample draws as many clusters as there are, with
replacement (Efron 1979, Ann. Stat. 7: 1-26); it is held as how often each cluster was drawn.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eyechart.errors import BadInput
from eyechart.metrics.arrays import Clusters, cluster_codes, finite

_CHUNK_CELLS = 4_000_000


def resample_weights(n: int, n_resamples: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """How often each of n things is drawn in each resample, as float32 chunks [resamples, n].

    Multinomial: every row sums to n. The same arguments give the same resamples, always.
    Raises BadInput where n or n_resamples is below 1.

    >>> chunks = list(resample_weights(3, 5, seed=0))
    >>> chunks[0].shape, chunks[0].sum(axis=1).tolist()
    ((5, 3), [3.0, 3.0, 3.0, 3.0, 3.0])
    """
    if n < 1 or n_resamples < 1:
        raise BadInput(f"cannot draw {n_resamples} resamples of {n} things; expected 1 or more")
    rng = np.random.default_rng(seed)
    step = max(1, _CHUNK_CELLS // n)
    for start in range(0, n_resamples, step):
        rows = min(step, n_resamples - start)
        drawn = rng.integers(0, n, size=(rows, n), dtype=np.int32)
        drawn += np.arange(rows, dtype=np.int32)[:, None] * np.int32(n)
        counts = np.bincount(drawn.ravel(), minlength=rows * n)
        yield counts.astype(np.float32).reshape(rows, n)


def bootstrap_means(
    values: ArrayLike,
    *,
    clusters: Clusters | None = None,
    groups: ArrayLike | None = None,
    n_resamples: int = 10_000,
    seed: int = 0,
) -> NDArray[np.float32]:
    """The mean of each model over each group of items, in each resample of the clusters.

    `values`: [models, items]. `groups`: booleans [groups, items], True where an item belongs to the
    group; None for one group of all items. Every model and group is resampled alike, so that
    differences between them are paired. Returns float32 [groups, models, resamples], NaN where a
    resample holds no item of the group. Raises BadInput where a value is not finite.

    >>> bootstrap_means([[0, 1, 1, 0]], n_resamples=3, seed=1).shape
    (1, 1, 3)
    """
    table = finite(values, "values", ndim=2)
    n_items = table.shape[1]
    codes = cluster_codes(clusters, n_items)
    inside = np.ones((1, n_items), bool) if groups is None else np.asarray(groups, bool)
    if inside.ndim != 2 or inside.shape[1] != n_items:
        raise BadInput(f"groups has shape {inside.shape}, expected [groups, {n_items} items]")
    parts = [_cluster_sums(table[:, mask], codes[mask]) for mask in inside]
    out = np.empty((len(parts), table.shape[0], n_resamples), np.float32)
    at = 0
    n_clusters = int(codes.max()) + 1 if n_items else 0
    for weights in resample_weights(n_clusters, n_resamples, seed):
        rows = slice(at, at + len(weights))
        at += len(weights)
        for group, (present, sums) in enumerate(parts):
            drawn = weights if len(present) == n_clusters else weights[:, present]
            totals = (drawn @ sums).T
            out[group, :, rows] = _ratio(totals[:-1], totals[-1:])
    return out


def _cluster_sums(
    values: NDArray[np.float64], codes: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The clusters present, and for each its sum per model and then its number of items."""
    present, places = np.unique(codes, return_inverse=True)
    sums = np.zeros((len(present), len(values) + 1))
    np.add.at(sums, places, np.vstack([values, np.ones(values.shape[1])]).T)
    return present, sums.astype(np.float32)


def _ratio(totals: NDArray[np.float32], counts: NDArray[np.float32]) -> NDArray[np.float32]:
    out = np.full(totals.shape, np.nan, np.float32)
    return np.divide(totals, counts, out=out, where=counts > 0)

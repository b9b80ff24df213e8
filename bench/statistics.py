"""How long the bootstrap takes: 25 models x 2,765 items x 10,000 resamples, whole and by facet.

Run `python bench/statistics.py`. Prints seconds, and how many times longer a plain loop over
resamples and scipy.stats.bootstrap take for the same work (measured on a part of it, scaled).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

# This file bears the name of a standard module that the libraries below import.
sys.path[:] = [folder for folder in sys.path if Path(folder) != Path(__file__).parent]

import numpy as np  # noqa: E402
from scipy import stats  # noqa: E402

from eyechart.metrics.bootstrap import bootstrap_means  # noqa: E402
from eyechart.metrics.intervals import TAIL, bootstrap_pairs  # noqa: E402
from eyechart.metrics.srcc import srcc  # noqa: E402

N_MODELS, N_ITEMS, N_RESAMPLES = 25, 2765, 10_000
FACETS = (3, 7, 17)  # values of each facet
LOOPED = 100


def seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def groups(rng: np.random.Generator) -> np.ndarray:
    """All items, then the items of each value of each facet: booleans [groups, items]."""
    masks = [np.ones(N_ITEMS, bool)]
    for n_values in FACETS:
        drawn = rng.integers(0, n_values, N_ITEMS)
        masks += [drawn == value for value in range(n_values)]
    return np.array(masks)


def intervals(values: np.ndarray, masks: np.ndarray, clusters: np.ndarray | None) -> np.ndarray:
    draws = bootstrap_means(values, clusters=clusters, groups=masks, n_resamples=N_RESAMPLES)
    return np.quantile(draws, [TAIL, 1 - TAIL], axis=2)


def plain_loop(values: np.ndarray, masks: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    for _ in range(LOOPED):
        drawn = rng.integers(0, N_ITEMS, N_ITEMS)
        resample = values[:, drawn]
        for mask in masks:
            resample[:, mask[drawn]].mean(axis=1)


def scipy_bootstrap(values: np.ndarray) -> None:
    stats.bootstrap(
        (values[0],), np.mean, n_resamples=N_RESAMPLES, method="percentile", batch=500, rng=0
    )


def main() -> None:
    rng = np.random.default_rng(0)
    values = (rng.random((N_MODELS, N_ITEMS)) < 0.7).astype(float)
    masks, whole = groups(rng), np.ones((1, N_ITEMS), bool)
    ours = seconds(lambda: intervals(values, masks, None))
    alone = seconds(lambda: intervals(values, whole, None))
    clustered = seconds(lambda: intervals(values, masks, np.arange(N_ITEMS) // 8))
    loop = seconds(lambda: plain_loop(values, masks)) * N_RESAMPLES / LOOPED
    scipy = seconds(lambda: scipy_bootstrap(values)) * N_MODELS
    ratings = rng.random((2, N_ITEMS))
    ranks = seconds(lambda: bootstrap_pairs(srcc, ratings[0], ratings[1]))
    print(f"{N_MODELS} models x {N_ITEMS:,} items x {N_RESAMPLES:,} resamples")
    print(f"whole and {len(masks) - 1} facet values, with intervals: {ours:.2f} s (goal: 5 s)")
    print(f"the same, 8 items to a cluster:                {clustered:.2f} s")
    print(f"whole only:                                    {alone:.2f} s")
    print(f"plain loop over resamples, scaled: {loop:.0f} s, {loop / ours:.1f} times as long")
    print(f"scipy.stats.bootstrap, whole only, scaled: {scipy:.0f} s, {scipy / alone:.1f} times")
    print(f"SRCC of one model, 2,000 resamples:            {ranks:.2f} s")


if __name__ == "__main__":
    main()

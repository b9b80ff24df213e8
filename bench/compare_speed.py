"""How long the statistics of 25 models on 2,765 items take.

Run `python bench/compare_speed.py`. Prints the seconds of what `compare` computes (300 pairs:
paired differences with intervals, McNemar, Holm), of 10,000 resamples whole and by facet, and how
many times longer a plain loop over resamples and scipy.stats.bootstrap take for the same resamples
(measured on a part of them, scaled).
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np
from scipy import stats

from eyechart.comparing import pairs_of
from eyechart.metrics.bootstrap import bootstrap_means
from eyechart.metrics.jackknife import TAIL
from eyechart.report.samples import Row, Sample

N_MODELS, N_ITEMS, N_RESAMPLES = 25, 2765, 10_000
N_PAIRS = N_MODELS * (N_MODELS - 1) // 2
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


def compared(metric: str, values: np.ndarray, clusters: np.ndarray) -> None:
    rows = [
        tuple(Row(i, v, f"photo {clusters[i]}", target=i % 97) for i, v in enumerate(model))
        for model in values.tolist()
    ]
    samples = [{metric: Sample(metric, mine)} for mine in rows]
    assert len(pairs_of([f"model {i}" for i in range(N_MODELS)], samples)) == N_PAIRS


def main() -> None:
    rng = np.random.default_rng(0)
    values = (rng.random((N_MODELS, N_ITEMS)) < 0.7).astype(float)
    masks, whole = groups(rng), np.ones((1, N_ITEMS), bool)
    single, photos = np.arange(N_ITEMS), np.arange(N_ITEMS) // 8
    apart = seconds(lambda: compared("accuracy", values, single))
    shared = seconds(lambda: compared("accuracy", values, photos))
    ours = seconds(lambda: intervals(values, masks, None))
    alone = seconds(lambda: intervals(values, whole, None))
    clustered = seconds(lambda: intervals(values, masks, photos))
    loop = seconds(lambda: plain_loop(values, masks)) * N_RESAMPLES / LOOPED
    scipy = seconds(lambda: scipy_bootstrap(values)) * N_MODELS
    ratings = rng.random((N_MODELS, N_ITEMS))
    ranks = seconds(lambda: compared("srcc_mos", ratings, single))
    n_facets = len(masks) - 1
    print(f"{N_MODELS} models x {N_ITEMS:,} items")
    print(f"compare: {N_PAIRS} pairs, McNemar, Holm:           {apart:.2f} s (goal: 5 s)")
    print(f"the same, 8 items to a photograph:           {shared:.2f} s (goal: 5 s)")
    print(f"compare: {N_PAIRS} pairs of SRCC:                  {ranks:.2f} s (goal: 5 s)")
    print(f"{N_RESAMPLES:,} resamples, whole and {n_facets} facet values: {ours:.2f} s (goal: 5 s)")
    print(f"the same, 8 items to a photograph:           {clustered:.2f} s")
    print(f"whole only:                                  {alone:.2f} s")
    print(f"plain loop over resamples, scaled: {loop:.0f} s, {loop / ours:.1f} times as long")
    print(f"scipy.stats.bootstrap, whole only, scaled: {scipy:.0f} s, {scipy / alone:.1f} times")


if __name__ == "__main__":
    main()

"""How long the statistics of assessment take: 81,284 predictions in seven databases.

Run `python bench/correlations.py`. Prints the seconds and the peak memory of all five metrics with
1,000 bootstrap resamples each, for predictions without ties and for those of a model whose logits
are in half precision; then how many times longer SciPy takes for the same resamples one by one
(measured on a part of them, scaled).
"""

from __future__ import annotations

import resource
from time import perf_counter

import numpy as np
from scipy import stats

from eyechart.metrics.correlations import METRICS_OF_PAIRS, correlations

DATABASES = {
    "KonIQ-10k": 10_073,
    "SPAQ": 11_125,
    "LIVE-FB": 39_810,
    "LIVE-itw": 1_169,
    "CGIQA-6K, first half": 3_000,
    "CGIQA-6K, second half": 3_000,
    "AGIQA-3K": 2_982,
    "KADID-10K": 10_125,
}
N_RESAMPLES = 1000
LOOPED = 4


def database(n: int, *, half: bool) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds and people's scores that follow them."""
    rng = np.random.default_rng(n)
    log_odds = rng.normal(0, 1.5, n)
    mos = 1 + 4 / (1 + np.exp(-log_odds)) + rng.normal(0, 0.6, n)
    return (log_odds.astype(np.float16).astype(float) if half else log_odds), mos


def all_databases(*, half: bool) -> float:
    """Seconds of all metrics of all databases; prints those of each."""
    total = 0.0
    for seed, (name, n) in enumerate(DATABASES.items()):
        log_odds, mos = database(n, half=half)
        quality = 1 / (1 + np.exp(-log_odds))
        start = perf_counter()
        found = correlations(quality, mos, ranks=log_odds, n_resamples=N_RESAMPLES, seed=seed)
        taken = perf_counter() - start
        total += taken
        print(f"  {name:<22}{n:>7,} items, {found.n_distinct:>6,} distinct {taken:6.2f} s")
    return total


def one_by_one() -> float:
    """Seconds of SRCC, KRCC and PLCC by SciPy, a resample at a time, scaled; no fit."""
    rng, total = np.random.default_rng(0), 0.0
    for n in DATABASES.values():
        x, y = database(n, half=False)
        start = perf_counter()
        for _ in range(LOOPED):
            drawn = rng.integers(0, n, n)
            stats.spearmanr(x[drawn], y[drawn])
            stats.kendalltau(x[drawn], y[drawn])
            stats.pearsonr(x[drawn], y[drawn])
        total += perf_counter() - start
    return total * N_RESAMPLES / LOOPED


def main() -> None:
    n_items = sum(DATABASES.values())
    print(f"{n_items:,} items, {len(METRICS_OF_PAIRS)} metrics, {N_RESAMPLES:,} resamples")
    without_ties = all_databases(half=False)
    print(f"no ties:        {without_ties:.2f} s (goal: 10 s on two cores)")
    print(f"half precision: {all_databases(half=True):.2f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory: {peak:,.0f} MB")
    scipy = one_by_one()
    print(f"SciPy, no fit, scaled: {scipy:.0f} s, {scipy / without_ties:.1f} times as long")


if __name__ == "__main__":
    main()

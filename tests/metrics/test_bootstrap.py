"""Resampling: counts that are multinomial, repeatable, and means that follow from them."""

from __future__ import annotations

import numpy as np
import pytest

from eyechart.errors import BadInput
from eyechart.metrics import bootstrap
from eyechart.metrics.bootstrap import bootstrap_means, resample_weights


def test_every_resample_draws_as_many_as_there_are() -> None:
    weights = np.concatenate(list(resample_weights(50, 4000, seed=0)))
    assert weights.shape == (4000, 50) and weights.dtype == np.float32
    assert (weights.sum(axis=1) == 50).all()
    assert np.allclose(weights.mean(axis=0), 1, atol=0.08)
    assert np.allclose(weights.var(axis=0), 49 / 50, atol=0.12)


def test_the_same_seed_gives_the_same_resamples_and_another_gives_others() -> None:
    first, again, other = (next(resample_weights(9, 20, seed)) for seed in (1, 1, 2))
    assert (first == again).all() and (first != other).any()


def test_means_follow_from_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_CHUNK_CELLS", 40)  # several chunks, the last one short
    rng = np.random.default_rng(0)
    values, clusters = rng.random((3, 20)), np.arange(20) % 7
    groups = np.array([np.ones(20, bool), np.arange(20) < 6, np.arange(20) == 3])
    found = bootstrap_means(values, clusters=clusters, groups=groups, n_resamples=12, seed=4)
    weights = np.concatenate(list(resample_weights(7, 12, seed=4)))[:, clusters]
    assert found.shape == (3, 3, 12)
    for draws, group in zip(found, groups, strict=True):
        counts = weights[:, group].sum(axis=1)
        totals = values[:, group] @ weights[:, group].T
        expected = np.full(totals.shape, np.nan)
        np.divide(totals, counts, out=expected, where=counts > 0)
        assert draws == pytest.approx(expected, abs=1e-6, nan_ok=True)
    assert np.isnan(found[2]).any()


def test_shapes_that_do_not_fit_are_named() -> None:
    with pytest.raises(BadInput, match="cannot draw 5 resamples of 0 things"):
        next(resample_weights(0, 5, seed=0))
    with pytest.raises(BadInput, match=r"groups has shape \(1, 2\), expected \[groups, 3 items\]"):
        bootstrap_means([[1, 2, 3]], groups=[[True, False]])
    with pytest.raises(BadInput, match=r"values\[0, 1\] is nan"):
        bootstrap_means([[1, float("nan")]])

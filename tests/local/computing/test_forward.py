"""Kept keys and values: rows may be chosen, repeated and moved, and lose nothing."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import DynamicCache

from eyechart.local.computing.forward import LAYER, Rows, _check, select

RUNS = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), min_size=1, max_size=4)


def rows_with(runs: list[tuple[int, int]], widths: tuple[int, ...] = (8, 8)) -> Rows:
    """Rows that begin and last so; each place of a layer holds a number of its own."""
    cache = DynamicCache()
    for width in widths:
        layer = LAYER()
        numbers = torch.arange(len(runs) * 2 * width * 3.0).view(len(runs), 2, width, 3)
        layer.lazy_initialization(numbers, numbers)
        layer.keys, layer.values = numbers, -numbers
        cache.layers.append(layer)
    starts, lengths = [start for start, _ in runs], [length for _, length in runs]
    return Rows(cache, starts, lengths, [length + 7 for length in lengths])


@given(runs=RUNS, data=st.data())
def test_chosen_rows_end_together_and_hold_the_same(
    runs: list[tuple[int, int]], data: st.DataObject
) -> None:
    rows = rows_with(runs)
    which = data.draw(st.lists(st.integers(0, len(runs) - 1), min_size=1, max_size=6))
    found = select(rows, which)
    assert found.nexts == [rows.nexts[i] for i in which]
    for at, i in enumerate(which):
        start, length = runs[i]
        assert found.starts[at] + found.lengths[at] == found.width
        assert found.lengths[at] == length
        for old, new in zip(rows.cache.layers, found.cache.layers, strict=True):
            for kept, moved in ((old.keys, new.keys), (old.values, new.values)):
                run = kept[i, :, start : start + length]
                assert torch.equal(moved[at, :, found.starts[at] :], run)


def test_where_nothing_is_to_be_moved_nothing_is_copied() -> None:
    rows = rows_with([(2, 3), (1, 4)])
    found = select(rows, [0, 1])
    assert found.width == 4
    for old, new in zip(rows.cache.layers, found.cache.layers, strict=True):
        assert new.keys.untyped_storage().data_ptr() == old.keys.untyped_storage().data_ptr()
        other = select(rows, [1, 0]).cache.layers[0].keys
        assert other.untyped_storage().data_ptr() != old.keys.untyped_storage().data_ptr()


def test_the_last_choice_lets_go_of_what_it_chose_from() -> None:
    rows, same = rows_with([(0, 3), (2, 6)]), rows_with([(0, 3), (2, 6)])
    found, expected = select(rows, [1, 0], last=True), select(same, [1, 0])
    assert all(layer.keys is None and layer.values is None for layer in rows.cache.layers)
    for one, other in zip(found.cache.layers, expected.cache.layers, strict=True):
        assert torch.equal(one.keys, other.keys) and torch.equal(one.values, other.values)


def test_layers_that_keep_something_else_are_not_for_the_shared_way() -> None:
    _check(rows_with([(0, 3)]).cache)
    with pytest.raises(ValueError, match="do not all keep keys and values for each token"):
        _check(rows_with([(0, 3)], widths=(8, 5)).cache)

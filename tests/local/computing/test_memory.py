"""How much fits: by free memory, by what was asked for, and by what has failed."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from hypothesis import given
from hypothesis import strategies as st

from eyechart.local.checkpoint.processors import load_processor
from eyechart.local.computing import memory
from eyechart.local.computing.loading import Loaded, load_model
from eyechart.local.computing.memory import MOST_PLACES, Memory, Need
from eyechart.local.pieces import Checkpoint


@pytest.fixture(scope="module")
def loaded(idefics_folder: Path) -> Loaded:
    return load_model(
        Checkpoint(idefics_folder, "hf:x", "0"), "cpu", load_processor(idefics_folder)
    )


def test_a_token_takes_its_keys_and_values_in_every_layer(loaded: Loaded) -> None:
    assert Memory(loaded).token_bytes == 3 * 2 * (2 * 16) * 4


def test_a_cpu_takes_no_more_than_helps_it_and_no_more_than_is_asked(loaded: Loaded) -> None:
    assert Memory(loaded).tokens_at_once() == memory.MOST_TOKENS["cpu"]
    assert Memory(loaded, 77).tokens_at_once() == 77


def test_little_free_memory_makes_small_batches(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "meminfo"
    monkeypatch.setattr(memory, "MEMINFO", told)
    told.write_text("MemTotal:  999 kB\nMemAvailable:     500 kB\n")
    assert Memory(loaded).free_bytes() == 500 * 1024
    assert 1 < Memory(loaded).tokens_at_once() < 100
    told.write_text("MemAvailable: 0 kB\n")
    assert Memory(loaded).tokens_at_once() == 1
    told.unlink()
    assert Memory(loaded).free_bytes() > 2**20


NEEDS = st.builds(Need, st.integers(1, 900), st.integers(1, 300), st.integers(1, MOST_PLACES))


@given(needs=st.lists(NEEDS, max_size=30))
def test_groups_hold_all_in_order_and_keep_their_bounds(loaded: Loaded, needs: list[Need]) -> None:
    own = Memory(loaded, 500)
    groups = own.groups(range(len(needs)), needs)
    assert [item for group in groups for item in group] == list(range(len(needs)))
    for group in groups:
        inside = [needs[item] for item in group]
        assert len(group) == 1 or (
            len(group) * max(need.fed for need in inside) <= 500
            and sum(need.read for need in inside) <= MOST_PLACES
        )
    for one, other in pairwise(groups):
        joined = [needs[item] for item in [*one, other[0]]]
        assert (
            len(joined) * max(need.fed for need in joined) > 500
            or sum(need.read for need in joined) > MOST_PLACES
        )

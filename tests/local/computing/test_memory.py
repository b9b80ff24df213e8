"""How much fits: by free memory, by what was asked for, and by what has failed."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from hypothesis import given
from hypothesis import strategies as st

from eyechart.local.checkpoint.processors import load_processor
from eyechart.local.computing import memory
from eyechart.local.computing.loading import Loaded, load_model
from eyechart.local.computing.memory import MOST_PLACES, Memory, Need
from eyechart.local.pieces import Checkpoint, NoRoom


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


def test_a_gpus_batch_is_a_few_steps_also_where_a_person_said_how_large_these_are(
    loaded: Loaded,
) -> None:
    on_gpu = Memory(replace(loaded, device=torch.device("cuda:0")), 100)
    assert (on_gpu.step_tokens(), on_gpu.tokens_at_once()) == (100, 400)
    assert Memory(loaded, 100).tokens_at_once() == Memory(loaded, 100).step_tokens() == 100


def test_a_token_costs_what_the_largest_step_took_whether_its_cache_was_kept_or_not(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    (tmp_path / "meminfo").write_text("MemAvailable: 1000 kB\n")
    own, kept = Memory(loaded), Memory(loaded).token_bytes
    fitting = int(0.8 * 1000 * 1024 / (3000 + kept))
    own.learn(100, 100 * 3000, kept=False)
    assert own.step_tokens() == fitting
    own.learn(100, 100 * (3000 + kept), kept=True)
    assert own.step_tokens() == fitting
    own.learn(99, 10**9, kept=False)
    assert own.step_tokens() == fitting
    own.learn(101, 101 * 6000, kept=False)
    assert own.step_tokens() == int(0.8 * 1000 * 1024 / (6000 + kept))


def test_steps_are_halved_where_one_found_no_room_and_grow_again(loaded: Loaded) -> None:
    own = Memory(loaded, 1000)
    assert own.step_tokens() == 1000
    with pytest.raises(NoRoom), own.measured(600, kept=True):
        raise NoRoom("too much")
    own.found_no_room()
    assert own.step_tokens() == 300
    with own.measured(300, kept=True):
        pass
    assert own.step_tokens() == 315
    for _ in range(30):
        with own.measured(300, kept=False):
            pass
    assert own.step_tokens() == 1000


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

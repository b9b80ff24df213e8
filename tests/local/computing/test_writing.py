"""Replies end early where nobody waits for them."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.local.plain_road import QUESTIONS, Bench, asked, one_tree, picture
from tests.local.tiny_models import save_qwen3_vl

from eyechart.asking.backend import Answer
from eyechart.local.stopping import Stopped, while_wanted
from eyechart.records import Sampling


def test_a_reply_that_nobody_waits_for_ends_between_two_tokens(tmp_path: Path) -> None:
    bench, steps = Bench(save_qwen3_vl(tmp_path)), count()
    request = replace(asked(picture(0), QUESTIONS[0]), sampling=Sampling(max_tokens=20))
    tree = one_tree(bench.ready(request))
    with pytest.raises(Stopped), while_wanted(lambda: next(steps) < 5):
        bench.device.compute([tree])
    assert next(steps) == 6
    assert isinstance(bench.device.compute([tree])[0], Answer)

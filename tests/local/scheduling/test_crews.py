"""Which models are loaded: the next one only where the last one let go of its memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.local.small_devices import Small, ready

from eyechart.errors import Fatal
from eyechart.local.pieces import Checkpoint, Outcome, Tree
from eyechart.local.scheduling import crews, devices

LONG_S = 60.0


class Deaf(Small):
    """Hears of nothing while it computes, as within one long call of a library."""

    def __init__(self) -> None:
        super().__init__("deaf")
        self.begun, self.go = threading.Event(), threading.Event()

    def compute(self, trees: Sequence[Tree]) -> list[Outcome]:
        self.begun.set()
        self.go.wait()
        return super().compute(trees)


def test_no_model_is_loaded_beside_one_that_does_not_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deaf, loaded = Deaf(), list[str]()

    def load(checkpoint: Checkpoint, device: str) -> Small:
        loaded.append(checkpoint.name)
        return deaf if checkpoint.name == "hf:first" else Small()

    monkeypatch.setattr(crews, "load", load)
    monkeypatch.setattr(devices, "GIVING_UP_S", 0.05)
    monkeypatch.setattr(devices.Crew.close, "__defaults__", (0.05,))
    first, second = (Checkpoint(Path(n), f"hf:{n}", "r1") for n in ("first", "second"))
    crew = crews.hire(first, ("cuda:0",))
    crew.window.add(crew.window.expect(""), ready((1, 2)), lambda outcome: None)
    assert deaf.begun.wait(LONG_S)
    crews.dismiss(crew)
    with pytest.raises(
        Fatal,
        match=r"hf:second cannot be loaded: hf:first still computes on cuda:0 and holds its memory"
        r".* after it was told to stop\. .* end this program, and run the same command again",
    ):
        crews.hire(second, ("cuda:0",))
    assert loaded == ["hf:first"]
    deaf.go.set()
    other = crews.hire(second, ("cuda:0",))
    assert deaf.closed
    crews.dismiss(other)
    assert other.close(LONG_S)

"""What libraries say is kept short, or off the terminal."""

from __future__ import annotations

import pytest

from eyechart.local.quiet import first_line, quiet


def test_of_a_long_error_the_first_line_is_told() -> None:
    assert first_line(ValueError("x" * 400 + "\nmore")) == "x" * 300
    assert first_line(ValueError()) == "ValueError"


def test_transformers_is_quiet_for_a_while_and_then_as_before() -> None:
    logging = pytest.importorskip("transformers.utils.logging")
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    with pytest.raises(KeyError), quiet():
        assert logging.get_verbosity() == logging.ERROR
        assert not logging.is_progress_bar_enabled()
        raise KeyError
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == (level, bars)

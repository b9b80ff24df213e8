"""Eyechart measures how well multimodal models see image quality.

    from eyechart import evaluate
    outcome = evaluate("snellen", "openai:gpt-5.2")
    print(outcome.report.headline)

Importing this loads nothing heavy; each name below is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eyechart.asking import AskSettings, Budget, CallLog, Patience, Price, ask
    from eyechart.comparing import compare
    from eyechart.errors import EyechartError
    from eyechart.items import Card, ItemSet, read_items, write_items
    from eyechart.metrics.accuracy import accuracy
    from eyechart.metrics.krcc import krcc
    from eyechart.metrics.plcc import plcc
    from eyechart.metrics.srcc import srcc
    from eyechart.plugins import open_model
    from eyechart.prompts import Judging, PromptForm
    from eyechart.ratings import read_ratings, write_ratings
    from eyechart.records import (
        Item,
        Picture,
        Rating,
        Report,
        Request,
        Response,
        Sampling,
        Score,
        likelihood,
        next_word,
    )
    from eyechart.run import Outcome, evaluate, rescore, rewrite_report
    from eyechart.run_settings import RunSettings

__all__ = [
    "evaluate",
    "rescore",
    "rewrite_report",
    "compare",
    "RunSettings",
    "Outcome",
    "read_items",
    "write_items",
    "read_ratings",
    "write_ratings",
    "ItemSet",
    "Card",
    "ask",
    "open_model",
    "AskSettings",
    "PromptForm",
    "Judging",
    "Sampling",
    "Patience",
    "Budget",
    "Price",
    "CallLog",
    "Item",
    "Picture",
    "Request",
    "Response",
    "Score",
    "Rating",
    "Report",
    "next_word",
    "likelihood",
    "srcc",
    "plcc",
    "krcc",
    "accuracy",
    "EyechartError",
]

_HOMES = {
    "run": ["evaluate", "rescore", "rewrite_report", "Outcome"],
    "run_settings": ["RunSettings"],
    "comparing": ["compare"],
    "items": ["read_items", "write_items", "ItemSet", "Card"],
    "asking": ["ask", "AskSettings", "Patience", "Budget", "Price", "CallLog"],
    "prompts": ["PromptForm", "Judging"],
    "ratings": ["read_ratings", "write_ratings"],
    "plugins": ["open_model"],
    "records": ["Item", "Picture", "Request", "Response", "Score", "Rating", "Report"],
    "metrics.srcc": ["srcc"],
    "metrics.plcc": ["plcc"],
    "metrics.krcc": ["krcc"],
    "metrics.accuracy": ["accuracy"],
    "errors": ["EyechartError"],
}
_HOMES["records"] += ["Sampling", "next_word", "likelihood"]
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'eyechart' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"eyechart.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

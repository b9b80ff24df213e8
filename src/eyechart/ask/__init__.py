"""Asking models: one engine, one call log, one seam to every backend."""

from eyechart.ask.budget import Budget, Price
from eyechart.ask.call_log import CallLog
from eyechart.ask.engine import AskSettings, Tally, ask

__all__ = ["AskSettings", "Budget", "CallLog", "Price", "Tally", "ask"]

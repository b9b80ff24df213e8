"""Asking models: one engine, one call log, one seam to every backend."""

from eyechart.asking.budget import Budget, Price
from eyechart.asking.call_log import CallLog
from eyechart.asking.engine import AskSettings, Tally, ask
from eyechart.asking.sending import Patience

__all__ = ["AskSettings", "Budget", "CallLog", "Patience", "Price", "Tally", "ask"]

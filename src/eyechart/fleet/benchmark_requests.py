"""What a benchmark asks a model, as a table of requests that a fleet can answer.

In: a benchmark, a model's address and the settings of a run. Out: the table. The requests are those
that `eyechart run` would ask, so that it finds their answers in the call log. Asks nobody.
"""

from __future__ import annotations

from pathlib import Path

from eyechart import plugins
from eyechart.fleet.request_rows import Written, write_requests
from eyechart.prompts import answer_requests
from eyechart.run import load_items
from eyechart.run_settings import RunSettings, fitted


def write_benchmark(
    benchmark: str | Path, model: str, out: str | Path, *, settings: RunSettings | None = None
) -> Written:
    """Write the requests of a benchmark (a name, or an item folder or Parquet) for a model.

    The model is not asked, but what it can do decides how ratings are asked for. Raises what
    `eyechart.run.evaluate` raises before it asks, and BadInput where `out` cannot be written.
    """
    settings = settings or RunSettings()
    name, item_set = load_items(benchmark, settings)
    rules = plugins.rules_of(name, item_set)
    settings = fitted(settings, plugins.open_model(model), item_set.items, rules)
    requests = answer_requests(item_set.items, form=settings.form, sampling=settings.sampling)
    return write_requests(out, requests)

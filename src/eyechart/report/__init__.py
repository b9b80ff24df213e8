"""From scored items to what people see: the report of a run and the comparison of runs.

In: items, responses, scores, severity curves. Out: `Report` (build), then one HTML file, Markdown,
CSV, LaTeX and figures (write). Nothing here calls a model or changes a score.
"""

from eyechart.report.build import RunFacts, build_report
from eyechart.report.counting import unjudged_share
from eyechart.report.entries import Entry
from eyechart.report.write import write_report

__all__ = ["Entry", "RunFacts", "build_report", "unjudged_share", "write_report"]

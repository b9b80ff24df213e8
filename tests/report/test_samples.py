"""What silence counts as, and which further metrics a report tells."""

from __future__ import annotations

import math

import pytest

from eyechart import plugins
from eyechart.metrics import Metric
from eyechart.report.samples import Row, Sample, cell_of, counted, further_cells


def sample(metric: str, *values: float | str) -> Sample:
    """A text in place of a value is the reason why there is none."""
    rows = [
        Row(i, None, str(i), target=float(i), why=value)
        if isinstance(value, str)
        else Row(i, value, str(i), target=float(i))
        for i, value in enumerate(values)
    ]
    return Sample(metric, tuple(rows))


@pytest.mark.parametrize("why", ["failed", "refused", "unparsed", "missing"])
def test_an_open_question_without_an_answer_counts_as_0(why: str) -> None:
    cell = cell_of(sample("verdict", 1.0, 0.5, why))
    assert cell.estimate.value == 0.5
    assert (cell.estimate.n, cell.n_unscored, cell.why) == (3, 1, {why: 1})
    assert cell.bounds == pytest.approx((0.5, 2.5 / 3))


def test_what_the_judge_owes_is_left_out_of_the_verdict_and_told() -> None:
    cell = cell_of(sample("verdict", 1.0, 0.5, "unjudged", "refused"))
    assert cell.estimate.value == 0.5
    assert (cell.estimate.n, cell.n_unscored) == (3, 2)


def test_refusals_make_no_verdict_where_nothing_was_judged() -> None:
    assert counted(sample("verdict", "refused", "unjudged")) == [None, None]
    assert counted(sample("verdict", "refused", "refused")) == [0.0, 0.0]


def test_an_unscored_rating_is_left_out_of_the_correlation() -> None:
    assert counted(sample("srcc_mos", 0.5, "failed")) == [0.5, None]


def test_every_metric_of_pairs_is_told_where_people_rated() -> None:
    cells = further_cells(sample("srcc_mos", 0.1, 0.3, 0.2, 0.5, "failed"), plugins.metrics())
    assert {"plcc_mos", "krcc_mos"} <= {cell.metric for cell in cells}
    assert "srcc_mos" not in {cell.metric for cell in cells}
    assert all(cell.estimate.n == 4 and cell.why == {"failed": 1} for cell in cells)


def test_a_new_metric_of_values_is_told_beside_accuracy() -> None:
    highest = Metric("highest", "", "", "values", True, (0, 1), "", lambda values: max(values))
    (cell,) = further_cells(sample("accuracy", 0.0, 1.0, "failed"), [highest])
    assert (cell.metric, cell.estimate.value, cell.estimate.n) == ("highest", 1.0, 3)


def test_further_metrics_keep_to_their_own_kind_of_sample() -> None:
    rmse = Metric("rmse", "", "", "pairs", False, (0, math.inf), "", lambda a, b: 0.0)
    assert further_cells(sample("accuracy", 1.0), [rmse]) == []
    assert further_cells(sample("srcc_level", 1.0), [rmse]) == []

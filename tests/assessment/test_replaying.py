"""Published result files give the published figures again, with what a reader must know."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from tests.assessment.results import records, write

from eyechart.assessment.databases import named
from eyechart.assessment.figures import figures, sample_of
from eyechart.assessment.mos_files import mos_by_name
from eyechart.assessment.published import published
from eyechart.assessment.readings import Reading
from eyechart.assessment.replay import (
    Replayed,
    ReplaySettings,
    averages,
    chosen,
    record_of,
    replay,
)
from eyechart.assessment.reporting import headline_of, replay_report
from eyechart.assessment.result_files import ResultOptions
from eyechart.assessment.subjects import read_subjects
from eyechart.assessment.tables import detail, leaderboards, protocol_of
from eyechart.errors import BadInput, UnknownName
from eyechart.records import Estimate
from eyechart.strategies import strategy

QUICK = ReplaySettings(n_resamples=50)
EXACT = 0.0005
TIED = 0.0025


def settings(*specs: str, words: str = "", n_resamples: int = 50) -> ReplaySettings:
    return ReplaySettings(chosen(specs or ["softmax"], words=words), n_resamples=n_resamples)


def official(shared: Path) -> list[dict[str, str]]:
    with (shared / "reference" / "qbench_a3" / "official.csv").open() as lines:
        return list(csv.DictReader(lines))


STEMS = {"KonIQ-10k": "koniq", "AGIQA-3K": "agi"}


def test_every_published_cell_that_there_are_logits_of_comes_out(shared: Path) -> None:
    folder = shared / "reference" / "qbench_a3" / "published_logits"
    cells = official(shared)
    assert len(cells) == 6
    for cell in cells:
        words = "high/low" if cell["model"] == "instructblip_t5" else ""
        file = folder / cell["model"] / f"{STEMS[cell['database']]}.json"
        (row,) = replay([file], settings(words=words))
        record = record_of(row)
        assert (record["model"], record["database"]) == (cell["model"], cell["database"])
        assert record["plcc"] == pytest.approx(float(cell["plcc"]), abs=EXACT)
        within = TIED if row.figures.n_distinct < row.figures.n / 2 else EXACT
        assert record["srcc"] == pytest.approx(float(cell["srcc"]), abs=within)
        assert record["published_srcc"] == float(cell["srcc"])
        assert record["published_plcc"] == float(cell["plcc"])


def test_the_published_ablations_come_out_as_well(shared: Path) -> None:
    """Argmax of the two words, and InstructBLIP read by good and poor."""
    folder = shared / "reference" / "qbench_a3" / "published_logits"
    files = sorted(folder.glob("*/*.json"))
    for words in ("", "high/low"):
        mine = files if not words else [file for file in files if "instructblip" in str(file)]
        for row in replay(mine, settings("softmax", "argmax", words=words)):
            if row.published is not None:
                found = row.figures.estimates
                assert found["srcc"].value == pytest.approx(row.published.srcc, abs=TIED)
                assert found["plcc"].value == pytest.approx(row.published.plcc, abs=EXACT)


def test_half_a_database_is_near_the_whole_and_said_to_be_a_part(shared: Path) -> None:
    half = shared / "data" / "live-challenge-half"
    options = ResultOptions("livec", mos_by_name(half / "mos.csv"))
    (row,) = replay(
        [half / "published_logits" / "llava_v1.5.json"],
        dataclasses.replace(QUICK, options=options, n_resamples=200),
    )
    assert (row.model, row.database.name, row.figures.n) == ("llava_v1.5", "LIVE-itw", 581)
    assert any("581 of 1,162 images" in note for note in row.notes)
    beside = published("llava_v1.5", "LIVE-itw", row.strategy.spec)
    srcc = row.figures.estimates["srcc"]
    assert beside is not None and beside.srcc is not None
    assert srcc.low is not None and srcc.high is not None
    assert srcc.low < beside.srcc < srcc.high


def test_figures_are_those_of_scipy_computed_from_the_log_odds(tmp_path: Path) -> None:
    rows = records(60)
    (row,) = replay([write(tmp_path / "idefics" / "agi.json", rows)], QUICK)
    odds = np.array([one["logit_good"] - one["logit_poor"] for one in rows])
    mos = np.array([one["gt_score"] for one in rows])
    found = row.figures.estimates
    assert found["srcc"].value == pytest.approx(stats.spearmanr(odds, mos).statistic)
    assert found["krcc"].value == pytest.approx(stats.kendalltau(odds, mos).statistic)
    share = 1 / (1 + np.exp(-odds / 100))
    assert found["plcc"].value == pytest.approx(stats.pearsonr(share, mos).statistic)
    assert row.figures.n_distinct == len(set(odds.tolist()))


def test_the_halves_of_cgiqa_are_correlated_apart_and_averaged(tmp_path: Path) -> None:
    games, films = records(3_000, seed=1), records(3_000, seed=2)
    films = [{**row, "img_path": f"film{row['img_path']}"} for row in films]
    behind = [{**row, "img_path": f"more{row['img_path']}", "gt_score": 99} for row in games[:20]]
    file = write(tmp_path / "idefics" / "cgi.json", [*games, *films, *behind])
    (row,) = replay([file], dataclasses.replace(QUICK, n_resamples=5))
    halves = [
        stats.spearmanr(
            [one["logit_good"] - one["logit_poor"] for one in half],
            [one["gt_score"] for one in half],
        ).statistic
        for half in (games, films)
    ]
    assert row.figures.estimates["srcc"].value == pytest.approx(sum(halves) / 2)
    assert row.figures.n == 6_000
    told = " ".join(row.notes)
    assert "two halves of 3,000" in told
    assert "20 records behind the second half count for nothing" in told


@pytest.mark.parametrize("unique", [True, False])
def test_what_is_left_out_moves_no_image_to_the_other_half(unique: bool, tmp_path: Path) -> None:
    """By --unique, or because --mos lacks it."""
    games, films = records(3_000, seed=1), records(3_000, seed=2)
    films = [{**row, "img_path": f"film{row['img_path']}"} for row in films]
    scores = {row["img_path"]: row["gt_score"] for row in [*games[500:], *films]}
    rows = [*games[500:1_000], *games[500:], *films]
    if not unique:
        rows = [{k: v for k, v in row.items() if k != "gt_score"} for row in [*games, *films]]
    options = ResultOptions(unique=unique, mos={} if unique else scores)
    file = write(tmp_path / "idefics" / "cgi.json", rows)
    (row,) = replay([file], dataclasses.replace(QUICK, options=options, n_resamples=5))
    halves = [
        stats.spearmanr(
            [one["logit_good"] - one["logit_poor"] for one in half],
            [one["gt_score"] for one in half],
        ).statistic
        for half in (games[500:], films)
    ]
    assert row.figures.n == 5_500
    assert row.figures.estimates["srcc"].value == pytest.approx(sum(halves) / 2, abs=1e-12)


def test_argmax_is_undefined_where_a_model_always_says_one_word(tmp_path: Path) -> None:
    rows = [{**row, "logit_good": row["logit_good"] + 100} for row in records(30)]
    (row,) = replay([write(tmp_path / "minigpt4_13b" / "agi.json", rows)], settings("argmax"))
    record = record_of(row)
    for name in ("srcc", "krcc", "plcc", "plcc_fitted", "srcc_low", "plcc_high"):
        assert record[name] is None, name
    assert any("it gives every image the same rating" in note for note in row.notes)


def test_why_a_figure_is_undefined_is_said(tmp_path: Path) -> None:
    two = write(tmp_path / "a" / "agi.json", records(2))
    same = write(tmp_path / "b" / "agi.json", [{**row, "gt_score": 3} for row in records(9)])
    told = [" ".join(row.notes) for row in replay([two, same], QUICK)]
    assert "is undefined: fewer than 3 images" in told[0]
    assert "is undefined: people's scores are all the same" in told[1]


def test_repeated_records_narrow_no_interval(tmp_path: Path) -> None:
    rows = records(40)
    once, many = (
        replay([write(tmp_path / name / "agi.json", mine)], settings(n_resamples=400))[0]
        for name, mine in (("once", rows), ("many", rows * 8))
    )
    widths = [
        row.figures.estimates["srcc"].high - row.figures.estimates["srcc"].low  # type: ignore[operator]
        for row in (once, many)
    ]
    assert widths[1] > 0.7 * widths[0]
    assert once.figures.estimates["srcc"].value == pytest.approx(
        many.figures.estimates["srcc"].value
    )


def test_versions_of_one_photograph_are_resampled_together() -> None:
    """All versions of a photograph share its fortune: the interval is that of photographs."""
    rng = np.random.default_rng(0)
    names = [f"I{i:02}_{j:02}_01.png" for i in range(12) for j in range(20)]
    mos = np.repeat(rng.normal(size=12), 20) + rng.normal(scale=0.1, size=240)
    values = np.repeat(rng.normal(size=12), 20) + mos * 0.5
    reading = Reading(values, values)
    widths = []
    for stem in ("kadid", "agi"):
        sample = sample_of(named(stem), names, mos)
        srcc = figures(reading, sample, n_resamples=300).estimates["srcc"]
        assert srcc.low is not None and srcc.high is not None
        widths.append(srcc.high - srcc.low)
    assert widths[0] > 2 * widths[1]


def test_the_order_of_the_records_changes_nothing(tmp_path: Path) -> None:
    rows = records(40)
    one, other = (
        replay([write(tmp_path / name / "agi.json", mine)], QUICK)[0].figures
        for name, mine in (("a", rows), ("b", rows[::-1]))
    )
    assert one.estimates["srcc"] == other.estimates["srcc"]


def test_the_average_is_the_plain_mean_over_databases(tmp_path: Path) -> None:
    files = [
        write(tmp_path / "idefics" / "agi.json", records(30, seed=1)),
        write(tmp_path / "idefics" / "koniq.json", records(300, seed=2)),
    ]
    rows = replay(files, QUICK)
    (mean,) = averages(rows)
    assert mean.figures.estimates["rmse"].value is None  # the scales are not the same
    for name in ("srcc", "plcc"):
        values = [row.figures.estimates[name].value for row in rows]
        assert mean.figures.estimates[name].value == pytest.approx(sum(values) / 2)  # type: ignore[arg-type]
    assert mean.databases == ("AGIQA-3K", "KonIQ-10k")
    assert mean.published is None


def test_the_published_mean_stands_beside_a_mean_over_all_seven(tmp_path: Path) -> None:
    stems = ("spaq", "koniq", "flive", "livec", "cgi", "agi", "kadid")
    files = [write(tmp_path / "idefics" / f"{stem}.json", records(12)) for stem in stems]
    (mean,) = averages(replay(files, QUICK))
    assert mean.published is not None
    assert mean.published.srcc == 0.375


def test_a_database_whose_figure_is_undefined_leaves_the_mean_undefined(tmp_path: Path) -> None:
    same = [{**row, "logit_good": 99.0} for row in records(30)]
    files = [
        write(tmp_path / "idefics" / "agi.json", same),
        write(tmp_path / "idefics" / "koniq.json", records(30)),
    ]
    (mean,) = averages(replay(files, settings("argmax")))
    assert mean.figures.estimates["srcc"] == Estimate(None, None, None, 60)


def test_the_words_that_the_leaderboard_used_are_told_not_taken(tmp_path: Path) -> None:
    rows = records(30, words=("good", "poor", "high", "low"))
    file = write(tmp_path / "instructblip_t5" / "agi.json", rows)
    (row,) = replay([file], QUICK)
    assert row.strategy.spec == "softmax:good/poor@100"
    assert any("--words high/low" in note for note in row.notes)
    (row,) = replay([file], settings(words="high/low"))
    assert not any("--words" in note for note in row.notes)
    other = write(tmp_path / "otter_v1" / "agi.json", rows)
    assert not any("--words" in note for note in replay([other], QUICK)[0].notes)


def test_two_files_of_one_model_and_database_are_refused(tmp_path: Path) -> None:
    files = [write(tmp_path / part / "idefics" / "agi.json", records(5)) for part in "ab"]
    with pytest.raises(BadInput, match="both are of idefics on AGIQA-3K; expected one file"):
        replay(files, QUICK)


@pytest.mark.parametrize("read", [replay, read_subjects])
def test_files_named_by_their_models_are_not_taken_for_databases(
    read: Callable[[list[Path]], object], tmp_path: Path
) -> None:
    folder = tmp_path / "published_logits"
    files = [write(folder / f"{m}.json", records(20, seed=len(m))) for m in ("idefics", "qwen-vl2")]
    told = r"taken for two databases of the model published_logits, yet .*--database NAME"
    with pytest.raises(BadInput, match=told):
        read(files)


def test_several_databases_of_ones_own_may_be_read_at_once(tmp_path: Path) -> None:
    """Also where they share a few images, and by several models."""
    attic = records(20)
    cellar = [{**row, "img_path": f"c{row['img_path']}"} for row in attic[:15]] + attic[15:]
    files = [
        write(tmp_path / model / f"{stem}.json", rows)
        for model in ("idefics", "qwen-vl")
        for stem, rows in (("attic", attic), ("cellar", cellar))
    ]
    assert len(replay(files, QUICK)) == 4


def test_words_and_temperature_fill_in_what_a_strategy_leaves_out() -> None:
    found = chosen(
        ["softmax", "softmax@1", "softmax:fine/bad", "argmax", "five-level", "softmax"],
        words="high/low",
        temperature=10,
    )
    assert [how.spec for how in found] == [
        "softmax:high/low@10",
        "softmax:high/low@1",
        "softmax:fine/bad@10",
        "argmax:high/low",
        "five-level@1",
    ]


def test_words_that_no_strategy_takes_and_unknown_strategies_are_refused() -> None:
    with pytest.raises(BadInput, match="none of the strategies is read by words"):
        chosen(["five-level"], words="high/low")
    with pytest.raises(UnknownName, match="did you mean 'softmax'"):
        chosen(["sofmax"])
    with pytest.raises(BadInput, match="as many good words as poor ones"):
        chosen(["softmax"], words="good")


def test_a_record_for_json_holds_every_figure_with_its_interval(tmp_path: Path) -> None:
    rows = records(20)
    (row,) = replay([write(tmp_path / "mine" / "attic.json", [*rows, rows[0]])], QUICK)
    record = record_of(row)
    assert record["strategy"] == "softmax:good/poor@100"
    assert (record["n"], record["n_records"], record["n_duplicates"]) == (21, 21, 1)
    for name in ("srcc", "krcc", "plcc", "plcc_fitted", "rmse"):
        low, value, high = record[f"{name}_low"], record[name], record[f"{name}_high"]
        assert isinstance(low, float) and isinstance(value, float) and isinstance(high, float)
        assert low < high, name
    assert (record["published_srcc"], record["published_plcc"]) == (None, None)


def test_the_tables_have_the_leaderboards_order_and_its_rows_below(tmp_path: Path) -> None:
    files = [write(tmp_path / "idefics" / f"{stem}.json", records(12)) for stem in ("agi", "spaq")]
    rows = replay(files, QUICK)
    srcc, plcc = leaderboards(rows)
    assert [column.name for column in srcc.columns] == ["SPAQ", "AGIQA-3K", "average"]
    ours, theirs = srcc.lines
    assert (ours.published, theirs.published) == (False, True)
    assert "Q-Bench" in theirs.source
    values = [entry.value if isinstance(entry, Estimate) else entry for entry in theirs.entries]
    assert values == [0.474, 0.562, None]
    assert "temperature" in plcc.note
    assert len(leaderboards(rows, everyone=True)[0].lines) == 16


def test_a_published_average_stands_beside_all_seven_databases_only(tmp_path: Path) -> None:
    stems = ("spaq", "koniq", "flive", "livec", "cgi", "agi", "kadid")
    rows = replay([write(tmp_path / "idefics" / f"{s}.json", records(12)) for s in stems], QUICK)
    for n, average in ((7, Estimate(0.375, None, None, 0)), (6, None)):
        for everyone in (False, True):
            table = leaderboards(rows[:n], everyone=everyone)[0]
            (line,) = [one for one in table.lines if one.published and "idefics" in one.label]
            assert line.entries[-1] == average


def published_in(rows: Sequence[Replayed], *, begun: bool = True) -> dict[str, tuple[int, str]]:
    """How many published lines each table has, and its note."""
    tables = leaderboards(rows, everyone=True, begun=begun)
    return {t.name[-4:]: (sum(line.published for line in t.lines), t.note) for t in tables}


@pytest.mark.parametrize(
    ("specs", "n_srcc", "n_plcc", "told"),
    [
        (["softmax"], 15, 15, ""),
        (["softmax", "argmax"], 30, 30, ""),
        (["softmax@1"], 15, 0, "beside softmax:good/poor@1: those are of softmax at temperature"),
        (["softmax:fine/bad"], 0, 0, "No published rows stand beside softmax:fine/bad@100: those"),
        (["argmax", "word-sets"], 15, 15, "beside word-sets:good+high+fine/poor+low+bad@100: "),
    ],
)
def test_everyones_published_rows_stand_only_beside_the_same_protocol(
    specs: list[str], n_srcc: int, n_plcc: int, told: str, tmp_path: Path
) -> None:
    rows = records(12, words=("good", "poor", "fine", "bad", "high", "low"))
    found = replay([write(tmp_path / "mine" / "spaq.json", rows)], settings(*specs))
    tables = published_in(found)
    assert (tables["srcc"][0], tables["plcc"][0]) == (n_srcc, n_plcc)
    assert told in tables["plcc"][1]
    assert ("No published rows" in tables["srcc"][1]) == (n_srcc < 15 * len(specs))


def test_no_published_row_stands_beside_answers_that_were_not_begun(tmp_path: Path) -> None:
    rows = replay([write(tmp_path / "idefics" / "spaq.json", records(12))], QUICK)
    for n, note in published_in(rows, begun=False).values():
        assert n == 0
        assert "those rest on an answer that is begun for the model, and here a question" in note


def test_of_a_database_without_published_figures_there_are_no_empty_rows(tmp_path: Path) -> None:
    rows = replay([write(tmp_path / "idefics" / "attic.json", records(12))], QUICK)
    for n, note in published_in(rows).values():
        assert n == 0
        assert "nothing was published of these databases" in note


def test_a_model_without_a_database_has_a_blank_there_and_no_average(tmp_path: Path) -> None:
    files = [
        write(tmp_path / "idefics" / "agi.json", records(12)),
        write(tmp_path / "idefics" / "spaq.json", records(12)),
        write(tmp_path / "mine" / "spaq.json", records(12)),
    ]
    mine = next(
        line for line in leaderboards(replay(files, QUICK))[0].lines if "mine" in line.label
    )
    assert [entry is None for entry in mine.entries] == [False, True, True]


def test_every_figure_is_in_the_table_of_details(tmp_path: Path) -> None:
    rows = replay([write(tmp_path / "idefics" / "agi.json", records(12))], QUICK)
    table = detail(rows)
    names = ["SRCC", "KRCC", "PLCC", "PLCC fitted", "RMSE", "n", "distinct"]
    assert [column.name for column in table.columns] == names
    assert [line.label for line in table.lines] == ["AGIQA-3K, softmax:good/poor@100"]


def test_the_report_says_what_was_found_and_of_which_files(tmp_path: Path) -> None:
    file = write(tmp_path / "idefics" / "agi.json", records(12))
    rows = replay([file], QUICK)
    report = replay_report(rows, [file])
    assert report.headline == headline_of(rows)
    assert report.headline.startswith("idefics, AGIQA-3K: SRCC 0.")
    assert "by softmax:good/poor@100" in report.headline
    assert report.provenance[str(file)].startswith("sha256 ")
    assert any("12 of 2,982" in note for note in report.notes)


def test_the_headline_of_nothing_is_empty_and_undefined_figures_are_said_to_be(
    tmp_path: Path,
) -> None:
    assert headline_of([]) == ""
    same = [{**row, "logit_good": 99.0} for row in records(12)]
    rows = replay([write(tmp_path / "idefics" / "agi.json", same)], settings("argmax"))
    assert "no correlation is defined" in headline_of(rows)


def test_other_protocols_are_marked() -> None:
    assert protocol_of(strategy("sampling")).endswith("(another protocol)")
    assert protocol_of(strategy("softmax")) == "softmax:good/poor@100"

"""Q-Bench-Portrait's tables 3 to 6 and figures 2 and 4: runs beside the published models.

In: findings of one or several runs on the same items. Out: `Told`: tables, charts, the lead and
notes. Draws and prints nothing.

Wu et al. 2026, arXiv 2601.18346. Columns are those of `qbench_portrait_taxonomy.TABLES`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eyechart.benchmarks import Findings, Told
from eyechart.benchmarks.qbench_portrait_marks import (
    Marks,
    Questions,
    marks_in,
    questions_of,
    random_guess,
)
from eyechart.benchmarks.qbench_portrait_places import (
    Place,
    best_first,
    gap_to_people,
    lead_of,
    lead_of_all,
    places_of,
    places_table,
    published_figure,
)
from eyechart.benchmarks.qbench_portrait_published import (
    BASELINE,
    SOURCE,
    Published,
    published_rows,
)
from eyechart.benchmarks.qbench_portrait_taxonomy import (
    CODES,
    COUNTS,
    DIMENSIONS,
    OVERALL,
    SCOPES,
    SOURCES,
    TABLES,
)
from eyechart.errors import BadInput, UnknownName
from eyechart.records import Chart, Column, Line, Panel, Series, Table
from eyechart.report.formatting import KIND_LABELS, listed, plural, whole

GROUPS = {
    BASELINE: "Baseline",
    "open": "Open-source MLLMs",
    "closed": "Closed-source MLLMs",
}
OURS, PEOPLE = "Measured here", "People"
GUESS = "Random guess, these items"
MOST_SERIES, MOST_RUNS = 5, 3
MOST_DRAWN = 7
"""As many lines as a drawing shows (`eyechart.report.radar`)."""
TITLES = {
    "table3": "By image source, quality dimension and question type (Table 3)",
    "table4": "By fine-grained quality dimension (Table 4)",
    "table5": "By quality dimension under each image source (Table 5)",
    "table6": "By global and local focus of each question type (Table 6)",
}
_SOURCES = "; ".join(f"{code}: {name}" for code, name in SOURCES.items())
_DIMENSIONS = "Tech.: technical distortions; AIGC: AI-specific distortions; Aes.: aesthetics"
_KINDS = "; ".join(f"{code}: {KIND_LABELS[kind]}" for kind, code in CODES.items())
LEGENDS = {
    "table3": f"{_SOURCES}. {_DIMENSIONS}. {_KINDS}.",
    "table4": "",
    "table5": f"{_SOURCES}. {_DIMENSIONS}.",
    "table6": f"{_KINDS}.",
}
NOTE = (
    "The mean mark of the questions: 1 or 0, of open ones the judge's 0 to 2 halved. Published "
    "figures have Wilson's intervals, too wide where open questions' half marks enter. Random "
    "guess is over single choice and true or false alone."
)
WAITS = "w/o OE: over closed questions only, as no judge has graded the open ones; not ranked."
PEOPLE_WAIT = "People w/o OE: people who answered no open question; over closed questions only."
IN_PART = "OE in part: without a verdict on more than 5 % of the open questions; not ranked."
GUESSED = f"{GUESS}: computed from their kinds, not published."
OTHERS = "Published figures are of other questions: those measured here are not ranked with them."


def tell_all(findings: Sequence[Findings], chosen: Sequence[str]) -> Told:
    """The tables, places and figures of runs on the same items, beside the published models.

    `chosen`: the published models that the radar by subset shows, empty for the best ones. Without
    findings: what is published. The lead tells the place of a single run or which of several comes
    first, and the gap to people.

    Raises UnknownName where no published model is called as a chosen one, and BadInput where more
    are chosen than the radar has room for.
    """
    rows = published_rows()
    questions = questions_of(findings)
    marked = [marks_in(one, questions) for one in findings]
    runs = [one for one in marked if not one.people]
    models = _chosen(rows, chosen, len(runs[:MOST_RUNS]))
    places = places_of(rows, runs, questions)
    note = _note(marked, questions)
    tables = [
        Table(
            name,
            TITLES[name],
            tuple(Column(heading, "percent", 2, group) for group, heading, _ in columns),
            _lines(rows, marked, questions, [key for _, _, key in columns]),
            f"{LEGENDS[name]} {note}".strip(),
            ranked=True,
        )
        for name, columns in TABLES.items()
    ]
    return Told(
        lead=_lead(marked, places, questions),
        tables=(*tables, places_table(places)),
        notes=_count_notes(questions),
        charts=(_radar(rows, runs, models, questions), _distribution(questions)),
    )


def _lead(marked: Sequence[Marks], places: Sequence[Place], questions: Questions) -> str:
    runs = [one for one in marked if not one.people]
    people = [one for one in marked if one.people]
    if len(runs) == 1:
        first = lead_of(runs[0], places, questions)
    else:
        first = lead_of_all(runs, questions) if runs else ""
    return f"{first} {gap_to_people(runs, people, questions)}".strip() if first else ""


def _chosen(rows: Sequence[Published], names: Sequence[str], n_runs: int) -> list[Published]:
    """The published models that stand beside so many runs: those named, else the best."""
    models = {row.model: row for row in rows if row.group != BASELINE}
    for name in names:
        if name not in models:
            raise UnknownName("published model", name, models)
    found = [models[name] for name in dict.fromkeys(names)]
    if len(found) > MOST_DRAWN - n_runs:
        beside = f" beside {plural(n_runs, 'run')}" if n_runs else ""
        raise BadInput(
            f"{plural(len(found), 'published model')} chosen{beside}, where Figure 4 (b) shows "
            f"{MOST_DRAWN} lines in all; choose at most {MOST_DRAWN - n_runs}"
        )
    best = sorted(models.values(), key=lambda row: -row.figures[OVERALL])
    return found or best[: MOST_SERIES - n_runs]


def _lines(
    rows: Sequence[Published], marked: Sequence[Marks], questions: Questions, keys: Sequence[str]
) -> tuple[Line, ...]:
    """Guessing, of these questions too where they are others; published models, runs, people."""
    guessing = [_published_line(row, keys) for row in rows if row.group == BASELINE]
    if questions.items and not questions.as_published:
        guessing.append(_guess_line(questions, keys))
    models = [_published_line(row, keys) for row in rows if row.group != BASELINE]
    ours = [_own_line(one, keys) for one in marked if not one.people]
    people = [_own_line(one, keys) for one in marked if one.people]
    return (*guessing, *models, *ours, *people)


def _guess_line(questions: Questions, keys: Sequence[str]) -> Line:
    """What guessing gives on these questions: what is expected, neither published nor measured."""
    guess = random_guess(questions)
    entries = tuple(guess[key] for key in keys)
    return Line(GUESS, entries, group=GROUPS[BASELINE], ranked=False)


def _published_line(row: Published, keys: Sequence[str]) -> Line:
    return Line(
        row.model,
        tuple(published_figure(row, key) for key in keys),
        published=True,
        source=SOURCE,
        group=GROUPS[row.group],
        ranked=row.group != BASELINE,
    )


def _own_line(marks: Marks, keys: Sequence[str]) -> Line:
    entries = tuple(marks.figures[key] for key in keys)
    group = PEOPLE if marks.people else OURS
    return Line(marks.label, entries, group=group, ranked=marks.ranked)


def _note(marked: Sequence[Marks], questions: Questions) -> str:
    unscored = {one.label: one.n_unscored for one in marked}
    left_out = {one.label: one.n_left_out for one in marked if not one.people}
    told = [
        NOTE,
        f"{OTHERS} {GUESSED}" if questions.items and not questions.as_published else "",
        WAITS if any(one.waits and not one.people for one in marked) else "",
        PEOPLE_WAIT if any(one.waits and one.people for one in marked) else "",
        IN_PART if any(one.in_part for one in marked) else "",
        _counted("Unscored, and counted as wrong", unscored),
        _counted("Without a verdict or a right answer, and left out", left_out),
    ]
    return " ".join(text for text in told if text)


def _counted(what: str, counts: Mapping[str, int]) -> str:
    """How many questions of each run, in words; "" where there are none."""
    listed = [f"{whole(n)} ({label})" for label, n in counts.items() if n]
    return f"{what}: {', '.join(listed)}." if listed else ""


def _count_notes(questions: Questions) -> tuple[str, ...]:
    """Sentences on where the questions are not as many as published."""
    counts, n_published = questions.counts, COUNTS[OVERALL]
    if not questions.items or questions.as_published:
        return ()
    if counts[OVERALL] != n_published:
        asked = plural(counts[OVERALL], "question")
        told = f"{asked}, where {whole(n_published)} are published"
    else:
        odd = [
            f"{whole(counts[key])} in {key} (not {whole(n)})"
            for key, n in COUNTS.items()
            if counts[key] != n
        ]
        told = f"As many questions as published, but {', '.join(odd)}"
    return (f"{told}; figures of other questions do not compare with published ones.",)


def _distribution(questions: Questions) -> Chart:
    """Figure 2, of the questions asked; of the published ones where there are none."""
    counts = questions.counts if questions.items else COUNTS
    scopes = {scope: sum(counts[f"{code}/{scope}"] for code in CODES.values()) for scope in SCOPES}
    parts = {
        "(a) Image sources": {name: counts[name] for name in SOURCES},
        "(b) Quality dimensions": {name: counts[name] for name in DIMENSIONS},
        "(c) Question types": {code: counts[code] for code in CODES.values()},
        "(d) Question scopes": scopes,
    }
    panels = []
    for title, sizes in parts.items():
        there = {name: n for name, n in sizes.items() if n}
        series = Series("questions", tuple(map(float, there.values())), not questions.items)
        panels.append(Panel(title, tuple(there), (series,)))
    title = "Distributions of the questions (Figure 2)"
    return Chart("distribution", title, "shares", tuple(panels), f"{_SOURCES}. {_KINDS}.")


def _radar(
    rows: Sequence[Published],
    runs: Sequence[Marks],
    models: Sequence[Published],
    questions: Questions,
) -> Chart:
    """Figure 4: all models overall; the best three runs and some published models by subset."""
    whom: list[Published | Marks] = [*(row for row in rows if row.group != BASELINE), *runs]
    overall = [
        Series(
            name,
            tuple(_value(m, OVERALL) if isinstance(m, Marks) == ours else None for m in whom),
            published=not ours,
        )
        for name, ours in (("published", False), ("measured here", True))[: 1 + bool(runs)]
    ]
    ordered = [one.run for one in best_first(runs, questions)]
    best, others = ordered[:MOST_RUNS], ordered[MOST_RUNS:]
    subsets = [(heading, key) for _, heading, key in TABLES["table3"] if key != OVERALL]
    shown: list[Published | Marks] = [*best, *models]
    series = tuple(
        Series(
            _label(one),
            tuple(_value(one, key) for _, key in subsets),
            published=not isinstance(one, Marks),
        )
        for one in shown
    )
    panels = (
        Panel("(a) Overall", tuple(map(_label, whom)), tuple(overall)),
        Panel("(b) By subset", tuple(heading for heading, _ in subsets), series),
    )
    told = [OTHERS] if questions.items and not questions.as_published else []
    if others:
        left_out = listed([run.label for run in others])
        told.append(f"(b) shows the best {MOST_RUNS} runs and leaves out {left_out}.")
    return Chart("radar", "Figures of the models (Figure 4)", "radar", panels, " ".join(told))


def _label(one: Published | Marks) -> str:
    return one.label if isinstance(one, Marks) else one.model


def _value(one: Published | Marks, key: str) -> float | None:
    if not isinstance(one, Marks):
        return one.figures.get(key)
    figure = one.figures[key]
    return figure.value if figure else None

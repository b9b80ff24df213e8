"""Published result files read again: each file and strategy gives one `Replayed`.

In: result files and how to read them. Out: figures with intervals beside the published ones, their
plain means over databases, and the same as records for JSON. Prints and writes nothing.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eyechart.assessment.databases import DATABASES, Database, list_notes
from eyechart.assessment.figures import N_RESAMPLES, figures, mean_of, sample_of
from eyechart.assessment.published import AVERAGE, Published, official_strategy, published
from eyechart.assessment.readings import read_ratings
from eyechart.assessment.result_files import (
    ResultFile,
    ResultOptions,
    read_result_file,
    refuse_models_as_databases,
)
from eyechart.errors import BadInput
from eyechart.metrics.correlations import FEWEST_ITEMS, METRICS_OF_PAIRS, Correlations
from eyechart.records import Estimate
from eyechart.strategies import RELEASED_TEMPERATURE, Strategy, strategy

WITH_WORDS = ("softmax", "word-sets", "argmax")
WITH_TEMPERATURE = ("softmax", "word-sets")


@dataclass(frozen=True, slots=True)
class Replayed:
    """One model on one database, read by one strategy.

    `published`: what was published for the three, None where nothing was. `n_records` and
    `n_repeats` as in `ResultFile`. `notes`: what a reader must know.
    """

    model: str
    database: Database
    strategy: Strategy
    figures: Correlations
    published: Published | None = None
    file: str = ""
    n_records: int = 0
    n_repeats: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Averaged:
    """The plain mean of one model's figures over databases, read by one strategy."""

    model: str
    strategy: Strategy
    databases: tuple[str, ...]
    figures: Correlations
    published: Published | None = None


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """How to replay: by which strategies, a row for each, and with how many resamples a row."""

    strategies: tuple[Strategy, ...] = (strategy(f"softmax@{RELEASED_TEMPERATURE:g}"),)
    options: ResultOptions = field(default_factory=ResultOptions)
    n_resamples: int = N_RESAMPLES


def chosen(
    specs: Sequence[str], *, words: str = "", temperature: float | None = None
) -> tuple[Strategy, ...]:
    """The strategies that texts name; what a text leaves out is filled in by words and temperature.

    Raises UnknownName and BadInput as `strategy` does, and BadInput where nothing takes the words.

    >>> [how.spec for how in chosen(["softmax", "argmax"], words="high/low")]
    ['softmax:high/low@100', 'argmax:high/low']
    """
    found = [_filled(spec, words, temperature) for spec in specs]
    if words and not any(how.name in WITH_WORDS for how in found):
        raise BadInput(f"--words {words}: none of the strategies is read by words of your choice")
    return tuple(dict.fromkeys(found))


def replay(files: Sequence[Path], settings: ReplaySettings | None = None) -> tuple[Replayed, ...]:
    """A row for each file and strategy, in the order of the files.

    Raises BadInput for a file that cannot be read so, and where two files are of one model and
    database.
    """
    settings = settings or ReplaySettings()
    return tuple(
        _replayed(result, how, settings.n_resamples)
        for result in read_all(files, settings.options)
        for how in settings.strategies
    )


def read_all(files: Sequence[Path], options: ResultOptions | None = None) -> list[ResultFile]:
    """The result files, each of another model or database.

    Raises BadInput where two are not, or seem to be but hold the same images.
    """
    results: dict[tuple[str, str], ResultFile] = {}
    for file in files:
        result = read_result_file(file, options)
        key = (result.model, result.database.name)
        if key in results:
            raise BadInput(
                f"{file} and {results[key].file}: both are of {key[0]} on {key[1]}; expected one "
                "file for each. Lay them as MODEL/DATABASE.json, or name the database"
            )
        results[key] = result
    refuse_models_as_databases(list(results.values()))
    return list(results.values())


def averages(rows: Sequence[Replayed]) -> tuple[Averaged, ...]:
    """The plain mean over databases of each model and strategy that has two or more.

    The published mean stands beside it only where the databases are the same.
    """
    groups: defaultdict[tuple[str, Strategy], list[Replayed]] = defaultdict(list)
    for row in rows:
        groups[row.model, row.strategy].append(row)
    return tuple(
        _averaged(model, how, mine) for (model, how), mine in groups.items() if len(mine) > 1
    )


def record_of(row: Replayed) -> dict[str, object]:
    """The row as a record for JSON: correlations in [-1, 1], undefined ones None.

    Each figure has `_low` and `_high` beside it, the 95 % interval.
    """
    record: dict[str, object] = {
        "model": row.model,
        "database": row.database.name,
        "strategy": row.strategy.spec,
        "n": row.figures.n,
        "n_records": row.n_records,
        "n_duplicates": row.n_repeats,
        "n_distinct": row.figures.n_distinct,
    }
    for name in METRICS_OF_PAIRS:
        estimate = row.figures.estimates[name]
        record[name] = estimate.value
        record[f"{name}_low"] = estimate.low
        record[f"{name}_high"] = estimate.high
    beside = row.published
    return {
        **record,
        "published_srcc": beside.srcc if beside else None,
        "published_plcc": beside.plcc if beside else None,
        "file": row.file,
        "notes": list(row.notes),
    }


def notes_of(rows: Sequence[Replayed]) -> tuple[str, ...]:
    """The notes of all rows, each once; those about one model's file begin with its name."""
    told: dict[str, None] = {}
    for row in rows:
        for note in row.notes:
            about = row.database.name
            told.setdefault(note if note.startswith(about) else f"{row.model} on {about}: {note}")
    return tuple(told)


def _filled(spec: str, words: str, temperature: float | None) -> Strategy:
    name = spec.partition(":")[0].partition("@")[0].strip()
    spec = spec.strip()
    if words and name in WITH_WORDS and ":" not in spec:
        spec = f"{name}:{words}{spec[len(name) :]}"
    if name in WITH_TEMPERATURE and "@" not in spec and temperature is not None:
        spec = f"{spec}@{temperature:g}"
    return strategy(spec)


def _replayed(result: ResultFile, how: Strategy, n_resamples: int) -> Replayed:
    reading = read_ratings(how, result.logits_of(how.words))
    sample = sample_of(result.database, result.names, result.mos, places=result.places)
    found = figures(reading, sample, n_resamples=n_resamples)
    return Replayed(
        model=result.model,
        database=result.database,
        strategy=how,
        figures=found,
        published=published(result.model, result.database.name, how.spec),
        file=str(result.file),
        n_records=result.n_records,
        n_repeats=result.n_repeats,
        notes=(*result.notes, *_notes(result, how, found)),
    )


def _notes(result: ResultFile, how: Strategy, found: Correlations) -> list[str]:
    database = result.database
    notes = list_notes(database, len(set(result.names)))
    if found.n < len(result.names):
        n_left = len(result.names) - found.n
        notes.append(f"{n_left:,} records behind the second half count for nothing, as published.")
    if found.estimates["srcc"].value is None:
        notes.append(f"{how.spec} is undefined: {_why_undefined(result, found)}.")
    official = strategy(official_strategy(result.model) or how.spec)
    others = [word for word in official.words if word not in how.words]
    if how.name in ("softmax", "argmax") and others and not set(others) - set(result.words):
        read_by = f"{'+'.join(official.good)}/{'+'.join(official.poor)}"
        notes.append(f"the leaderboard read {result.model} by --words {read_by}, not as here.")
    return notes


def _why_undefined(result: ResultFile, found: Correlations) -> str:
    if found.n < FEWEST_ITEMS:
        return f"fewer than {FEWEST_ITEMS} images"
    if len(set(result.mos.tolist())) == 1:
        return "people's scores are all the same"
    of_half = " of a half" if result.database.half else ""
    return f"it gives every image{of_half} the same rating"


def _without_rmse(mean: Correlations) -> Correlations:
    """Errors in the units of several databases have no mean."""
    estimates = {**mean.estimates, "rmse": Estimate(None, None, None, mean.n)}
    return dataclasses.replace(mean, estimates=estimates)


def _averaged(model: str, how: Strategy, rows: Sequence[Replayed]) -> Averaged:
    names = tuple(row.database.name for row in rows)
    all_seven = set(names) == {database.name for database in DATABASES}
    return Averaged(
        model=model,
        strategy=how,
        databases=names,
        figures=_without_rmse(mean_of([row.figures for row in rows])),
        published=published(model, AVERAGE, how.spec) if all_seven else None,
    )

"""What strategies are compared on: ratings from published result files and from finished runs.

In: files and run folders. Out: `Subject`s, each one model on one database with its ratings by every
strategy. Compares nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eyechart.assessment.databases import list_notes
from eyechart.assessment.figures import Sample, sample_of
from eyechart.assessment.finished import by_database, rated, ratings_by, score_name
from eyechart.assessment.readings import Reading, read_ratings
from eyechart.assessment.replay import read_all
from eyechart.assessment.result_files import ResultFile, ResultOptions
from eyechart.errors import BadInput
from eyechart.metrics.arrays import Floats
from eyechart.run_folder import read_info, read_item_set, read_scores
from eyechart.strategies import Strategy, strategy

CANDIDATES = tuple(
    strategy(spec)
    for spec in (
        "softmax:good/poor@100",
        "softmax:good/poor@1",
        "softmax:excellent/poor@100",
        "softmax:excellent/bad@100",
        "softmax:high/low@100",
        "softmax:fine/bad@100",
        "word-sets:good+high/poor+low@100",
        "word-sets:good+high+fine/poor+low+bad@100",
        "five-level@1",
        "argmax:good/poor",
        "argmax:high/low",
    )
)


@dataclass(frozen=True, slots=True)
class Subject:
    """One model on one database: the images, and its ratings by each strategy.

    `readings`: by strategy, over the same images. `logits`: of each word, [images], to fit weights
    to; none where only ratings are on file. `notes`: what a reader must know.
    """

    model: str
    sample: Sample
    readings: Mapping[Strategy, Reading]
    logits: Mapping[str, Floats] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_subjects(
    paths: Sequence[Path],
    wanted: Sequence[Strategy] = (),
    *,
    options: ResultOptions | None = None,
    reference: Strategy | None = None,
) -> list[Subject]:
    """The subjects in result files and run folders.

    By the strategies `wanted`; without any, by all that a run was read by or a file's words allow,
    `reference` among them.
    Raises BadInput where a file lacks a word, a run has no ratings, or two subjects are of one
    model and database.
    """
    found: dict[tuple[str, str], Path] = {}
    subjects: list[Subject] = []
    files = {one.file: one for one in read_all([p for p in paths if not p.is_dir()], options)}
    candidates = CANDIDATES if reference is None else (reference, *CANDIDATES)
    for path in paths:
        is_file = path in files
        of_path = [_in_file(files[path], wanted, candidates)] if is_file else _in_run(path, wanted)
        for subject in of_path:
            key = (subject.model, subject.sample.database.name)
            if key in found:
                raise BadInput(
                    f"{path} and {found[key]}: both are of {key[0]} on {key[1]}; expected one for "
                    "each model and database"
                )
            found[key] = path
            subjects.append(subject)
    return subjects


def _in_file(
    result: ResultFile, wanted: Sequence[Strategy], candidates: Sequence[Strategy]
) -> Subject:
    allowed = [how for how in candidates if not set(how.words) - set(result.words)]
    readings = {how: read_ratings(how, result.logits_of(how.words)) for how in wanted or allowed}
    sample = sample_of(result.database, result.names, result.mos, places=result.places)
    where = f"{result.model} on {result.database.name}"
    told = [f"{where}: {note}" for note in result.notes]
    notes = (*told, *list_notes(result.database, len(set(result.names))))
    return Subject(result.model, sample, readings, result.logits, notes)


def _in_run(folder: Path, wanted: Sequence[Strategy]) -> Iterator[Subject]:
    """A subject for each database of a run: the images that every strategy has a rating of."""
    info, item_set = read_info(folder), read_item_set(folder)
    ratings = ratings_by(read_scores(folder))
    own = [strategy(spec) for spec in info.strategies]
    names = {how: score_name(own, how) for how in own if not wanted or how in wanted}
    names = {how: name for how, name in names.items() if name in ratings}
    if not names:
        raise BadInput(
            f"{folder}: no ratings in this run by any of the strategies wanted; it was read by "
            f"{', '.join(info.strategies)}. Expected a run of qbench-assessment"
        )
    shared = set.intersection(*(set(ratings[name]) for name in names.values()))
    n_before = 0
    for database, items in by_database(item_set.items).items():
        found = {
            how: rated(database, items, {id: ratings[name][id] for id in shared}, how=how)
            for how, name in names.items()
        }
        readings = {how: one.reading for how, one in found.items() if one is not None}
        one = next(iter(found.values()))
        if one is None:
            continue
        n_before += 1
        left = f"{one.n_unscored:,} of {one.n_items:,} images without a rating are left out."
        told = (f"{info.model} on {database}: {left}",) if one.n_unscored else ()
        yield Subject(info.model, one.sample, readings, notes=told)
    if not n_before:
        raise BadInput(f"{folder}: none of its rated images has people's score (mos) beside it")

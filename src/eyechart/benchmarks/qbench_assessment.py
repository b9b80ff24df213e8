"""Q-Bench, assessment (A3): rate photographs, and see how well that follows people's scores.

In: databases of images with mean opinion scores, that the user names. Out: items to rate, and from
the ratings the leaderboard's tables beside the published rows. It asks no model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from eyechart.assessment.databases import count_note, list_notes, named
from eyechart.assessment.finished import by_database, rows_of_run
from eyechart.assessment.rated_sources import RatedDatabase, read_databases
from eyechart.assessment.replay import notes_of
from eyechart.assessment.reporting import headline_of
from eyechart.assessment.tables import detail, leaderboards
from eyechart.benchmarks import Benchmark, Findings, Source, Told
from eyechart.items import Card, ItemSet

VERSION = "1"
TITLE = "Q-Bench assessment (A3)"
SUMMARY = (
    "Databases of images with people's scores; how well a model's ratings follow them (SRCC, PLCC)."
)
CITATION = (
    "Wu et al. 2023, Q-Bench: A Benchmark for General-Purpose Foundation Models on Low-level "
    "Vision, arXiv 2309.14181; and the publication of each database"
)


def items(source: Source) -> ItemSet:
    """The images of the databases in `source.data`, each to be rated.

    `source.max_photos`: only so many rows of all lists together, from the first on. Raises BadInput
    where none is named, or a list is bad (see `read_databases`).
    """
    databases = read_databases(source.data, source.path, most=source.max_photos)
    found = tuple(item for one in databases for item in one.items)
    card = Card(
        name="qbench-assessment",
        title=f"{TITLE}: {', '.join(one.title for one in databases)}",
        version=VERSION,
        benchmark="qbench-assessment",
        licence="; ".join(dict.fromkeys(one.licence for one in databases if one.licence)),
        citation=CITATION,
        description=SUMMARY,
        cluster="reference" if any("reference" in item.facets for item in found) else "",
        n_items=len(found),
        counts={"rate": len(found)},
        notes=tuple(note for one in databases for note in one.notes),
        digest=_digest(databases),
    )
    return ItemSet(card, found)


def tell(findings: Findings) -> Told:
    """How well the ratings follow people's: SRCC and PLCC by database beside the published rows.

    No tables where no image has a rating. The lead is about the first strategy, the notes are about
    the images that were asked about.
    """
    asked = by_database(findings.item_set.items)
    counts = [(named(name), len(items)) for name, items in asked.items()]
    notes = tuple(note for database, n in counts for note in list_notes(database, n))
    rows = rows_of_run(findings.model, findings.item_set, findings.scores, findings.strategies)
    if not rows:
        return Told(notes=notes)
    first = [row for row in rows if row.strategy.spec == findings.strategies[0]]
    parts = [note for database, n in counts if (note := count_note(database, n))]
    boards = leaderboards(rows, everyone=True, begun=findings.begun, notes=parts)
    return Told(headline_of(first), (*boards, detail(rows, notes=notes_of(rows))), notes=notes)


def _digest(databases: Sequence[RatedDatabase]) -> str:
    """The sha256 of the lists' digests, each with its database's name."""
    digest = hashlib.sha256()
    for one in databases:
        digest.update(f"{one.database.name}/{one.digest}/".encode())
    return digest.hexdigest()


BENCHMARK = Benchmark(
    name="qbench-assessment",
    title=TITLE,
    version=VERSION,
    summary=SUMMARY,
    licence="each database's own",
    citation=CITATION,
    items=items,
    strategies=("softmax:good/poor@100", "argmax:good/poor"),
    tell=tell,
)

"""The six records that flow through Eyechart, and their small parts.

    items --prompts--> requests --ask--> responses --parse, judge--> scores --metrics--> report

Records are frozen and hold data only: no reading, no writing, no model calls here.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

Kind = Literal["single", "multiple", "true_false", "open", "describe", "rate"]
Role = Literal["answer", "judge", "caption", "draft", "label"]
Why = Literal["unparsed", "refused", "failed", "unjudged"]
FacetValue = str | int | float | bool

KINDS: tuple[Kind, ...] = get_args(Kind)
CLOSED_KINDS: frozenset[Kind] = frozenset({"single", "multiple", "true_false"})
JUDGED_KINDS: frozenset[Kind] = frozenset({"open", "describe"})
LETTERS = string.ascii_uppercase
MOST_VERDICT = 2
"""Full marks for an open answer or a description."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One photograph, by path or by its bytes (exactly one of the two is set).

    The bytes are those of the file, never re-encoded. `name` is what errors and reports call it.
    `sha256`: hex digest of the bytes where it is known beforehand; checked before sending.
    """

    path: Path | None = None
    data: bytes | None = field(default=None, repr=False)
    name: str = ""
    sha256: str | None = None

    @property
    def label(self) -> str:
        """A name for people: `name`, else the path, else the digest."""
        return self.name or (str(self.path) if self.path else f"sha256:{(self.sha256 or '?')[:12]}")


@dataclass(frozen=True, slots=True)
class Item:
    """One question about one or more photographs, with its right answer.

    `answer`: an option's text (single), a tuple of them (multiple), True or False (true_false), a
    reference text (open, describe), None (rate, or withheld). `mos`: people's mean opinion score,
    in the unit of its data set. `facets`: what reports are broken down by; values are str, int,
    float or bool, and an absent facet has no key.
    """

    id: str
    kind: Kind
    question: str
    images: tuple[Picture, ...]
    options: tuple[str, ...] = ()
    answer: str | tuple[str, ...] | bool | None = None
    facets: Mapping[str, FacetValue] = field(default_factory=dict)
    source: str = ""
    licence: str = ""
    mos: float | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation: texts and pictures in the order shown."""

    role: Literal["system", "user", "assistant"]
    parts: tuple[str | Picture, ...]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to draw the reply. None leaves the endpoint's own default in force.

    `temperature` >= 0; `top_p` in (0, 1]; `max_tokens` >= 1 counts reasoning too.
    """

    temperature: float | None = 0.0
    top_p: float | None = None
    max_tokens: int | None = 4096


@dataclass(frozen=True, slots=True)
class Want:
    """What is wanted of the model: use `TEXT`, `next_word` or `likelihood`.

    `words`: for next_word, the words whose log-probability is read; for likelihood, the texts.
    """

    name: Literal["text", "next_word", "likelihood"]
    words: tuple[str, ...] = ()


TEXT = Want("text")


def next_word(*words: str) -> Want:
    """Want the log-probability of each word as the very next one.

    >>> next_word("good", "poor").words
    ('good', 'poor')
    """
    return Want("next_word", words)


def likelihood(*texts: str) -> Want:
    """Want the log-likelihood of each whole text as the answer."""
    return Want("likelihood", texts)


@dataclass(frozen=True, slots=True)
class Request:
    """One thing to ask a model. `begun`: the first words of the answer, written for the model.

    `draw` numbers repeated samplings of the same question (0, 1, ...). `variant` tells apart the
    several ways in which an item is asked about or judged (`rotation 1`, `blind`, `completeness`);
    "" is the plain one.
    """

    item_id: str
    role: Role
    turns: tuple[Turn, ...]
    begun: str = ""
    sampling: Sampling = Sampling()
    want: Want = TEXT
    draw: int = 0
    variant: str = ""

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every picture of every turn, in the order shown."""
        return tuple(p for turn in self.turns for p in turn.parts if isinstance(p, Picture))


@dataclass(frozen=True, slots=True)
class Usage:
    """What a call cost: tokens in and out as the endpoint counted them, None where it did not."""

    tokens_in: int | None = None
    tokens_out: int | None = None


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How many tokens a likelihood is of. `n_tokens`: of each wanted text, in their order.

    `prompt`: the natural-log likelihood of the prompt's own tokens, of which there are `n_prompt`;
    both None where the model does not tell.
    """

    n_tokens: tuple[int, ...]
    prompt: float | None = None
    n_prompt: int | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer. `message` is for people and names the file or the endpoint's words.

    `kind`: `image` (cannot be sent), `transient` (tried again in vain), `refused` (the endpoint
    will not take this request), `budget` (not asked: the budget was spent).
    """

    kind: Literal["image", "transient", "refused", "budget"]
    message: str


@dataclass(frozen=True, slots=True)
class Response:
    """What came of one request: exactly one row per request, also when it failed.

    `key`: hex content key, "" if the pictures could not be read. `text` never holds `reasoning`.
    `logprobs`: natural-log probability for each of the wanted words or texts, in their order; None
    for a word outside the list that the endpoint returned, which is then at most `bound`. For texts
    it is the sum over the text's tokens, and `likelihood` counts them.
    `variant` is the request's. `finish`: why the model stopped (`stop`, `length`,
    `content_filter`, ...). `seconds`: of the call that was answered.
    """

    item_id: str
    role: Role
    draw: int
    key: str
    model: str
    revision: str = ""
    text: str | None = None
    reasoning: str | None = None
    logprobs: tuple[float | None, ...] = ()
    bound: float | None = None
    finish: str | None = None
    usage: Usage = Usage()
    seconds: float = 0.0
    failure: Failure | None = None
    variant: str = ""
    likelihood: Likelihood | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """One number for one item, or the reason why there is none.

    `name`: `correct` (0 or 1), `verdict` (a judge's 0-2 halved), `rating` (0 worst to 1 best); or
    one of these with what tells it apart after a dot (`correct.blind`, `verdict.completeness`,
    `rating.five-level`). `extracted`: what was read out of the reply. `detail`: the reason in words
    where unscored. `judge`: the model whose verdict it is, "" where none was needed. `draws`: what
    the value rests on, in its own unit: single verdicts (0-2), samples (0 or 1), or log-odds.
    """

    item_id: str
    name: str
    value: float | None
    why: Why | None = None
    extracted: str = ""
    detail: str = ""
    judge: str = ""
    draws: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Rating:
    """One person's value for one item. `at`: ISO 8601 time, UTC. `round`: 1, 2, ... of rating.

    `value`: of a rated image, in the unit of its scale. Of a closed question the answer that the
    person gave: the number of the option, from 1 on (single); the sum of 2 ** (number - 1) over
    those chosen (multiple); 1 for True, 0 for False. Of an open one what the person's answer was
    given, 0 to 2.
    """

    item_id: str
    rater: str
    value: float
    at: str
    round: int = 1


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its uncertainty; `value` is None where it is undefined, never 0.

    `low`, `high`: 95 % interval, None where it is undefined. `n`: items that entered it.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a report: a metric over the items whose `facet` has `value` ("" = all items).

    `n_unscored`: items without a score, which `estimate` counts as the benchmark's rule says;
    `bounds`: the metric if they were all wrong and all right. `chance`: what guessing would give.
    `why`: how many are unscored for each reason.
    """

    facet: str
    value: str
    metric: str
    estimate: Estimate
    n_unscored: int = 0
    bounds: tuple[float, float] | None = None
    chance: float | None = None
    why: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Curve:
    """A metric against severity, for one distortion; `threshold` in `unit`, None where never seen.

    Points run from the weakest severity to the strongest. `setting`: where the model looked, in
    words that can follow "seen" ("beside the original"), "" where a benchmark has but one.
    `question`: what was asked there, in short, "" where that goes without saying.
    """

    name: str
    unit: str
    severities: tuple[float, ...]
    points: tuple[Estimate, ...]
    chance: float
    threshold: Estimate
    setting: str = ""
    question: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a benchmark's table; `unit` says how its numbers are printed.

    0.612 is 61.2 in `percent`, 0.6120 as a `fraction`, 0.612 as a `number`; `digits` changes how
    many stand after the point. A `count` is whole. `group`: the heading that it shares with the
    columns beside it, "" for none.
    """

    name: str
    unit: Literal["percent", "fraction", "number", "count"] = "number"
    digits: int | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a benchmark's table: an entry for each column; None is undefined, a text is shown.

    `published`: the numbers are those of the publication that `source` names, not measured here.
    `group`: the heading that it shares with the lines below it, "" for none. `ranked`: it competes
    for the best figure of a column; guessing and people do not.
    """

    label: str
    entries: tuple[Estimate | str | None, ...]
    published: bool = False
    source: str = ""
    group: str = ""
    ranked: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """A table in the form that a field knows, with our rows beside published ones.

    `name` is safe as a file name. `note`: what a reader must know to read it. `ranked`: laid out as
    papers do, figures alone with the best of each column bold and the runner-up underlined (ties
    share), intervals and n at hand; else each figure stands over its interval.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    note: str = ""
    label: str = "Model"
    ranked: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """One row of numbers of a chart, one for each label; `published` ones are drawn quietly."""

    name: str
    values: tuple[float | None, ...]
    published: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One part of a chart: `labels` are the axes of a radar, or the parts of a whole."""

    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure in the form that a field knows, before it is drawn.

    `form`: `radar` (fractions, 0 to 1, on as many axes as there are labels) or `shares` (counts,
    whose parts of the whole are drawn). `name` is safe as a file name.
    """

    name: str
    title: str
    form: Literal["radar", "shares"]
    panels: tuple[Panel, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All that a report shows, before it has a form.

    `counts`: `n_items`, `n_scored` and one count per reason of being unscored. `notes`: sentences
    that a reader must see (what was left out, converted, stopped early). `provenance`: every
    version, digest and setting used. `tables`, `charts`: those of the benchmark, in its own form.
    """

    title: str
    benchmark: str
    model: str
    headline: str
    cells: tuple[Cell, ...]
    curves: tuple[Curve, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()

"""From items to requests: what a model is shown and asked, word for word.

In: items, and for judging the replies to them. Out: requests. The words are in `templates/`, one
file per prompt with a version line; their digests go into the report. Asks nobody.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files

from eyechart.errors import UnknownName
from eyechart.records import (
    JUDGED_KINDS,
    LETTERS,
    TEXT,
    Item,
    Picture,
    Request,
    Response,
    Sampling,
    Turn,
    next_word,
)

ORDINALS = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth")
RATE_WORDS = ("good", "poor")
RATE_FORMS = ("begun", "one-word")


@dataclass(frozen=True, slots=True)
class PromptForm:
    """Which of the prompts in circulation to use.

    `rate`: `begun` (Q-Bench's: the answer is begun for the model) or `one-word` (for endpoints that
    cannot go on from a begun answer; another protocol, and named so in the report).
    """

    rate: str = "begun"

    def __post_init__(self) -> None:
        if self.rate not in RATE_FORMS:
            raise UnknownName("rating prompt", self.rate, RATE_FORMS)


@dataclass(frozen=True, slots=True)
class Judging:
    """How to judge: `n_draws` verdicts on each reply, drawn with this sampling."""

    n_draws: int = 5
    sampling: Sampling = Sampling(temperature=None, max_tokens=2048)


def answer_requests(
    items: Iterable[Item], *, form: PromptForm | None = None, sampling: Sampling | None = None
) -> Iterator[Request]:
    """One request for each item, in the order of the items.

    >>> item = Item("1", "single", "What is wrong?", (), ("Blur", "Noise"))
    >>> (request,) = answer_requests([item])
    >>> print(request.turns[0].parts[0])
    What is wrong?
    <BLANKLINE>
    A. Blur
    B. Noise
    <BLANKLINE>
    Answer with the letter of the right option alone.
    """
    form, sampling = form or PromptForm(), sampling or Sampling()
    for item in items:
        if item.kind == "rate":
            yield _rate_request(item, form, sampling)
        else:
            yield _text_request(item, sampling)


def judge_requests(
    items: Mapping[str, Item], responses: Iterable[Response], *, judging: Judging | None = None
) -> Iterator[Request]:
    """The requests that have a text-only judge grade each open answer and description, 0 to 2.

    Items without a reference answer and replies that failed or are empty are left out, and so are
    replies to items that are not among these.
    """
    judging = judging or Judging()
    for response in responses:
        item = items.get(response.item_id)
        if item is None or not needs_judge(item):
            continue
        if response.role != "answer" or not response.text:
            continue
        prompt = fill(
            f"judge_{item.kind}",
            question=item.question,
            reference=str(item.answer),
            reply=response.text,
        )
        turns = (Turn("user", (prompt,)),)
        for draw in range(judging.n_draws):
            yield Request(item.id, "judge", turns, sampling=judging.sampling, draw=draw)


def needs_judge(item: Item) -> bool:
    """Whether an item is scored by a judge against its reference answer."""
    return item.kind in JUDGED_KINDS and isinstance(item.answer, str)


def digests(names: Iterable[str] | None = None) -> dict[str, str]:
    """The version and sha256 (12 hex digits) of prompt templates, all by default."""
    folder = files("eyechart") / "templates"
    chosen = names or sorted(f.name.removesuffix(".txt") for f in folder.iterdir())
    told = {}
    for name in chosen:
        data = (folder / f"{name}.txt").read_bytes()
        version = data.split(b".", 1)[0].removeprefix(b"# ").decode()
        told[name] = f"{version}, sha256 {hashlib.sha256(data).hexdigest()[:12]}"
    return told


def fill(name: str, **values: str) -> str:
    """A template with its `$names` replaced; values are put in as they are, never read again."""
    return _template(name).substitute(values)


@functools.cache
def _template(name: str) -> string.Template:
    text = (files("eyechart") / "templates" / f"{name}.txt").read_text(encoding="utf-8")
    return string.Template(text.split("\n", 1)[1].strip())


def _text_request(item: Item, sampling: Sampling) -> Request:
    options = "\n".join(f"{LETTERS[i]}. {option}" for i, option in enumerate(item.options))
    prompt = _template(item.kind).safe_substitute(question=item.question, options=options)
    turns = (Turn("user", (*_shown(item.images), prompt)),)
    return Request(item.id, "answer", turns, sampling=sampling, want=TEXT)


def _rate_request(item: Item, form: PromptForm, sampling: Sampling) -> Request:
    name, begun = ("rate", fill("rate_begun")) if form.rate == "begun" else ("rate_one_word", "")
    turns = (Turn("user", (*_shown(item.images), fill(name, question=item.question))),)
    one_word = dataclasses.replace(sampling, max_tokens=1)
    want = next_word(*RATE_WORDS)
    return Request(item.id, "answer", turns, begun=begun, sampling=one_word, want=want)


def _shown(images: tuple[Picture, ...]) -> tuple[str | Picture, ...]:
    if len(images) < 2:
        return images
    named = ((f"{ORDINALS[i]} image:", picture) for i, picture in enumerate(images))
    return tuple(part for pair in named for part in pair)

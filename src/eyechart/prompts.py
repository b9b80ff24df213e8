"""From items to requests: what a model is shown and asked, word for word.

In: items, and for judging the replies to them. Out: requests. The words are in `templates/`, one
file per prompt with a version line; their digests go into the report. Asks nobody.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from eyechart.errors import UnknownName
from eyechart.records import (
    CLOSED_KINDS,
    LETTERS,
    TEXT,
    Item,
    Picture,
    Request,
    Response,
    Sampling,
    Turn,
    likelihood,
    next_word,
)
from eyechart.rubrics import GENERAL, Rubric, Rubrics, rubrics_of
from eyechart.scoring.answers import Silence, heard
from eyechart.strategies import DEFAULT_STRATEGY, Strategy, strategy

ORDINALS = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth")
SINGLE_FORMS = {
    "eyechart": "single",
    "paper": "single_paper",
    "llava": "single_llava",
    "letter-suffix": "single_letter_suffix",
    "letter-prefix": "single_letter_prefix",
    "vlmevalkit": "single_vlmevalkit",
}
RATE_FORMS = ("begun", "one-word")
ALSO = ("rotations", "blind", "likelihood")
SAMPLING_TOKENS = 16


@dataclass(frozen=True, slots=True)
class PromptForm:
    """Which of the prompts in circulation to use, and in which other ways to ask as well.

    `single`: of `SINGLE_FORMS`, for single choice. `rate`: `begun` (Q-Bench's: the answer is begun
    for the model) or `one-word` (for endpoints that cannot go on from a begun answer; another
    protocol, and named so in the report). `also`: of `ALSO`: `rotations` asks with the options
    turned into every order of a rotation, `blind` without the image, `likelihood` for how likely
    each option is as the answer. `strategies`: how ratings will be read (see
    `eyechart.strategies`), which decides what is asked; "" and () leave the benchmark its own.
    `n_samples`: replies to each image for the strategy `sampling`.
    """

    single: str = ""
    rate: str = "begun"
    also: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    n_samples: int = 8

    def __post_init__(self) -> None:
        if self.single and self.single not in SINGLE_FORMS:
            raise UnknownName("prompt form", self.single, SINGLE_FORMS)
        if self.rate not in RATE_FORMS:
            raise UnknownName("rating prompt", self.rate, RATE_FORMS)
        for name in self.also:
            if name not in ALSO:
                raise UnknownName("way of asking", name, ALSO)


@dataclass(frozen=True, slots=True)
class Judging:
    """How to judge: `n_draws` verdicts on each reply by each rubric, drawn with this sampling."""

    n_draws: int = 5
    sampling: Sampling = Sampling(temperature=None, max_tokens=2048)


def answer_requests(
    items: Iterable[Item], *, form: PromptForm | None = None, sampling: Sampling | None = None
) -> Iterator[Request]:
    """The requests for each item, in the order of the items, the plain one first.

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
            yield from _rate_requests(item, form, sampling)
        else:
            yield _text_request(item, form, sampling)
            yield from _other_requests(item, form, sampling)


def judge_requests(
    items: Mapping[str, Item],
    responses: Iterable[Response],
    *,
    rubrics: Rubrics = GENERAL,
    judging: Judging | None = None,
) -> Iterator[Request]:
    """The requests that have a text-only judge grade each reply by each of its item's rubrics.

    Replies that say nothing (failed, empty, stopped by a filter) are left out, and so are replies
    to items that are not among these, and those to anything but the plain question.
    """
    judging = judging or Judging()
    for response in responses:
        item = items.get(response.item_id)
        if item is None or response.role != "answer" or response.variant:
            continue
        if isinstance(heard(response), Silence):
            continue
        for rubric in rubrics_of(item, rubrics):
            turns = (Turn("user", (_judge_prompt(rubric, item, response.text or ""),)),)
            for draw in range(judging.n_draws):
                yield Request(
                    item.id,
                    "judge",
                    turns,
                    sampling=judging.sampling,
                    draw=draw,
                    variant=rubric.variant,
                )


def rotated(item: Item, by: int) -> Item:
    """The item with its options turned by so many places: the first ones go to the end.

    >>> rotated(Item("1", "single", "", (), ("a", "b", "c")), 1).options
    ('b', 'c', 'a')
    """
    return dataclasses.replace(item, options=item.options[by:] + item.options[:by])


def rotations(item: Item) -> range:
    """By how many places its options can be turned; nothing where order says nothing."""
    return range(1, len(item.options)) if item.kind in ("single", "multiple") else range(0)


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


def _judge_prompt(rubric: Rubric, item: Item, reply: str) -> str:
    reference = str(item.answer)
    if item.options and item.answer in item.options:
        reference = f"{LETTERS[item.options.index(reference)]}. {reference}"
    return fill(
        rubric.template,
        question=item.question,
        options=_lines(item.options),
        reference=reference,
        reply=reply,
    )


def _lines(options: tuple[str, ...], separator: str = "\n") -> str:
    return separator.join(f"{LETTERS[i]}. {option}" for i, option in enumerate(options))


def _text_request(item: Item, form: PromptForm, sampling: Sampling, variant: str = "") -> Request:
    name = SINGLE_FORMS[form.single or "eyechart"] if item.kind == "single" else item.kind
    prompt = _template(name).safe_substitute(
        question=item.question, options=_lines(item.options), inline=_lines(item.options, " ")
    )
    turns = (Turn("user", (*_shown(item.images), prompt)),)
    return Request(item.id, "answer", turns, sampling=sampling, want=TEXT, variant=variant)


def _other_requests(item: Item, form: PromptForm, sampling: Sampling) -> Iterator[Request]:
    """The closed question in the other ways that are wanted."""
    if item.kind not in CLOSED_KINDS:
        return
    if "rotations" in form.also:
        for by in rotations(item):
            yield _text_request(rotated(item, by), form, sampling, f"rotation {by}")
    if "blind" in form.also and item.images:
        unseen = dataclasses.replace(item, images=())
        yield _text_request(unseen, form, sampling, "blind")
    if "likelihood" in form.also and item.kind == "single":
        prompt = fill("single_likelihood", question=item.question)
        turns = (Turn("user", (*_shown(item.images), prompt)),)
        want = likelihood(*item.options)
        no_reply = dataclasses.replace(sampling, max_tokens=1)
        yield Request(item.id, "answer", turns, sampling=no_reply, want=want, variant="likelihood")


def _rate_requests(item: Item, form: PromptForm, sampling: Sampling) -> Iterator[Request]:
    """One request for each prompt that the strategies need; one that all of them share is one."""
    chosen = [strategy(spec) for spec in form.strategies or (DEFAULT_STRATEGY,)]
    for asking in dict.fromkeys(how.asking for how in chosen):
        mine = [how for how in chosen if how.asking == asking]
        if asking == "number":
            text = fill("rate_number", question=item.question)
            yield _rate_request(item, text, sampling=sampling, variant=asking)
        elif asking == "sampling":
            yield from _rate_samples(item, mine[0], form.n_samples)
        else:
            yield _word_request(item, form, sampling, mine)


def _word_request(
    item: Item, form: PromptForm, sampling: Sampling, chosen: Sequence[Strategy]
) -> Request:
    """The request for the words of strategies that share a prompt."""
    asking = chosen[0].asking
    begun = fill("rate_begun") if form.rate == "begun" else ""
    if asking == "five-level":
        text = fill("rate_levels" if begun else "rate_levels_one_word")
    else:
        text = fill("rate", question=item.question) if begun else _one_word(item, chosen[0])
    turns = (Turn("user", (*_shown(item.images), text)),)
    one_word = dataclasses.replace(sampling, max_tokens=1)
    want = next_word(*dict.fromkeys(word for how in chosen for word in how.words))
    request = Request(item.id, "answer", turns, begun, one_word, want)
    return dataclasses.replace(request, variant=asking)


def _one_word(item: Item, how: Strategy) -> str:
    """The question for one of the strategy's two words, the first of each set."""
    return fill("rate_one_word", question=item.question, good=how.good[0], poor=how.poor[0])


def _rate_samples(item: Item, how: Strategy, n_samples: int) -> Iterator[Request]:
    sampling = Sampling(temperature=1.0, max_tokens=SAMPLING_TOKENS)
    for draw in range(n_samples):
        text = _one_word(item, how)
        yield _rate_request(item, text, sampling=sampling, variant="sampling", draw=draw)


def _rate_request(
    item: Item, text: str, *, sampling: Sampling, variant: str, draw: int = 0
) -> Request:
    turns = (Turn("user", (*_shown(item.images), text)),)
    return Request(item.id, "answer", turns, sampling=sampling, draw=draw, variant=variant)


def _shown(images: tuple[Picture, ...]) -> tuple[str | Picture, ...]:
    if len(images) < 2:
        return images
    named = ((f"{ORDINALS[i]} image:", picture) for i, picture in enumerate(images))
    return tuple(part for pair in named for part in pair)

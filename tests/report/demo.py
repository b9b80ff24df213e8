"""A made-up run with everything a report must cope with: all kinds, gaps, hostile text, curves."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw

from eyechart.items import Card, ItemSet
from eyechart.records import (
    KINDS,
    Curve,
    Estimate,
    FacetValue,
    Failure,
    Item,
    Kind,
    Picture,
    Response,
    Score,
    Why,
)
from eyechart.report import RunFacts

HOSTILE = (
    "<script>alert(\"x\")</script> & 'quoted' \u202egnp.exe\u202c \x00 \ud800 =1+1 | a_b $x$ 画質"
)
DISTORTIONS = {
    "blur": ("px (standard deviation)", 0.4, 12.0, 0.18),
    "noise": ("grey levels of 255 (standard deviation)", 1.0, 50.0, 0.3),
    "jpeg": ("× standard quantiser steps", 0.2, 10.0, 0.55),
    "overexposure": ("EV (stops more light)", 0.1, 3.0, 0.4),
    "contrast": ("% of RMS contrast lost", 3.0, 90.0, 2.0),
    "colour_cast": ("ΔE*ab", 2.0, 60.0, 0.65),
}
OPTIONS = ("Gaussian blur", "Random noise", "JPEG compression", "Nothing: it is unchanged")
BESIDE, ALONE = "beside the original", "from one photograph alone"


def demo_curves(setting: str = BESIDE) -> tuple[Curve, ...]:
    """One curve for each distortion; that of contrast never leaves chance.

    A colour cast is seen beside the original, and alone only perhaps, as all is seen later there.
    """
    return tuple(_curve(name, setting) for name in DISTORTIONS)


def _curve(name: str, setting: str) -> Curve:
    unit, low, high, middle = DISTORTIONS[name]
    chance, middle = (0.25, middle + 0.3) if setting == ALONE else (0.5, middle)
    severities = tuple(round(low * (high / low) ** (i / 7), 4) for i in range(8))
    reach = 0.99 - chance
    values = [chance + reach / (1 + math.exp(-14 * (i / 7 - middle))) for i in range(8)]
    points = [Estimate(v, max(0.0, v - 0.14), min(1.0, v + 0.1), 40) for v in values]
    points[1] = Estimate(None, None, None, 0) if name == "jpeg" else points[1]
    threshold = Estimate(None, None, None, 320)
    if middle < 1:
        at = low * (high / low) ** middle
        threshold = Estimate(at, at / 1.3, at * 1.25 if at * 1.25 < high else None, 320)
    return Curve(name, unit, severities, tuple(points), chance, threshold, setting)


def demo_photographs(folder: Path, n: int = 6) -> list[Picture]:
    """Small colourful pictures on disk."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = []
    for i in range(n):
        image = Image.linear_gradient("L").resize((320, 240)).convert("RGB")
        ImageDraw.Draw(image).ellipse(
            (40 + 20 * i, 40, 180 + 20 * i, 180), fill=(40 * i % 256, 120, 255 - 40 * i)
        )
        path = folder / f"photo{i}.png"
        image.save(path)
        pictures.append(Picture(path=path, name=path.name))
    return pictures


def demo_items(pictures: list[Picture], n: int) -> ItemSet:
    """`n` items of all kinds by turns, some with hostile text."""
    names = list(DISTORTIONS)
    items = []
    for i in range(n):
        kind: Kind = KINDS[(0, 0, 2, 0, 1, 2, 5, 3)[i % 8]]
        distortion, level = names[i // 8 % len(names)], (i + i // 48) % 8 + 1
        facets: dict[str, FacetValue] = {
            "distortion": distortion,
            "severity_level": level,
            "photo": pictures[i % len(pictures)].name,
        }
        first, second = pictures[i % len(pictures)], pictures[(i + 1) % len(pictures)]
        items.append(_item(i, kind, (first, second) if i % 16 == 3 else (first,), facets))
    return ItemSet(Card("demo", cluster="photo"), tuple(items))


def _item(i: int, kind: Kind, images: tuple[Picture, ...], facets: dict[str, FacetValue]) -> Item:
    question = {
        "single": "Which of these has been done to this photograph?",
        "multiple": "Which of these have been done? Choose all that apply.",
        "true_false": "Random noise has been added to this photograph.",
        "open": "What has been done to this photograph, and how strongly?",
    }.get(kind, "Rate the quality of the image.")
    options: tuple[str, ...] = ()
    answer: str | tuple[str, ...] | bool | None = None
    if kind == "single":
        options, answer = OPTIONS, OPTIONS[i % 4]
    if kind == "multiple":
        options, answer = OPTIONS[:3], OPTIONS[:2]
    if kind == "true_false":
        answer = bool(i % 3)
    if kind == "open":
        answer = "Random noise has been added, slight: a standard deviation of 5 grey levels."
    text = f"{question} {HOSTILE}" if i % 40 == 10 else question
    return Item(f"q{i:04}", kind, text, images, options, answer, facets)


def demo_answers(items: ItemSet, seed: int = 1) -> tuple[list[Response], list[Score]]:
    """Replies and scores: most right, some wrong, not understood, failed or unjudged."""
    random = Random(seed)
    answered = [_answer(item, random, i) for i, item in enumerate(items.items)]
    return [response for response, _ in answered], [score for _, score in answered]


def _answer(item: Item, random: Random, i: int) -> tuple[Response, Score]:
    name = {"rate": "rating", "open": "verdict"}.get(item.kind, "correct")
    response = Response(item.id, "answer", 0, f"{i:08x}", "demo-model", text="B", finish="stop")
    if i % 37 == 5:
        failure = Failure("image", f"{item.images[0].label}: cannot be decoded; it is truncated")
        response = Response(item.id, "answer", 0, "", "demo-model", failure=failure)
        return response, Score(item.id, name, None, "failed", detail=failure.message)
    if i % 40 == 10:
        text = HOSTILE + " word" * 1000
        return _said(response, text), Score(item.id, name, None, "unparsed", HOSTILE, "names 2")
    if item.kind == "rate":
        rating = 1 - int(item.facets["severity_level"]) / 9 + random.uniform(-0.2, 0.2)
        said = Response(item.id, "answer", 0, f"{i:08x}", "demo-model", logprobs=(-0.3, -1.7))
        return said, Score(item.id, name, min(1.0, max(0.0, rating)), extracted="log-odds 1.4000")
    if item.kind == "open":
        value = random.choice((0.0, 0.5, 1.0, None))
        text = "There is some noise, moderately strong, mostly in the darker parts of the picture."
        why: Why | None = "unjudged" if value is None else None
        return _said(response, text), Score(item.id, name, value, why, "1" if value else "")
    right = random.random() < 0.68
    text = f"The answer is ({'A' if right else 'B'})."
    reasoning = "Let me look at the flat areas first. The sky seems grainy." if i % 5 else None
    read = "A, B" if item.kind == "multiple" and right else text[-3]
    return _said(response, text, reasoning), Score(item.id, name, float(right), extracted=read)


def _said(response: Response, text: str, reasoning: str | None = None) -> Response:
    return Response(
        *(response.item_id, response.role, response.draw, response.key, response.model),
        text=text,
        reasoning=reasoning,
        finish="stop",
    )


def demo_facts() -> RunFacts:
    """What the run knows besides."""
    return RunFacts(
        title="The eye chart, on six photographs",
        benchmark="snellen",
        model="demo-model",
        curves=(*demo_curves(BESIDE), *demo_curves(ALONE)),
        notes=("1 picture was not sent as it is: TIFF to PNG, losslessly.",),
        provenance={
            "eyechart": "0.1.0",
            "model": "demo-model",
            "revision": "2026-01-01",
            "items digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "sampling": "temperature 0, max_tokens 4096",
            "prompt single (version 1)": "{question}\n\n{options}\n"
            + "Answer with a letter. " * 20,
        },
        judges=("demo-judge",),
    )

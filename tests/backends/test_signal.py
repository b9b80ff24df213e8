from __future__ import annotations

import asyncio
import dataclasses
import io
import math

import numpy as np
import pytest
from PIL import Image

from eyechart.asking.backend import Answer, Call
from eyechart.backends.signal import BACKEND, MAX_REMEMBERED, Signal
from eyechart.backends.signal_answers import CANNOT_TELL, describe
from eyechart.backends.signal_faults import FAULTS, badness, signs
from eyechart.backends.signal_words import Mention, mention
from eyechart.colour import Pixels
from eyechart.distortions import DISTORTIONS
from eyechart.errors import Refused
from eyechart.images import encode
from eyechart.meters import read_meters
from eyechart.photographs import bundled_photographs, read_pixels
from eyechart.prompts import answer_requests
from eyechart.records import (
    Item,
    Kind,
    Picture,
    Request,
    Turn,
    likelihood,
    next_word,
)

COFFEE = read_pixels(bundled_photographs()[1])
ROCKET = read_pixels(bundled_photographs()[3])


def changed(name: str, level: int, pixels: Pixels = COFFEE) -> Pixels:
    distortion = next(d for d in DISTORTIONS if d.name == name)
    rng = np.random.default_rng(1)
    return distortion.apply(pixels, distortion.severities[level - 1], rng)


def picture(pixels: Pixels) -> Picture:
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return Picture(data=data.getvalue(), name="a.png")


def answer(request: Request) -> Answer:
    call = Call(request, tuple(encode(shown) for shown in request.pictures))
    return asyncio.run(BACKEND.open("signal").answer(call))


def reply(kind: Kind, question: str, *shown: Pixels, options: tuple[str, ...] = ()) -> str | None:
    """What it replies to an item, asked as any model is."""
    item = Item("1", kind, question, tuple(picture(p) for p in shown), options)
    (request,) = answer_requests([item])
    return answer(request).text


BOTH = ("The first image", "The second image")


@pytest.mark.parametrize("distortion", [d.name for d in DISTORTIONS])
def test_it_tells_which_of_two_was_distorted(distortion: str) -> None:
    noun = next(d.noun for d in DISTORTIONS if d.name == distortion)
    question = f"To one of these images, {noun} has been applied. To which one?"
    worse = changed(distortion, 7, ROCKET)
    assert reply("single", question, ROCKET, worse, options=BOTH) == "B"
    assert reply("single", question, worse, ROCKET, options=BOTH) == "A"


@pytest.mark.parametrize(
    ("distortion", "option"),
    [
        ("blur", "Gaussian blur"),
        ("noise", "Random noise"),
        ("jpeg", "JPEG compression"),
        ("overexposure", "Overexposure"),
        ("underexposure", "Underexposure"),
        ("contrast", "Loss of contrast"),
        ("colour_cast", "A colour cast"),
        ("pixelation", "Pixelation"),
    ],
)
def test_it_names_a_gross_distortion(distortion: str, option: str) -> None:
    other = "Random noise" if distortion != "noise" else "Overexposure"
    options = (other, "Nothing: it is unchanged", option)
    question = "Which of these has been done to this photograph?"
    assert reply("single", question, changed(distortion, 8), options=options) == "C"
    verb = f"{option} has been applied to this photograph."
    assert reply("true_false", verb, changed(distortion, 8)) == "True"


def test_it_finds_nothing_where_nothing_offered_is_out_of_the_ordinary() -> None:
    options = ("Pixelation", "Random noise", "Nothing: it is unchanged")
    assert reply("single", "Which of these has been done?", ROCKET, options=options) == "C"
    assert reply("true_false", "Pixelation has been applied.", ROCKET) == "False"


def test_it_chooses_all_that_show() -> None:
    both = changed("noise", 8, changed("underexposure", 7))
    options = ("Gaussian blur", "Random noise", "JPEG compression", "Underexposure")
    assert reply("multiple", "Which of these?", both, options=options) == "B, D"


@pytest.mark.parametrize(
    ("distortion", "question", "options", "expected"),
    [
        ("blur", "Is this image blurry?", ("No", "Yes"), "B"),
        ("blur", "Is the image sharp?", ("Yes", "No"), "B"),
        ("noise", "Is this picture not noisy?", ("Yes", "No"), "B"),
        ("blur", "How is the clarity of this image?", ("High", "Acceptable", "Low"), "C"),
        ("underexposure", "How is the lighting?", ("Bright", "Normal", "Dark"), "C"),
        ("noise", "How severe is the noise?", ("Slight", "Moderate", "Severe"), "C"),
        ("noise", "How is the quality of this photo?", ("Good", "Bad"), "B"),
        ("contrast", "Is it washed out?", ("Yes", "No"), "A"),
        ("jpeg", "What degrades it most?", ("Motion blur", "Compression artifacts"), "B"),
    ],
)
def test_it_answers_questions_of_other_benchmarks(
    distortion: str, question: str, options: tuple[str, ...], expected: str
) -> None:
    assert reply("single", question, changed(distortion, 8), options=options) == expected


@pytest.mark.parametrize(
    ("question", "options", "expected"),
    [
        ("Which image is sharper?", BOTH, "A"),
        ("Which image has the worse quality?", BOTH, "B"),
        ("Is the second image blurrier than the first?", ("Yes", "No"), "A"),
        ("Is the second image clearer than the first?", ("Yes", "No"), "B"),
        ("Which is darker?", (*BOTH, "About the same"), "C"),
    ],
)
def test_it_compares_two_pictures(question: str, options: tuple[str, ...], expected: str) -> None:
    assert reply("single", question, COFFEE, changed("blur", 8), options=options) == expected


@pytest.mark.parametrize(
    ("question", "options"),
    [
        ("What is the boat made of?", ("Wood", "Steel")),
        ("Is the composition pleasing?", ("Yes", "No")),
        ("Who is this?", ("Ada", "Grace")),
    ],
)
def test_it_says_so_where_its_meters_cannot_tell(question: str, options: tuple[str, ...]) -> None:
    assert reply("single", question, COFFEE, options=options) == CANNOT_TELL
    assert reply("single", question, COFFEE, COFFEE, options=options) == CANNOT_TELL


def test_without_a_picture_or_with_a_tiny_one_it_cannot_tell() -> None:
    assert reply("true_false", "The photograph is blurred.") == CANNOT_TELL
    assert reply("true_false", "The photograph is blurred.", COFFEE[:20, :20]) == CANNOT_TELL
    assert reply("open", "What is wrong?") == CANNOT_TELL


def rating(pixels: Pixels, *words: str) -> tuple[float | None, ...]:
    item = Item("1", "rate", "Rate the quality of the image.", (picture(pixels),))
    (request,) = answer_requests([item])
    request = Request("1", "answer", request.turns, begun=request.begun, want=next_word(*words))
    return answer(request).logprobs


def test_ratings_fall_as_a_distortion_grows() -> None:
    good = [rating(changed("blur", level), "good", "poor")[0] or 0.0 for level in (3, 5, 7)]
    assert good == sorted(good, reverse=True)
    assert good[0] > good[-1] + 0.1


def test_the_shares_of_words_add_up_and_an_unknown_word_has_none() -> None:
    shares = rating(COFFEE, "excellent", "good", "fair", "poor", "bad")
    assert sum(math.exp(share) for share in shares if share is not None) == pytest.approx(1)
    assert rating(COFFEE, "good", "purple", "poor")[1] is None
    assert rating(COFFEE, "purple", "green") == (None, None)


def test_whole_texts_are_weighed_like_options() -> None:
    turns = (Turn("user", (picture(changed("noise", 8)), "Which fault does it have?")),)
    want = likelihood("Heavy noise covers it.", "It is pixelated.")
    noise, pixelation = answer(Request("1", "answer", turns, want=want)).logprobs
    assert noise is not None
    assert pixelation is not None
    assert noise > pixelation


def test_a_begun_answer_is_gone_on_with() -> None:
    turns = (Turn("user", (picture(changed("blur", 8)), "Rate the quality of the image.")),)
    begun = "The quality of the image is"
    assert answer(Request("1", "answer", turns, begun=begun)).text == "bad."


def test_descriptions_name_what_the_meters_show() -> None:
    told = reply("describe", "Describe the quality of the image in details.", changed("noise", 8))
    assert told is not None
    assert "severely noisy (about 5" in told
    told = reply("open", "What has been done to this photograph?", changed("underexposure", 8))
    assert told is not None
    assert "severely underexposed (-" in told
    two = reply("open", "Compare the images.", ROCKET, changed("pixelation", 8))
    assert two is not None
    assert two.startswith("Image 1: The picture is")
    assert "Image 2: The picture is severely pixelated (blocks of about 3" in two


def test_a_photograph_without_faults_is_said_to_have_none() -> None:
    usual = dict.fromkeys(FAULTS, 0.0)
    assert describe(read_meters(COFFEE), usual).startswith("My meters show no fault. The picture")


def test_signs_grow_with_their_fault_and_badness_with_any() -> None:
    plain, blurred = (signs(read_meters(p)) for p in (COFFEE, changed("blur", 7)))
    assert blurred["blur"] > plain["blur"] + 1
    assert badness(blurred) > badness(plain)


def test_a_picture_that_cannot_be_decoded_is_refused() -> None:
    data = io.BytesIO()
    Image.fromarray(COFFEE).save(data, "JPEG")
    whole = encode(Picture(data=data.getvalue(), name="a.jpg"))
    broken = dataclasses.replace(whole, data=whole.data[:-3000], sha256="0" * 64)
    request = Request("1", "answer", (Turn("user", (picture(COFFEE), "Is it blurry?")),))
    with pytest.raises(Refused, match="the picture cannot be decoded"):
        asyncio.run(Signal().answer(Call(request, (broken,))))


def test_a_large_photograph_is_measured_at_a_smaller_size() -> None:
    large = np.kron(COFFEE, np.ones((4, 4, 1), dtype=np.uint8))
    assert reply("open", "What is wrong?", large) is not None


def test_readings_are_remembered_but_not_without_end() -> None:
    signal = Signal()
    request = Request("1", "answer", (Turn("user", (picture(COFFEE), "Is it blurry?")),))
    image = encode(request.pictures[0])

    async def story() -> None:
        first = await signal.answer(Call(request, (image,)))
        assert await signal.answer(Call(request, (image,))) == first
        assert len(signal._readings) == 1
        signal._readings |= {str(n): None for n in range(MAX_REMEMBERED)}
        del signal._readings[image.sha256]
        await signal.answer(Call(request, (image,)))
        assert len(signal._readings) == MAX_REMEMBERED
        await signal.close()
        assert not signal._readings

    asyncio.run(story())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Motion blur", Mention("motion_blur", 1)),
        ("out of focus", Mention("blur", 1)),
        ("The noise-free sky", Mention("noise", -1)),
        ("It isn't very sharp.", Mention("blur", 1)),
        ("low contrast", Mention("contrast", 1)),
        ("strong contrast", Mention("contrast", -1)),
        ("over-exposed", Mention("overexposure", 1)),
        ("A color tint", Mention("colour_cast", 1)),
        ("no JPEG artefacts", Mention("jpeg", -1)),
        ("clearly a boat", None),
        ("", None),
    ],
)
def test_words_of_quality_are_understood(text: str, expected: Mention | None) -> None:
    assert mention(text) == expected


def test_a_palette_with_transparency_is_measured_like_any_picture() -> None:
    data = io.BytesIO()
    Image.fromarray(COFFEE).convert("P").save(data, "PNG", transparency=bytes([0, 128, 255]))
    turns = (Turn("user", (Picture(data=data.getvalue()), "Is it good?\n\nA. Yes\nB. No")),)
    assert answer(Request("1", "answer", turns)).text in ("A", "B")

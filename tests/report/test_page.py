from __future__ import annotations

import dataclasses
import hashlib
import re
from base64 import b64encode
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.report.conftest import Demo
from tests.report.demo import HOSTILE, demo_photographs

from eyechart.items import Card, ItemSet
from eyechart.records import Cell, Estimate, Item, Picture, Response, Score
from eyechart.report import Entry
from eyechart.report.entries import MOST_CHARACTERS, listing_of, status_of
from eyechart.report.page import bar_of, report_page, split_headline


class Elements(HTMLParser):
    """Every start tag of a page with its attributes, and all text outside script and style."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._raw = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._raw = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._raw = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self._raw else data

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


@pytest.fixture(scope="module")
def page(demo: Demo) -> str:
    return report_page(demo.report, listing_of(demo.entries))


def picture_entry(picture: Picture, i: int) -> Entry:
    item = Item(str(i), "single", "?", (picture,), ("a", "b"), "a")
    return Entry(item, (), (Score(str(i), "correct", 0.0),))


def test_the_first_screen_says_what_was_found(page: str, demo: Demo) -> None:
    text = Elements(page).text.replace("\N{NO-BREAK SPACE}", " ")
    found = split_headline(demo.report.headline)
    assert text.index(found.lead) < text.index("The eye chart\n") < text.index("The questions")
    assert found.findings in text


def test_foreign_text_never_becomes_markup(page: str) -> None:
    elements = Elements(page)
    assert elements.count("script") == 1
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;" in page
    assert '<script>alert("x")' in elements.text
    assert not [name for _, attrs in elements.tags for name in attrs if name.startswith("on")]


def test_foreign_text_cannot_turn_direction_hide_bytes_or_break_the_encoding(page: str) -> None:
    assert not {"\u202e", "\u202c", "\x00", "\ud800"} & set(page)
    assert "[U+202E]gnp.exe[U+202C] [U+0000] [U+D800]" in page
    page.encode("utf-8")


def test_hostile_titles_and_facets_are_escaped_too(demo: Demo) -> None:
    hostile = dataclasses.replace(
        demo.report,
        title=HOSTILE,
        model=HOSTILE,
        headline=HOSTILE,
        notes=(HOSTILE,),
        cells=(Cell(HOSTILE, HOSTILE, "accuracy", Estimate(0.5, 0.4, 0.6, 9)),),
        curves=(dataclasses.replace(demo.report.curves[0], name=HOSTILE, unit=HOSTILE),),
        provenance={HOSTILE: HOSTILE * 9},
    )
    item = Item(HOSTILE, "single", HOSTILE, (Picture(name=HOSTILE),), (HOSTILE,), HOSTILE, {"f": 1})
    response = Response(HOSTILE, "answer", 0, "", HOSTILE, text=HOSTILE, reasoning=HOSTILE)
    score = Score(HOSTILE, "correct", None, "unparsed", HOSTILE, HOSTILE)
    elements = Elements(report_page(hostile, listing_of([Entry(item, (response,), (score,))])))
    assert elements.count("script") == 1


def test_the_page_needs_no_network_and_runs_only_its_own_script(page: str) -> None:
    elements = Elements(page)
    links = [attrs.get(name) or "" for _, attrs in elements.tags for name in ("src", "href")]
    assert all(link.startswith(("data:", "#")) for link in links if link)
    script = re.search("<script>(.*?)</script>", page, re.DOTALL)
    assert script is not None
    digest = b64encode(hashlib.sha256(script.group(1).encode()).digest()).decode()
    (policy,) = [a["content"] for _, a in elements.tags if a.get("http-equiv")]
    assert policy is not None
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_ids_are_unique(page: str) -> None:
    ids = [attrs["id"] for _, attrs in Elements(page).tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_every_control_has_a_label(page: str) -> None:
    labelled = re.findall(r"<label>.*?</label>", page, re.DOTALL)
    n_controls = sum(Elements(page).count(tag) for tag in ("input", "select"))
    assert n_controls > 5
    assert sum(len(re.findall("<input|<select", label)) for label in labelled) == n_controls


def test_without_its_script_the_page_lists_every_item(page: str, demo: Demo) -> None:
    items = [a for t, a in Elements(page).tags if t == "li" and a.get("class") == "item panel"]
    assert len(items) == len(demo.entries)
    assert not any("hidden" in attrs for attrs in items)


def test_a_huge_reply_is_trimmed_with_a_note(demo: Demo) -> None:
    response = Response("1", "answer", 0, "", "m", text="word " * 200_000)
    item = Item("1", "describe", "?", ())
    page = report_page(
        demo.report, listing_of([Entry(item, (response,), (Score("1", "verdict", 1.0),))])
    )
    assert f"… and {1_000_000 - MOST_CHARACTERS:,} more characters, in the run folder" in page
    assert len(page) < 400_000


def test_the_right_option_is_marked_and_the_reasoning_is_folded_apart(page: str) -> None:
    assert '<li class="is-right"><bdi>Gaussian blur</bdi> <span class="tag">✓ right answer' in page
    assert "<details><summary>reasoning, not graded</summary>" in page


def test_an_unscored_item_says_why(page: str) -> None:
    assert "not understood: names 2" in page


def test_a_failed_call_is_told_once_beside_the_item(demo: Demo) -> None:
    page = report_page(demo.report, listing_of([demo.entries[5]]))
    assert page.count("photo5.png: cannot be decoded; it is truncated") == 1
    assert '<dt>Unscored</dt><dd class="why"><bdi>failed</bdi></dd>' in page


def test_the_wrong_and_unscored_come_first(demo: Demo) -> None:
    statuses = [entry.status for entry in listing_of(demo.entries).entries]
    order = list(dict.fromkeys(statuses))
    assert order == ["wrong", "unscored", "partly", "unjudged", "right", "rated"]


def test_an_item_that_waits_for_a_judge_is_not_called_unscored() -> None:
    item = Item("1", "open", "?", (), answer="noise")
    entry = Entry(item, (), (Score("1", "verdict", None, "unjudged"),))
    assert status_of(entry) == "unjudged"


def test_at_most_200_thumbnails_each_embedded_once(tmp_path: Path) -> None:
    (first,) = demo_photographs(tmp_path, 1)
    data = first.path.read_bytes() if first.path else b""
    pictures = []
    for i in range(210):
        path = tmp_path / f"{i}.png"
        path.write_bytes(data)
        pictures.append(Picture(path=path, name=path.name))
    entries = [picture_entry(picture, i) for i, picture in enumerate([*pictures, *pictures])]
    listing = listing_of(entries)
    assert len(listing.symbols) == 200
    assert listing.n_without_thumbnail == 10
    assert listing.entries[0].shots == listing.entries[210].shots


def test_a_picture_that_cannot_be_opened_has_no_thumbnail(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"")
    (entry,) = listing_of([picture_entry(Picture(path=broken, name="broken.jpg"), 1)]).entries
    assert entry.shots[0].symbol == ""


def test_at_most_2000_items_are_listed_and_the_page_says_so(demo: Demo) -> None:
    items = [Item(str(i), "rate", "?", ()) for i in range(2001)]
    entries = Entry.joined(ItemSet(Card("x"), tuple(items)), [], [])
    page = report_page(demo.report, listing_of(entries))
    assert page.count('<li class="item panel"') == 2000
    assert "The first 2,000 of 2,001 items, the wrong and unscored first" in page


def test_an_undefined_value_has_no_mark_on_its_bar() -> None:
    bar = bar_of(Cell("", "", "accuracy", Estimate(None, None, None, 0)))
    assert (bar.value, bar.low, bar.high, bar.chance) == ("", "", "", "")


def test_a_bar_lies_on_the_scale_of_its_metric() -> None:
    assert bar_of(Cell("", "", "accuracy", Estimate(0.25, 0.0, 1.0, 9))).value == "25.00%"
    assert bar_of(Cell("", "", "srcc_mos", Estimate(0.0, -1.0, 1.0, 9))).value == "50.00%"


def test_each_setting_has_an_eye_chart_with_its_question_and_chance(demo: Demo) -> None:
    curves = [dataclasses.replace(c, question="Which is it?") for c in demo.report.curves]
    page = report_page(dataclasses.replace(demo.report, curves=tuple(curves)), listing_of([]))
    text = Elements(page).text
    assert text.index("Beside the original") < text.index("From one photograph alone")
    assert text.count("Which is it? Guessing is right in 50") == 1
    assert text.count("Which is it? Guessing is right in 25") == 1
    assert page.count('<table class="eyechart">') == 2


def test_the_verdicts_of_a_judge_are_folded_under_its_name(demo: Demo) -> None:
    item = Item("1", "open", "?", (), answer="noise")
    answer = Response("1", "answer", 0, "", "m", text="It is noisy.")
    verdicts = [Response("1", "judge", i, "", "a-judge", text=f"Score: {i}") for i in range(2)]
    entry = Entry(item, (answer, *verdicts), (Score("1", "verdict", 0.25, extracted="0 1"),))
    page = report_page(demo.report, listing_of([entry]))
    _, _, folded = page.partition("<summary>2 verdicts by <bdi>a-judge</bdi></summary>")
    assert folded.index("Score: 0") < folded.index("Score: 1") < folded.index("</details>")
    assert "<dt>Scores, 0–2</dt><dd><bdi>0 1</bdi></dd>" in folded
    assert "<dt>Verdict</dt><dd>25.0 %</dd>" in folded


def test_commands_in_notes_are_set_as_code(demo: Demo) -> None:
    report = dataclasses.replace(demo.report, notes=("Run `a <b>` again.", "5` is odd"))
    page = report_page(report, listing_of([]))
    assert "Run <code>a &lt;b&gt;</code> again." in page
    assert "5` is odd" in page

"""The documents are true: what exists is named in them, what they name exists, their code runs."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from tests.conftest import photograph

import eyechart
from eyechart import plugins
from eyechart.backends.openai_address import VENDORS
from eyechart.benchmarks import Source
from eyechart.cli import app
from eyechart.distortions import DISTORTIONS
from eyechart.items import ItemSet
from eyechart.photographs import bundled_photographs
from eyechart.records import KINDS
from eyechart.run_settings import RunSettings

ROOT = Path(__file__).parents[1]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
REFERENCE = (ROOT / "docs" / "reference.md").read_text("utf-8")
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text("utf-8")
ALL = "\n".join(page.read_text("utf-8") for page in PAGES)


def _commands(group: Any, before: str = "") -> dict[str, Any]:
    """Every command by its words; a group is one where it does something by itself."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        if getattr(command, "commands", None):
            found |= _commands(command, f"{before}{name} ")
            if not command.invoke_without_command:
                continue
        found[before + name] = command
    return found


COMMANDS = _commands(typer.main.get_command(app))
KINDS_OF_PLUGIN = list(plugins.CONSTANTS)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
MOST_IMAGE_BYTES = 300_000


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language in a page, in order."""
    return [text for kind, text in FENCE.findall(page.read_text("utf-8")) if kind == language]


def rows(heading: str) -> dict[str, list[str]]:
    """The table of the protocol whose first column has this heading, by the `name` in it."""
    table = re.search(rf"^\| {heading} \|.*?(?=\n\n)", PROTOCOL, re.MULTILINE | re.DOTALL)
    assert table, heading
    cells = [line.strip("| ").split(" | ") for line in table[0].splitlines()[2:]]
    return {one[0].split("`")[1]: one for one in cells}


def anchors(page: Path) -> set[str]:
    """What a heading can be linked by: lower case, no punctuation, hyphens for blanks."""
    text = FENCE.sub("", page.read_text("utf-8"))
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for target in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
            if "://" not in target:
                yield page, target


def told(part: Path | str) -> str:
    """A page or a link in a test's name."""
    return part.name if isinstance(part, Path) else part


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one photograph, which is small, so that its chart is soon made."""
    folder = tmp_path_factory.mktemp("photos")
    photograph(0).save(folder / "a.png")
    return folder


@pytest.fixture(scope="module")
def place(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader of the documents stands: `my-photos` and `my-chart` are there."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "my-photos").symlink_to(photos)
    make = plugins.benchmark("snellen").make
    assert make is not None
    make(Source(photos, folder), folder / "my-chart")
    return folder


@pytest.fixture(scope="module")
def chart(place: Path) -> ItemSet:
    return eyechart.read_items(place / "my-chart")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EYECHART_WORKSPACE", raising=False)
    return tmp_path


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_reference(name: str) -> None:
    assert f"`eyechart {name}`" in REFERENCE


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example_of_itself(name: str) -> None:
    assert f"Example: eyechart {name}" in COMMANDS[name].help


def test_every_option_is_in_the_reference() -> None:
    options = {o for c in COMMANDS.values() for p in c.params for o in p.opts if o[:2] == "--"}
    assert {option for option in options if f"`{option}`" not in REFERENCE} == set()


@pytest.mark.parametrize("name", eyechart.__all__)
def test_every_public_name_is_in_the_reference(name: str) -> None:
    assert re.search(rf"`{name}\b", REFERENCE)


@pytest.mark.parametrize("kind", KINDS_OF_PLUGIN)
def test_every_plug_in_is_in_the_documents(kind: str) -> None:
    assert [name for name in plugins.names(kind) if f"`{name}`" not in ALL] == []


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_vendor_is_in_the_documents(vendor: str) -> None:
    assert f"`{vendor}:NAME`" in ALL
    assert not VENDORS[vendor].key_name or f"`{VENDORS[vendor].key_name}`" in ALL


def test_every_variable_that_is_read_is_in_the_reference() -> None:
    sources = (ROOT / "src" / "eyechart").rglob("*.py")
    read = {n for f in sources for n in re.findall(r"EYECHART_[A-Z_]+", f.read_text("utf-8"))}
    assert {name for name in read if f"`{name}`" not in REFERENCE} == set()


def test_every_kind_of_question_is_in_the_reference() -> None:
    assert [kind for kind in KINDS if f"`{kind}`" not in REFERENCE] == []


def test_every_command_line_in_the_documents_exists() -> None:
    names = "|".join(sorted(COMMANDS, key=len, reverse=True))
    told = re.findall(rf"(?:^\$ |`)eyechart ({names}|[a-z]+)\b([^`\n#]*)", ALL, re.MULTILINE)
    assert len(told) > 20
    for name, rest in told:
        assert name in COMMANDS, name
        known = {option for param in COMMANDS[name].params for option in param.opts}
        assert set(re.findall(r"(?<!\S)--[a-z-]+", rest)) <= known | {"--help"}, (name, rest)


@pytest.mark.parametrize(("page", "target"), list(links()), ids=told)
def test_a_link_leads_somewhere(page: Path, target: str) -> None:
    file, _, anchor = target.partition("#")
    path = page.parent / file if file else page
    assert path.is_file(), f"{page.name}: {target}"
    assert not anchor or anchor in anchors(path), f"{page.name}: {target}"


def test_pictures_in_the_documents_are_small() -> None:
    for picture in (ROOT / "docs" / "images").iterdir():
        assert picture.stat().st_size < MOST_IMAGE_BYTES, picture.name


@pytest.mark.parametrize(
    "page",
    [page for page in [ROOT / "README.md", *DOCS] if blocks(page, "python")],
    ids=told,
)
def test_the_python_in_a_document_runs(page: Path, here: Path, place: Path) -> None:
    for name in ("my-photos", "my-chart"):
        (here / name).symlink_to(place / name)
    names: dict[str, object] = {}
    for number, code in enumerate(blocks(page, "python"), start=1):
        exec(compile(code, f"{page.name}, block {number}", "exec"), names)


def test_the_example_plug_ins_work_by_path(here: Path, photos: Path) -> None:
    names = re.findall(r"`src/eyechart/\w+/(\w+\.py)`", CONTRIBUTING)
    assert names == ["yes_no.py", "echo.py", "mae.py"]
    for name, code in zip(names, blocks(ROOT / "CONTRIBUTING.md", "python"), strict=True):
        (here / name).write_text(code, encoding="utf-8")
    assert plugins.benchmark("./yes_no.py").name == "yes-no"
    assert plugins.open_model("./echo.py").model == "echo"
    assert plugins.metric("./mae.py").compute([1.0, 2.0], [1.0, 4.0]) == 1.0
    assert plugins.metric("./mae.py").compute([], []) is None
    settings = RunSettings(photos=photos)
    outcome = eyechart.evaluate("./yes_no.py", "./echo.py", out="run", settings=settings)
    assert (outcome.n_asked, outcome.n_failed) == (1, 0)
    assert outcome.report.counts == {"n_items": 1, "n_scored": 0, "unparsed": 1}
    assert (here / "run" / "report.html").is_file()


def test_the_example_benchmark_works_without_photographs_of_ones_own(here: Path) -> None:
    (here / "yes_no.py").write_text(blocks(ROOT / "CONTRIBUTING.md", "python")[0])
    item_set = plugins.benchmark("./yes_no.py").items(Source(None, here, max_photos=2))
    assert [item.id for item in item_set.items] == ["astronaut", "coffee"]


def test_the_rows_of_the_how_to_are_read_without_a_problem(tmp_path: Path) -> None:
    (text,) = blocks(ROOT / "docs" / "how-to.md", "json")
    (tmp_path / "metadata.jsonl").write_text(text, encoding="utf-8")
    for seed, name in enumerate(("a.jpg", "b.jpg")):
        photograph(seed).save(tmp_path / name)
    items = eyechart.read_items(tmp_path).items
    assert [item.id for item in items] == [json.loads(line)["id"] for line in text.splitlines()]
    assert {item.kind for item in items} == set(KINDS) - {"describe"}
    assert {name for item in items for name in item.facets} == {"place"}
    assert all(picture.path and picture.path.is_file() for i in items for picture in i.images)


def test_the_distortions_are_told_with_family_unit_and_severities() -> None:
    told = rows("distortion")
    assert set(told) == {distortion.name for distortion in DISTORTIONS}
    for distortion in DISTORTIONS:
        _, family, unit, levels = told[distortion.name]
        assert family == distortion.family
        assert unit.startswith(distortion.unit)
        assert [float(level) for level in levels.split(",")] == list(distortion.severities)


def test_the_questions_are_told_with_kind_and_number(chart: ItemSet) -> None:
    told = rows("task")
    kind_of = {str(item.facets["task"]): item.kind for item in chart.items}
    assert {name: cells[1].strip("`") for name, cells in told.items()} == kind_of
    n_told = {name: sum(map(int, cells[2].split("+"))) for name, cells in told.items()}
    assert n_told == Counter(item.facets["task"] for item in chart.items)
    assert f"{len(chart.items)} about each photograph" in PROTOCOL


def test_the_bundled_photographs_are_told_with_their_licences() -> None:
    licences = {photo.name: photo.licence for photo in bundled_photographs()}
    assert {name: cells[2] for name, cells in rows("photograph").items()} == licences


def test_the_changelog_begins_with_what_is_unreleased() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.findall(r"^## (.*)$", changes, re.MULTILINE)[0] == "Unreleased"

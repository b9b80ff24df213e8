"""The shape of the code: sizes, the direction of imports, who may ask a model, docstrings."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "eyechart"
FILES = sorted(SOURCE.rglob("*.py"))
MOST_LINES_FILE = 400
MOST_LINES_FUNCTION = 60
MOST_PARAMETERS = 6
HEAVY = [
    "numpy",
    "scipy",
    "PIL",
    "matplotlib",
    "pyarrow",
    "aiohttp",
    "skimage",
    "jinja2",
    "rich",
    "huggingface_hub",
    "torch",
    "transformers",
    "ray",
]

# From low to high; a module imports only from its own layer or lower ones.
LAYERS = [
    {"errors", "records", "rows", "json_rows"},
    {
        "image_headers",
        "images",
        "colour",
        "meters",
        "items",
        "listed_records",
        "column_map",
        "ratings",
        "parquet",
        "photographs",
        "distortions",
    },
    {"asking", "metrics", "replies", "parse"},
    {"rubrics", "strategies"},
    {"response_rows"},
    {"run_folder"},
    {"prompts", "scoring", "scores", "report", "printing"},
    {"hub", "assessment", "item_analysis", "people", "local"},
    {"benchmarks", "backends", "plugins"},
    {"run_settings", "provenance"},
    {"stages"},
    {"run", "comparing", "power"},
    {"fleet"},
    {"terminal"},
    {"cli_options"},
    {"cli_assess", "cli_ask"},
    {"cli"},
]
LAYER_OF = {name: i for i, names in enumerate(LAYERS) for name in names}
MAY_ASK = {"stages", "asking", "fleet"}
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def functions() -> Iterator[tuple[Path, FUNCTIONS]]:
    for file in FILES:
        for node in ast.walk(tree_of(file)):
            if isinstance(node, FUNCTIONS):
                yield file, node


def part_of(file: Path) -> str:
    """The first name under `eyechart`: `run` for run.py, `report` for report/page.py."""
    return file.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported(file: Path) -> Iterator[tuple[str, str]]:
    """(part, name) of every import from this package, `if TYPE_CHECKING` blocks included."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("eyechart"):
            inner = (node.module or "").split(".")[1:]
            for alias in node.names:
                yield (inner[0] if inner else alias.name), alias.name


def test_files_fit_their_rooms() -> None:
    too_long = {
        f.name: n for f in FILES if (n := len(f.read_text().splitlines())) > MOST_LINES_FILE
    }
    assert not too_long


def test_functions_fit_their_rooms() -> None:
    too_long = {
        f"{file.name}:{node.name}": length
        for file, node in functions()
        if (length := (node.end_lineno or 0) - node.lineno + 1) > MOST_LINES_FUNCTION
    }
    assert not too_long


def test_functions_have_few_parameters() -> None:
    """The commands in cli*.py declare an option by each parameter: not counted."""
    too_many = {
        f"{file.name}:{node.name}": n
        for file, node in functions()
        if not file.name.startswith("cli")
        and (
            n := len(
                [
                    a
                    for a in node.args.posonlyargs + node.args.args + node.args.kwonlyargs
                    if a.arg not in ("self", "cls")
                ]
            )
        )
        > MOST_PARAMETERS
    }
    assert not too_many


def test_every_module_has_a_layer_and_imports_point_down() -> None:
    wrong = []
    for file in FILES:
        here = part_of(file)
        if here == "__init__":
            continue
        assert here in LAYER_OF, f"{here}: give it a layer"
        wrong += [
            f"{file.relative_to(SOURCE)} imports {there}"
            for there, _ in imported(file)
            if there in LAYER_OF and LAYER_OF[there] > LAYER_OF[here]
        ]
    assert not wrong


def test_only_the_run_asks_models() -> None:
    callers = {part_of(f) for f in FILES for _, name in imported(f) if name == "ask"}
    assert callers - {"__init__"} <= MAY_ASK


def test_no_room_is_called_by_what_it_is_not() -> None:
    vague = {"utils", "util", "common", "base", "core", "helpers", "misc"}
    assert not {part for f in FILES for part in f.relative_to(SOURCE).with_suffix("").parts} & vague


def test_every_public_name_has_a_docstring() -> None:
    bare = []
    for file in FILES:
        tree = tree_of(file)
        if not ast.get_docstring(tree):
            bare.append(str(file.relative_to(SOURCE)))
        for node in tree.body:
            public = isinstance(node, FUNCTIONS | ast.ClassDef) and not node.name.startswith("_")
            if public and not ast.get_docstring(node):
                bare.append(f"{file.relative_to(SOURCE)}:{node.name}")
    assert not bare


def test_nothing_loads_pickles_or_swallows_every_error() -> None:
    found = []
    for file in FILES:
        for node in ast.walk(tree_of(file)):
            if isinstance(node, ast.Import) and any(
                a.name in ("pickle", "dill") for a in node.names
            ):
                found.append(f"{file.name} imports pickle")
            if isinstance(node, ast.ExceptHandler) and node.type is None:
                found.append(f"{file.name}:{node.lineno} bare except")
    assert not found


@pytest.mark.parametrize("command", ["import eyechart", "import eyechart.cli"])
def test_importing_loads_no_heavy_library(command: str) -> None:
    code = f"import sys; {command}; print([m for m in {HEAVY!r} if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_help_loads_no_heavy_library() -> None:
    code = (
        "import sys\nfrom eyechart.cli import main\nsys.argv = ['eyechart', '--help']\n"
        f"try: main()\nexcept SystemExit: pass\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip().endswith("[]")

"""Finding plug-ins: benchmarks, backends and metrics, by name, without importing the others.

In: a name, a path to a Python file, or a model's address. Out: the one constant of that file.
A plug-in is a module in its folder, named by its file; or `./mine.py`; or an installed entry point
in the groups `eyechart.benchmarks`, `eyechart.backends`, `eyechart.metrics`.
"""

from __future__ import annotations

import importlib
import importlib.util
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from eyechart.asking.backend import Backend, BackendPlugin
from eyechart.backends.openai_address import VENDORS
from eyechart.benchmarks import Benchmark
from eyechart.errors import BadInput, MissingExtra, UnknownName
from eyechart.items import ItemSet
from eyechart.metrics import Metric

CONSTANTS = {"benchmarks": "BENCHMARK", "backends": "BACKEND", "metrics": "METRIC"}
SCHEMES = {**dict.fromkeys(("http", "https", *VENDORS), "openai_http"), "hf": "transformers"}
"""Which backend's addresses begin with what; other addresses begin with the backend's name."""
GENERAL_RULES = Benchmark("", "", "", "the general rules", "", "", lambda _: _no_items())
MAX_SCHEME = 30  # what is longer is rather a key than a name


def names(kind: str) -> list[str]:
    """The names of all plug-ins of a kind: `benchmarks`, `backends` or `metrics`."""
    folder = Path(__file__).parent / kind
    constant = f"\n{CONSTANTS[kind]} = "
    own = [file.stem for file in folder.glob("[a-z]*.py") if constant in file.read_text("utf-8")]
    return sorted({_shown(kind, name) for name in own} | {e.name for e in _outside(kind)})


def benchmark(name: str, *, hint: str = "") -> Benchmark:
    """The benchmark of this name or file. Raises UnknownName, which ends with the `hint`."""
    return cast(Benchmark, _constant("benchmarks", name, hint=hint))


def metric(name: str) -> Metric:
    """The metric of this name or file. Raises UnknownName."""
    return cast(Metric, _constant("metrics", name))


def metrics() -> tuple[Metric, ...]:
    """All metrics there are, installed ones included, by name."""
    return tuple(metric(name) for name in names("metrics"))


def backend(name: str) -> BackendPlugin:
    """The backend plug-in of this name or file. Raises UnknownName."""
    return cast(BackendPlugin, _constant("backends", name))


def summary(kind: str, name: str) -> str:
    """What a plug-in says of itself in a line, with an example of its address if it has one."""
    plugin = _constant(kind, name)
    example = getattr(plugin, "example", "")
    return f"{plugin.summary} (e.g. {example})" if example else str(plugin.summary)


def open_model(address: str) -> Backend:
    """The model at an address: `signal`, `openai:gpt-5.2`, `http://localhost:8000/v1#NAME`, ...

    Raises UnknownName (no such kind of address) and BadInput (the address is incomplete, or a key).
    """
    scheme = address.partition(":")[0]
    if "@" in scheme:
        raise BadInput(
            "the model's address holds a key but no scheme; write https://KEY@HOST/v1#MODEL, or "
            "better put the key into EYECHART_API_KEY"
        )
    if address.endswith(".py"):
        scheme = address
    elif "/" in scheme:
        raise BadInput(
            "a model's address begins with what kind it is: for a checkpoint on this machine or on "
            "the hub write hf: before it, as in hf:/models/mine or hf:Qwen/Qwen3-VL-8B-Instruct"
        )
    elif (scheme.startswith("sk-") or len(scheme) > MAX_SCHEME) and scheme not in names("backends"):
        raise BadInput(
            "this is no model's address, it looks like a key; write VENDOR:MODEL or "
            "https://HOST/v1#MODEL, and put a key into EYECHART_API_KEY"
        )
    return backend(SCHEMES.get(scheme, scheme)).open(address)


def rules_of(name: str, item_set: ItemSet) -> Benchmark:
    """The benchmark by whose rules these items are asked, scored and reported.

    The one that their card names, else the one of this name or file; else the general rules. Raises
    BadInput where that file is not there.
    """
    known = names("benchmarks")
    if item_set.card.benchmark in known:
        return benchmark(item_set.card.benchmark)
    if name.endswith(".py") and not Path(name).is_file():
        raise BadInput(f"{name}: no such file, whose rules these items go by; put it back there")
    return benchmark(name) if name in known or name.endswith(".py") else GENERAL_RULES


def _no_items() -> ItemSet:
    raise BadInput("the general rules have no items of their own; name a benchmark or a folder")


def _shown(kind: str, name: str) -> str:
    """Benchmarks are written with hyphens (`qbench-perception`), their files with underscores."""
    return name.replace("_", "-") if kind == "benchmarks" else name


def _outside(kind: str) -> Any:
    return entry_points(group=f"eyechart.{kind}")


def _constant(kind: str, name: str, *, hint: str = "") -> Any:
    what = kind.removesuffix("s")
    if name.endswith(".py"):
        return _from_module(_module_at(Path(name)), kind, name)
    for entry in _outside(kind):
        if entry.name == name:
            return entry.load()
    if name not in names(kind):
        known = [*names(kind), *(SCHEMES if kind == "backends" else ())]
        raise UnknownName(what, name, known, hint=hint)
    try:
        module = importlib.import_module(f"eyechart.{kind}.{name.replace('-', '_')}")
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"{what} {name} needs {error.name}, which is not installed: pip install {error.name}"
        ) from None
    return _from_module(module, kind, name)


def _module_at(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"eyechart_plugin_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise BadInput(f"{path}: no such Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a person's own file may raise anything
        told = f"{type(error).__name__}: {error}"
        raise BadInput(f"{path}: cannot be loaded ({told}); mend the file") from error
    return module


def _from_module(module: ModuleType, kind: str, name: str) -> Any:
    try:
        return getattr(module, CONSTANTS[kind])
    except AttributeError:
        raise BadInput(f"{name}: expected a constant {CONSTANTS[kind]} in this file") from None

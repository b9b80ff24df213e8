"""Addresses of models on this machine: what is understood, and what is told where it is not."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys

import pytest

from eyechart.errors import BadInput
from eyechart.local.checkpoint.address import _READERS, LocalAddress, read_address
from eyechart.local.pieces import LocalOptions

KNOWN = (
    "Known options: dtype, devices, attention, workers, batch_tokens, pickles, compiled; such as "
    "hf:Qwen/Qwen3-VL-8B-Instruct?dtype=bfloat16&devices=cuda:0,cuda:1"
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("hf:org/name", LocalAddress("org/name")),
        ("hf:org/na.me-1_2", LocalAddress("org/na.me-1_2")),
        ("hf:org/name@v1.0", LocalAddress("org/name", "v1.0")),
        ("hf:org/name@refs/pr/2", LocalAddress("org/name", "refs/pr/2")),
        ("hf:/abs/folder", LocalAddress("/abs/folder", is_folder=True)),
        ("hf:/abs/a b@c", LocalAddress("/abs/a b@c", is_folder=True)),
        ("hf:./relative", LocalAddress("./relative", is_folder=True)),
        ("hf:../up/x", LocalAddress("../up/x", is_folder=True)),
        ("hf:.", LocalAddress(".", is_folder=True)),
        ("hf:..", LocalAddress("..", is_folder=True)),
        ("hf:~", LocalAddress("~", is_folder=True)),
        ("hf:~/x", LocalAddress("~/x", is_folder=True)),
        ("hf:org/name?workers=3", LocalAddress("org/name", options=LocalOptions(workers=3))),
        (
            "hf:org/name@main?dtype=float32",
            LocalAddress("org/name", "main", options=LocalOptions(dtype="float32")),
        ),
    ],
)
def test_an_address_is_a_folder_or_a_model_on_the_hub(text: str, address: LocalAddress) -> None:
    assert read_address(text) == address
    assert str(address) == text.partition("?")[0]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("dtype=bfloat16", LocalOptions(dtype="bfloat16")),
        ("devices=cpu", LocalOptions(devices=("cpu",))),
        ("devices=cuda", LocalOptions(devices=("cuda",))),
        ("devices=cuda:0,cuda:11", LocalOptions(devices=("cuda:0", "cuda:11"))),
        ("attention=flash_attention_2", LocalOptions(attention="flash_attention_2")),
        ("batch_tokens=16384", LocalOptions(batch_tokens=16384)),
        ("pickles=yes&compiled=no", LocalOptions(pickles=True)),
        ("compiled=yes&workers=0", LocalOptions(compiled=True, workers=0)),
    ],
)
def test_options_follow_a_question_mark(text: str, options: LocalOptions) -> None:
    assert read_address(f"hf:/folder?{text}").options == options


def test_every_option_can_be_written() -> None:
    assert list(_READERS) == [field.name for field in dataclasses.fields(LocalOptions)]


@pytest.mark.parametrize(
    "text",
    ["hf:", "hf:name", "hf:a/b/c", "hf:org/name@", "hf:org/na me", "hf:org/name@a@b", "org/name"],
)
def test_another_form_is_told_with_what_is_expected(text: str) -> None:
    expected = (
        f"{text}: expected hf:ORG/NAME, hf:ORG/NAME@REVISION or hf:/path/to/folder, and for a "
        "folder beside you hf:./FOLDER; for example hf:Qwen/Qwen3-VL-8B-Instruct?dtype=bfloat16"
    )
    with pytest.raises(BadInput, match=f"^{re.escape(expected)}"):
        read_address(text)


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ("", "there is no option ''"),
        ("quantised=yes", "there is no option 'quantised'"),
        ("workers=1&workers=2", "the option 'workers' is given twice"),
        ("dtype=int8", "dtype=int8: expected one of float32, bfloat16, float16"),
        ("dtype", "dtype=: expected one of float32, bfloat16, float16"),
        (
            "devices=tpu",
            "devices=tpu: expected devices, each GPU once, such as cpu, or cuda:0,cuda:1",
        ),
        ("devices=", "devices=: expected devices"),
        ("devices=cuda:0,", "devices=cuda:0,: expected devices"),
        ("devices=cuda:0,cuda:0", "devices=cuda:0,cuda:0: expected devices, each GPU once"),
        ("attention=org/kernel", "attention=org/kernel: expected one of sdpa, eager, flash"),
        ("workers=-1", "workers=-1: expected a whole number of at least 0"),
        ("workers=²", "workers=²: expected a whole number of at least 0"),
        ("batch_tokens=0", "batch_tokens=0: expected a whole number of at least 1"),
        ("batch_tokens=-1", "batch_tokens=-1: expected a whole number of at least 1"),
        ("pickles=true", "pickles=true: expected yes or no"),
        ("compiled=", "compiled=: expected yes or no"),
    ],
)
def test_a_bad_option_is_told_with_those_that_are_known(options: str, wrong: str) -> None:
    with pytest.raises(BadInput, match=re.escape(f"hf:org/name?{options}: {wrong}")) as told:
        read_address(f"hf:org/name?{options}")
    assert str(told.value).endswith(KNOWN)


@pytest.mark.parametrize("module", ["address", "finding"])
def test_reading_addresses_and_files_loads_no_heavy_library(module: str) -> None:
    code = (
        f"import sys; import eyechart.local.checkpoint.{module}; "
        "print([m for m in ('torch', 'transformers', 'ray') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"

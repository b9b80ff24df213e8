"""Checkpoints: what is found at an address, and what is refused by its files alone."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.hub_server import COMMIT
from tests.local.model_hub import find, model_hub
from tests.local.tiny_models import save_idefics3, save_qwen3_vl

from eyechart.errors import BadInput, MissingExtra
from eyechart.local.checkpoint import folder_digest
from eyechart.local.checkpoint.address import read_address
from eyechart.local.checkpoint.chat_templates import leaves_pictures_out, read_template
from eyechart.local.checkpoint.finding import find_checkpoint
from eyechart.local.pieces import Checkpoint, LocalOptions

Change = Callable[[Path], object]
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345678\n"
NOWHERE = "http://127.0.0.1:9"
SHARD = "model-00001-of-00002.safetensors"
INDEX = "model.safetensors.index.json"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_qwen3_vl(tmp_path_factory.mktemp("saved") / "tiny")


@pytest.fixture
def tiny(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "tiny"))


def found(folder: Path, options: str = "") -> Checkpoint:
    return find_checkpoint(read_address(f"hf:{folder}{options}"))


def change_json(name: str, **values: object) -> Change:
    """Set these keys of a file; None takes one out."""

    def change(folder: Path) -> None:
        file = folder / name
        told = (json.loads(file.read_text()) if file.exists() else {}) | values
        file.write_text(json.dumps({k: v for k, v in told.items() if v is not None}))

    return change


def write(name: str, data: bytes | str) -> Change:
    raw = data.encode() if isinstance(data, str) else data
    return lambda folder: (folder / name).write_bytes(raw)


def remove(*names: str) -> Change:
    def change(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return change


def rename(old: str, new: str) -> Change:
    return lambda folder: (folder / old).rename(folder / new)


def both(*changes: Change) -> Change:
    return lambda folder: [change(folder) for change in changes]


def cut(name: str, n_bytes: int) -> Change:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:n_bytes])


def index_of(*shards: str) -> Change:
    places = {f"weight{i}": shard for i, shard in enumerate(shards)}
    return write(INDEX, json.dumps({"weight_map": places}))


def test_a_folder_is_found_and_named_without_its_path(tiny: Path, tmp_path: Path) -> None:
    checkpoint = found(tiny)
    assert checkpoint == Checkpoint(tiny, "hf:tiny", checkpoint.revision, LocalOptions())
    assert re.fullmatch("[0-9a-f]{16}", checkpoint.revision)
    assert found(save_idefics3(tmp_path / "other")).name == "hf:other"


def test_a_chosen_dtype_is_part_of_the_name_and_other_options_are_not(tiny: Path) -> None:
    checkpoint = found(tiny, "?dtype=float16&devices=cpu&workers=2")
    assert checkpoint.name == "hf:tiny?dtype=float16"
    assert checkpoint.options == LocalOptions("float16", ("cpu",), workers=2)


def test_a_folder_may_be_beside_you_or_at_home(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny)
    monkeypatch.setenv("HOME", str(tiny.parent))
    for address in ("hf:.", "hf:../tiny", "hf:~/tiny"):
        checkpoint = find_checkpoint(read_address(address))
        assert (checkpoint.folder, checkpoint.name) == (tiny, "hf:tiny")


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda folder: folder.rename(folder.parent / "moved"), True),
        (write("README.md", "# Tiny"), True),
        (change_json("generation_config.json", temperature=0.5), False),
        (change_json("preprocessor_config.json", rescale_factor=0.5), False),
        (write("additional_chat_templates/tool.jinja", "{{ messages }}"), False),
        (rename("model.safetensors", SHARD), False),
        (lambda folder: flip_last_byte(folder / "model.safetensors"), False),
        (lambda folder: flip_last_byte(folder / "tokenizer.json", b"}"), False),
    ],
)
def test_the_revision_changes_with_all_that_decides_an_answer(
    tiny: Path, change: Change, same: bool
) -> None:
    (tiny / "additional_chat_templates").mkdir()
    before = found(tiny).revision
    change(tiny)
    if (tiny / SHARD).exists():
        index_of(SHARD)(tiny)
    after = found(tiny if tiny.exists() else tiny.parent / "moved").revision
    assert (before == after) == same


def flip_last_byte(file: Path, to: bytes = b"\x7f") -> None:
    raw = file.read_bytes().rstrip(b"\n")
    file.write_bytes(raw[:-1] + to + (b"\n" if to == b"}" else b""))


def test_a_large_file_is_read_in_blocks_of_which_each_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_digest, "BLOCK_BYTES", 4)
    file = tmp_path / "weights"
    texts = [b"aaaabbbbcc", b"aaaabbbbcd", b"bbbbaaaacc", b"aaaabbbb", b"aaaabbbbc", b""]
    digests = []
    for text in texts:
        file.write_bytes(text)
        digests.append(folder_digest.digest_of(tmp_path, [file]))
    assert len(set(digests)) == len(texts)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (shutil.rmtree, "{}: no such folder; expected a model's folder, with its config.json"),
        (
            both(shutil.rmtree, lambda folder: folder.write_text("")),
            "{}: a file; expected a model's folder, with its config.json and model.safetensors; "
            "check the path after hf:",
        ),
        (
            both(shutil.rmtree, Path.mkdir),
            "{}: no config.json; expected a folder as transformers saves it, with config.json, a "
            "processor, a tokenizer and model.safetensors. The folder is empty; check its name",
        ),
        (
            remove("config.json"),
            "{}: no config.json; .* It holds chat_template.jinja, generation_config.json, "
            "model.safetensors, preprocessor_config.json, tokenizer.json and 1 more; check its",
        ),
        (
            both(remove("config.json"), write("m.gguf", "GGUF")),
            "{}: no config.json; .* A GGUF file is for a server such as llama.cpp: start it",
        ),
        (
            write("adapter_config.json", "{}"),
            r"{}: an adapter \(adapter_config.json\), not a whole model; merge it into the model",
        ),
        (
            write("config.json", "{"),
            r"{}: config.json is not JSON \(Expecting property name .*\); fetch the checkpoint ag",
        ),
        (write("config.json", "[]"), "{}: config.json: expected a JSON object; fetch the checkpo"),
        (
            both(remove("config.json"), lambda folder: (folder / "config.json").mkdir()),
            "{}: no config.json; expected a folder as transformers saves it",
        ),
        (
            change_json("config.json", model_type=None),
            "{}: config.json names no model_type, which transformers goes by",
        ),
        (
            change_json("config.json", model_type="internvl_chat", auto_map={"AutoModel": "m.M"}),
            "{}: its model_type 'internvl_chat' is code in the model's own folder, which is never "
            r"run here; expected one that transformers \d+\.\S+ itself knows. Choose a version "
            r"made for it \(its name often ends in -hf\), or serve the model and give its http",
        ),
        (
            change_json("config.json", model_type="eyechart_9"),
            r"{}: transformers \d+\.\S+ knows no model_type 'eyechart_9'; update it \(pip install "
            r"-U transformers\), or choose another model",
        ),
        (
            both(
                remove("preprocessor_config.json"),
                write(
                    "config.json", '{"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"]}'
                ),
            ),
            r"{}: a model that takes no pictures \(model_type qwen3, Qwen3ForCausalLM\): its config"
            ".json has no vision part, and no processor for pictures is there; expected one that "
            "takes both, such as hf:Qwen/Qwen3-VL-8B-Instruct",
        ),
        (
            both(
                write("config.json", '{"model_type": "qwen2_audio", "vision_config": null}'),
                write("preprocessor_config.json", '{"feature_extractor_type": "W"}'),
            ),
            r"{}: a model that takes no pictures \(model_type qwen2_audio\)",
        ),
        (
            remove("preprocessor_config.json"),
            "{}: no processor, which says how pictures are made the model's input; expected "
            "preprocessor_config.json or processor_config.json; copy the processor's files from "
            "the model that this one was made from",
        ),
        (
            remove("tokenizer.json"),
            "{}: no tokenizer; expected one of tokenizer.json, .*; copy the tokenizer's files",
        ),
        (
            write("tokenizer.json", POINTER),
            "{}: tokenizer.json is what Git LFS left in its place, without its contents; run git "
            "lfs pull in this folder",
        ),
        (
            remove("chat_template.jinja"),
            "{}: no chat template, so this is no model to talk to; expected chat_template.jinja, "
            "or chat_template in processor_config.json, chat_template.json, tokenizer_config.json."
            " Choose an instruct version, or copy the chat template's files",
        ),
        (
            write("chat_template.jinja", "{% for m in messages %}{{ m.content }}{% endfor %}"),
            "{}: its chat template leaves pictures out: a message with a picture reads as one "
            r'without; expected a template that writes a place for \{"type": "image"\}; copy the',
        ),
        (
            write("chat_template.jinja", b"\xff"),
            r"{}: chat_template.jinja cannot be read \('utf-8' codec .*\); fetch the checkpoint",
        ),
        (
            remove("model.safetensors"),
            "{}: no weights; expected model.safetensors or model.safetensors.index.json; fetch the",
        ),
        (
            rename("model.safetensors", "consolidated.safetensors"),
            "{}: no weights; expected .*; consolidated.safetensors are none that transformers",
        ),
        (
            rename("model.safetensors", "pytorch_model.bin"),
            r"{}: its weights are pickles \(pytorch_model.bin\), which can hold any program; "
            "expected model.safetensors. Choose a version with safetensors or convert it; if you "
            r"trust the files and they are called pytorch_model.bin, write \?pickles=yes after",
        ),
        (
            both(
                remove("model.safetensors"),
                *(write(f"m{i}{end}", "") for i, end in enumerate((".pt", ".pth", ".bin", ".bin"))),
            ),
            r"{}: its weights are pickles \(m0.pt, m1.pth, m2.bin and 1 more\), which can hold",
        ),
        (
            both(rename("model.safetensors", SHARD), index_of(SHARD, "b", "c", "d", "e")),
            "{}: 4 of the 5 files with weights that model.safetensors.index.json names are missing "
            r"\(b, c, d and 1 more\); fetch the checkpoint again, whole",
        ),
        (
            both(rename("model.safetensors", SHARD), write(INDEX, "{}")),
            "{}: model.safetensors.index.json does not say which file holds which weights "
            r"\(expected weight_map, with names of files in this folder\); fetch the checkpoint",
        ),
        (
            both(rename("model.safetensors", "../" + SHARD), index_of("../" + SHARD)),
            "{}: model.safetensors.index.json does not say which file holds which weights",
        ),
        (
            cut("model.safetensors", 5000),
            r"{}: model.safetensors is cut short: 5000 bytes, where its header promises at least \d"
            r"+; fetch the checkpoint again, whole",
        ),
        (
            cut("model.safetensors", 100000),
            r"{}: model.safetensors is cut short: 100000 bytes, where its header promises \d{{6}};",
        ),
        (
            write("model.safetensors", POINTER),
            "{}: model.safetensors is what Git LFS left in its place, without the weights; run git",
        ),
        *(
            (
                write("model.safetensors", data),
                "{}: model.safetensors is no safetensors file, or a damaged one; fetch the check",
            )
            for data in (
                b"",
                b"<!DOCTYPE html>",
                b"\4" + bytes(7) + b"null",
                b"\2" + bytes(7) + b"[]" + b"more",
                b"\2" + bytes(7) + b"{}" + b"more",
                b"\x09" + bytes(7) + b'{"a": {}}',
            )
        ),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(tiny: Path, change: Change, message: str) -> None:
    change(tiny)
    pattern = message.replace("{{", "{").replace("}}", "}").replace("{}", re.escape(str(tiny)), 1)
    with pytest.raises(BadInput, match=f"^{pattern}"):
        found(tiny)


@pytest.mark.parametrize(("at", "name"), [("/x/vocab.json", "vocab.json"), (None, "a file in it")])
def test_a_file_that_cannot_be_read_is_told(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, at: str | None, name: str
) -> None:
    def broken(block: object) -> bytes:
        raise OSError(5, "Input/output error", at)

    monkeypatch.setattr(folder_digest, "_leaf", broken)
    told = f"tiny: {name} cannot be read (Input/output error); check who may read it, or fetch"
    with pytest.raises(BadInput, match=re.escape(told)):
        found(tiny)


def test_settings_that_cannot_be_read_are_told(tiny: Path) -> None:
    remove("tokenizer_config.json")(tiny)
    (tiny / "tokenizer_config.json").mkdir()
    told = r"tiny: tokenizer_config.json cannot be read \(Is a directory\); check who may read it"
    with pytest.raises(BadInput, match=told):
        found(tiny)


def test_pickled_weights_are_read_where_it_is_allowed_and_nothing_safe_is_there(tiny: Path) -> None:
    safe = found(tiny, "?pickles=yes").revision
    write("pytorch_model.bin", b"pickle")(tiny)
    assert found(tiny, "?pickles=yes").revision == safe
    remove("model.safetensors")(tiny)
    assert found(tiny, "?pickles=yes").options.pickles
    remove("pytorch_model.bin")(tiny)
    write("other.bin", b"pickle")(tiny)
    with pytest.raises(BadInput, match=r"no weights; .*, or pytorch_model.bin or pytorch_model.bi"):
        found(tiny, "?pickles=yes")


def test_weights_may_lie_in_shards_or_in_a_file_that_the_config_names(tiny: Path) -> None:
    both(rename("model.safetensors", SHARD), index_of(SHARD))(tiny)
    assert found(tiny).folder == tiny
    both(remove(INDEX), change_json("config.json", transformers_weights=SHARD))(tiny)
    assert found(tiny).folder == tiny


def test_a_known_type_is_used_without_the_code_in_its_folder(tiny: Path) -> None:
    change_json("config.json", auto_map={"AutoModel": "modeling.Model"})(tiny)
    write("modeling.py", "raise SystemExit")(tiny)
    assert found(tiny).folder == tiny


@pytest.mark.parametrize("missing", [["torch"], ["transformers"], ["torch", "transformers"]])
def test_a_missing_library_is_told_with_what_to_install(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, missing: list[str]
) -> None:
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    are = "are" if len(missing) > 1 else "is"
    told = f"a model on this machine needs {' and '.join(missing)}, which {are} not installed: "
    with pytest.raises(MissingExtra, match=re.escape(f'{told}pip install "eyechart[local]"')):
        found(tiny)


PARTS = (
    "{% for m in messages %}{% for part in m.content %}{% if part.type == 'image' %}<image>"
    "{% else %}{{ part.text }}{% endif %}{% endfor %}{% endfor %}"
)


@pytest.mark.parametrize(
    ("template", "left_out"),
    [
        (PARTS, False),
        ("{{ bos_token }}{% generation %}" + PARTS + "{% endgeneration %}", False),
        ("{{ strftime_now('%d') }}{{ messages | tojson }}{% break %}", False),
        ("{% for m in messages %}{{ '<s>' + m.content }}{% endfor %}", True),
        ("{% for m in messages %}{{ m.content | trim }}{% endfor %}", True),
        ("{{ messages | tojson(indent=2) }}", True),
        (PARTS.replace("<image>", " \n"), True),
        (
            "{% if messages[0].content is not string %}{{ raise_exception('text') }}{% endif %}",
            True,
        ),
        ("{{ raise_exception('never') }}", False),
        ("{% if", False),
    ],
)
def test_a_template_is_tried_with_a_picture_and_without(template: str, left_out: bool) -> None:
    assert leaves_pictures_out(template, {"bos_token": "<s>"}) == left_out


def test_a_template_that_works_only_with_a_picture_has_a_place_for_it() -> None:
    template = "{% if messages[0].content[0].type != 'image' %}{{ raise_exception('') }}{% endif %}"
    assert not leaves_pictures_out(template + PARTS, {})


def test_the_processors_template_goes_before_the_tokenizers(tmp_path: Path) -> None:
    named = [{"name": "rag", "template": "6"}, {"name": "default", "template": "5"}]
    change_json("tokenizer_config.json", chat_template=named)(tmp_path)
    assert read_template("here", tmp_path) == "5"
    (tmp_path / "additional_chat_templates").mkdir()
    write("additional_chat_templates/default.jinja", "4")(tmp_path)
    assert read_template("here", tmp_path) == "4"
    write("chat_template.jinja", "3")(tmp_path)
    assert read_template("here", tmp_path) == "3"
    change_json("chat_template.json", chat_template="2")(tmp_path)
    assert read_template("here", tmp_path) == "2"
    change_json("processor_config.json", chat_template={"default": "1"})(tmp_path)
    assert read_template("here", tmp_path) == "1"


def test_several_templates_without_a_default_are_none(tmp_path: Path) -> None:
    named = [{"name": "rag", "template": "6"}, {"name": "tools", "template": "5"}]
    change_json("tokenizer_config.json", chat_template=named)(tmp_path)
    assert read_template("here", tmp_path) is None


def files_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_model_on_the_hub_is_fetched_with_its_commit_and_nothing_else_of_it(
    tiny: Path, tmp_path: Path
) -> None:
    more = {"README.md": b"#", "consolidated.safetensors": b"big", "pytorch_model.bin": b"big"}
    with model_hub(files_of(tiny) | more) as served:
        told = find(served.url, "hf:eyes/chart?dtype=float32", tmp_path / "cache")
    assert (told["name"], told["revision"]) == ("hf:eyes/chart?dtype=float32", COMMIT)
    assert Path(told["folder"]).name == COMMIT
    assert set(served.fetched) == set(files_of(tiny))
    assert told["heavy"] == []


def test_a_model_that_cannot_be_used_is_refused_before_its_weights_travel(
    tiny: Path, tmp_path: Path
) -> None:
    remove("preprocessor_config.json")(tiny)
    with model_hub(files_of(tiny)) as served:
        error = find(served.url, "hf:eyes/chart@main", tmp_path / "cache")["error"]
    assert error.startswith("BadInput: hf:eyes/chart@main: no processor, which says how pictures")
    assert "model.safetensors" not in served.fetched


def test_pickles_on_the_hub_are_refused_and_never_fetched(tiny: Path, tmp_path: Path) -> None:
    rename("model.safetensors", "pytorch_model.bin")(tiny)
    with model_hub(files_of(tiny)) as served:
        error = find(served.url, "hf:eyes/chart", tmp_path / "cache")["error"]
        assert error.startswith("BadInput: hf:eyes/chart: its weights are pickles (pytorch_model.b")
        assert "pytorch_model.bin" not in served.fetched
        told = find(served.url, "hf:eyes/chart?pickles=yes", tmp_path / "cache")
    assert told["revision"] == COMMIT
    assert "pytorch_model.bin" in served.fetched


def test_a_kept_copy_is_used_where_the_hub_cannot_be_reached(tiny: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with model_hub(files_of(tiny)) as served:
        find(served.url, "hf:eyes/chart", cache)
    for url, env in [(NOWHERE, {}), (served.url, {"HF_HUB_OFFLINE": "1"})]:
        for address in ("hf:eyes/chart", f"hf:eyes/chart@{COMMIT}"):
            assert find(url, address, cache, **env)["revision"] == COMMIT


def test_a_kept_copy_without_its_weights_is_told(tiny: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with model_hub(files_of(tiny)) as served:
        folder = Path(find(served.url, "hf:eyes/chart", cache)["folder"])
    (folder / "model.safetensors").unlink()
    error = find(NOWHERE, "hf:eyes/chart", cache)["error"]
    told = (
        "BadInput: hf:eyes/chart (kept here; the hub cannot be reached: ConnectError): no weights"
    )
    assert error.startswith(told)


def test_a_hub_out_of_reach_and_nothing_kept_is_told_with_what_to_do(tmp_path: Path) -> None:
    for env, why in [({}, "ConnectError"), ({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE is set")]:
        error = find(NOWHERE, "hf:eyes/chart", tmp_path, **env)["error"]
        assert error == (
            f"BadInput: hf:eyes/chart: the hub cannot be reached ({why}), and no copy is kept "
            "whole on this machine; try again, or download it elsewhere (hf download eyes/chart "
            "--local-dir FOLDER) and give the folder as hf:/path/to/FOLDER"
        )


NO_REPO = (
    "no model of this name on the hub, or it is a private one; check the name, for a private one "
    "set HF_TOKEN to a token that may read it, and for a folder beside you write hf:./FOLDER"
)


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (404, "RepoNotFound", NO_REPO),
        (401, "RepoNotFound", NO_REPO),
        (403, "", NO_REPO),
        (403, "GatedRepo", "access to this model must be granted first; ask for it on its page, "),
        (503, "", "the hub cannot be reached (HTTP 503), and no copy is kept whole"),
        (400, "", "the hub refuses it (HTTP 400); check the address, then try again"),
    ],
)
def test_what_the_hub_refuses_is_told(tmp_path: Path, status: int, code: str, message: str) -> None:
    with model_hub(status=status, code=code) as served:
        error = find(served.url, "hf:eyes/chart", tmp_path)["error"]
    assert error.startswith(f"BadInput: hf:eyes/chart: {message}")


def test_a_name_that_no_model_can_have_is_told(tmp_path: Path) -> None:
    error = find(NOWHERE, "hf:eyes/ch--art", tmp_path)["error"]
    assert error == f"BadInput: hf:eyes/ch--art: {NO_REPO}"


def test_a_revision_that_there_is_not_is_told(tiny: Path, tmp_path: Path) -> None:
    with model_hub(files_of(tiny)) as served:
        error = find(served.url, "hf:eyes/chart@v9", tmp_path / "cache")["error"]
    assert error == (
        "BadInput: hf:eyes/chart@v9: the model has no revision 'v9'; name a branch, a tag or a "
        "commit that it has, or leave it out for the newest"
    )


def test_a_disk_without_room_is_told(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with model_hub(files_of(tiny)) as served:
        error = find(served.url, "hf:eyes/chart", tmp_path / "file")["error"]
    assert error.startswith("BadInput: hf:eyes/chart: cannot be kept on this machine (")
    assert error.endswith("; make room, or set HF_HOME to a folder with room")

"""Processors: which families load without torchvision, and what is told where one does not."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import transformers
from PIL import Image
from tests.local.tiny_models import save_idefics3, save_qwen3_vl
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers.utils.import_utils import is_num2words_available, is_torchvision_available

from eyechart.errors import BadInput, MissingExtra
from eyechart.local.checkpoint.processors import load_processor

HAS_TORCHVISION = is_torchvision_available()
PLAIN = {"tokenizer_class": "TokenizersBackend", "pad_token": "<pad>", "unk_token": "<unk>"}
BACKEND = "torchvision" if HAS_TORCHVISION else "pil"
AREA = {"shortest_edge": 256, "longest_edge": 16384}
SQUARE = {"height": 32, "width": 32}
QWEN = ("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>")


@dataclass(frozen=True)
class Family:
    """What a folder of a family says. `shown`: what stands in a prompt for a picture.

    `told`: its processor_config.json; `tokens`: its tokenizer's own by name. `n_places`: tokens
    that a picture of 64x48 pixels takes.
    """

    processor: str
    image_processor: str
    settings: Mapping[str, Any]
    special: tuple[str, ...]
    shown: str
    n_places: int
    told: Mapping[str, Any] = field(default_factory=dict)
    tokens: Mapping[str, str] = field(default_factory=dict)


_QWEN_SIZES = {"patch_size": 8, "merge_size": 2, "size": AREA}
_LLAVA = {
    "patch_size": 8,
    "vision_feature_select_strategy": "default",
    "num_additional_image_tokens": 1,
    "image_token": "<image>",
}
FAMILIES = {
    "qwen2_vl": Family(
        "Qwen2VLProcessor", "Qwen2VLImageProcessorFast", _QWEN_SIZES, QWEN, "<|image_pad|>", 12
    ),
    "qwen2_5_vl": Family(
        "Qwen2_5_VLProcessor", "Qwen2VLImageProcessor", _QWEN_SIZES, QWEN, "<|image_pad|>", 12
    ),
    "qwen3_vl_moe": Family(
        "Qwen3VLProcessor", "Qwen2VLImageProcessorFast", _QWEN_SIZES, QWEN, "<|image_pad|>", 12
    ),
    "glm4v": Family(
        "Glm4vProcessor",
        "Glm4vImageProcessor",
        _QWEN_SIZES,
        ("<|image|>", "<|video|>"),
        "<|image|>",
        12,
    ),
    "llava": Family(
        "LlavaProcessor",
        "CLIPImageProcessor",
        {"size": {"shortest_edge": 32}, "crop_size": SQUARE},
        ("<image>",),
        "<image>",
        16,
        _LLAVA,
    ),
    "llava_next": Family(
        "LlavaNextProcessor",
        "LlavaNextImageProcessor",
        {
            "size": {"shortest_edge": 32},
            "crop_size": SQUARE,
            "image_grid_pinpoints": [[32, 64], [64, 32]],
        },
        ("<image>",),
        "<image>",
        44,
        _LLAVA,
    ),
    "llava_onevision": Family(
        "LlavaOnevisionProcessor",
        "LlavaOnevisionImageProcessor",
        {"size": SQUARE, "image_grid_pinpoints": [[32, 64], [64, 32]]},
        ("<image>", "<video>"),
        "<image>",
        44,
        {"num_image_tokens": 16, "vision_feature_select_strategy": "full"},
    ),
    "internvl": Family(
        "InternVLProcessor",
        "GotOcr2ImageProcessor",
        {"size": SQUARE},
        ("<img>", "</img>", "<IMG_CONTEXT>", "<video>"),
        "<IMG_CONTEXT>",
        52,
        {"image_seq_length": 4},
        {
            "start_image_token": "<img>",
            "end_image_token": "</img>",
            "context_image_token": "<IMG_CONTEXT>",
            "video_token": "<video>",
        },
    ),
    "gemma3": Family(
        "Gemma3Processor",
        "Gemma3ImageProcessor",
        {"size": SQUARE},
        ("<image_soft_token>", "<start_of_image>", "<end_of_image>"),
        "<start_of_image>",
        4,
        {"image_seq_length": 4},
        {
            "image_token": "<image_soft_token>",
            "boi_token": "<start_of_image>",
            "eoi_token": "<end_of_image>",
        },
    ),
    "smolvlm": Family(
        "SmolVLMProcessor",
        "SmolVLMImageProcessor",
        {"size": {"longest_edge": 64}, "max_image_size": {"longest_edge": 32}},
        ("<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>"),
        "<image>",
        20,
        {"image_seq_len": 4},
    ),
    "mistral3": Family(
        "PixtralProcessor",
        "PixtralImageProcessor",
        {"patch_size": 8, "size": {"longest_edge": 64}},
        ("[IMG]", "[IMG_BREAK]", "[IMG_END]"),
        "[IMG]",
        48,
        {"patch_size": 8},
    ),
}
LOADED = [name for name in FAMILIES if name not in ("smolvlm", "mistral3")]


def save(folder: Path, model_type: str, family: Family) -> Path:
    """The files that a family's processor is loaded from."""
    tokenizer = Tokenizer(models.WordLevel({"<unk>": 0, "<pad>": 1}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens(["<pad>", *family.special])
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    write(folder, "config.json", {"model_type": model_type})
    write(folder, "tokenizer_config.json", {**PLAIN, **family.tokens})
    write(
        folder,
        "preprocessor_config.json",
        {"image_processor_type": family.image_processor, **family.settings},
    )
    write(folder, "processor_config.json", {"processor_class": family.processor, **family.told})
    return folder


def write(folder: Path, name: str, told: Mapping[str, Any]) -> None:
    (folder / name).write_text(json.dumps(told))


def change(folder: Path, name: str, **values: object) -> None:
    write(folder, name, json.loads((folder / name).read_text()) | values)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_qwen3_vl(tmp_path_factory.mktemp("saved") / "tiny")


@pytest.fixture
def tiny(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "tiny"))


def picture() -> Image.Image:
    return Image.new("RGB", (64, 48), "teal")


@pytest.mark.parametrize("name", LOADED)
def test_a_family_makes_a_models_inputs(name: str, tmp_path: Path) -> None:
    family = FAMILIES[name]
    processor = load_processor(save(tmp_path / name, name, family))
    assert isinstance(processor, getattr(transformers, family.processor))
    assert type(processor).__name__ == family.processor
    assert processor.image_processor.backend == BACKEND
    made = processor(
        text=[f"a {family.shown} a"], images=[picture()], return_text_replacement_offsets=True
    )
    assert "pixel_values" in made
    place = family.tokens.get("image_token", processor.image_token)
    ids = made["input_ids"][0]
    assert ids.count(processor.tokenizer.convert_tokens_to_ids(place)) == family.n_places
    assert made["text_replacement_offsets"][0][0]["replacement"]


def test_qwen3_vl_tells_what_it_writes_for_a_picture(tiny: Path) -> None:
    processor = load_processor(tiny)
    assert isinstance(processor, transformers.Qwen3VLProcessor)
    made = processor(
        text=["<|vision_start|><|image_pad|><|vision_end|>Sharp?"],
        images=[picture()],
        return_mm_token_type_ids=True,
        return_text_replacement_offsets=True,
    )
    (written,) = made["text_replacement_offsets"][0]
    assert written["replacement"] == "<|image_pad|>" * 12
    assert made["mm_token_type_ids"][0].count(1) == 12
    assert made["image_grid_thw"].tolist() == [[1, 6, 8]]
    assert "<|vision_start|><|image_pad|><|vision_end|>" in str(processor.chat_template)


def test_a_processor_without_videos_has_none_and_knows_it(tiny: Path) -> None:
    processor = load_processor(tiny)
    assert processor.video_processor is None
    assert "pixel_values" in processor.model_input_names
    with pytest.raises(TypeError, match="Received a str for argument image_processor"):
        type(processor)("no image processor", processor.tokenizer)


def test_idefics3_is_loaded_as_it_is(tmp_path: Path) -> None:
    processor = load_processor(save_idefics3(tmp_path / "tiny"))
    assert type(processor) is transformers.Idefics3Processor
    assert processor.image_processor.backend == BACKEND


@pytest.mark.parametrize("named", [None, "MyOwnProcessor", "Qwen2Tokenizer", 3])
def test_the_models_type_names_the_class_where_the_files_do_not(tiny: Path, named: object) -> None:
    for name in ("preprocessor_config.json", "tokenizer_config.json"):
        change(tiny, name, processor_class=named)
    assert isinstance(load_processor(tiny), transformers.Qwen3VLProcessor)


def test_a_template_of_the_tokenizers_will_do(tiny: Path) -> None:
    (tiny / "chat_template.jinja").unlink()
    assert load_processor(tiny).chat_template is None
    change(tiny, "tokenizer_config.json", chat_template="{{ messages }}")
    assert load_processor(tiny).chat_template == "{{ messages }}"


def test_no_code_of_a_folder_is_run(tiny: Path) -> None:
    (tiny / "mine.py").write_text("raise SystemExit")
    for name, kind in {
        "config.json": "AutoConfig",
        "preprocessor_config.json": "AutoImageProcessor",
        "tokenizer_config.json": "AutoTokenizer",
    }.items():
        mine = ["mine.Mine", "mine.Mine"] if kind == "AutoTokenizer" else "mine.Mine"
        change(tiny, name, auto_map={kind: mine, "AutoProcessor": "mine.Mine"})
    assert isinstance(load_processor(tiny), transformers.Qwen3VLProcessor)


@pytest.mark.parametrize(
    ("config", "named", "found"),
    [
        ('{"model_type": "qwen3"}', None, "none"),
        ('{"model_type": "eyechart_9"}', "MyOwnProcessor", "MyOwnProcessor, MyOwnProcessor"),
    ],
)
def test_a_model_without_a_processor_class_is_told(
    tiny: Path, config: str, named: object, found: str
) -> None:
    (tiny / "config.json").write_text(config)
    for name in ("preprocessor_config.json", "tokenizer_config.json"):
        change(tiny, name, processor_class=named)
    told = (
        r"tiny: transformers \d+\.\S+ has no processor for it; expected a processor_class that it "
        "knows in one of processor_config.json, preprocessor_config.json, tokenizer_config.json "
        rf"\(found: {found}\). Update transformers, or choose a model made for it"
    )
    with pytest.raises(BadInput, match=told):
        load_processor(tiny)


def test_a_tokenizer_that_cannot_be_loaded_is_told(tiny: Path) -> None:
    (tiny / "tokenizer.json").write_text("{}")
    told = (
        r"tiny: transformers cannot load its tokenizer \(\w+: .+\); expected files as it saves "
        "them; copy the tokenizer's files from the model that this one was made from"
    )
    with pytest.raises(BadInput, match=told):
        load_processor(tiny)


def test_an_image_processor_that_cannot_be_loaded_is_told(tiny: Path) -> None:
    (tiny / "preprocessor_config.json").unlink()
    told = (
        r"tiny: transformers cannot load its image processor \(\w+: .+\); expected .* the image p"
    )
    with pytest.raises(BadInput, match=told):
        load_processor(tiny)


def test_a_processor_whose_parts_alone_can_be_loaded_is_told(tmp_path: Path) -> None:
    folder = save(tmp_path / "gemma3", "gemma3", FAMILIES["gemma3"])
    write(folder, "tokenizer_config.json", PLAIN)
    told = r"gemma3: transformers cannot load its processor \(Gemma3Processor\) \(AttributeError: "
    with pytest.raises(BadInput, match=told):
        load_processor(folder)


@pytest.mark.parametrize(
    ("name", "library", "needed"),
    [
        ("smolvlm", "num2words", "Package `num2words` is required to run SmolVLM processor"),
        ("mistral3", "torchvision", "PixtralProcessor requires the Torchvision library but it was"),
    ],
)
def test_a_library_that_a_family_needs_is_told(
    tmp_path: Path, name: str, library: str, needed: str
) -> None:
    if library == "torchvision" and HAS_TORCHVISION:
        pytest.skip("torchvision is installed")
    if library == "num2words" and is_num2words_available():
        pytest.skip("num2words is installed")
    folder = save(tmp_path / name, name, FAMILIES[name])
    told = (
        rf"{name}: a library that its processor needs is not installed \({needed}.*\); install it "
        "with pip, or choose another model"
    )
    with pytest.raises(MissingExtra, match=told):
        load_processor(folder)


def test_a_processor_of_sounds_is_told(tmp_path: Path) -> None:
    folder = save(tmp_path / "ears", "whisper", FAMILIES["llava"])
    write(folder, "processor_config.json", {"processor_class": "WhisperProcessor"})
    write(folder, "preprocessor_config.json", {"feature_extractor_type": "WhisperFeatureExtractor"})
    told = (
        r"ears: its processor \(WhisperProcessor\) is not one of pictures and text; expected one "
        "with tokenizer and image_processor; choose a model that takes both"
    )
    with pytest.raises(BadInput, match=told):
        load_processor(folder)


def test_without_transformers_it_is_told_what_to_install(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    told = r'needs transformers, which is not installed: pip install "eyechart\[local\]"'
    with pytest.raises(MissingExtra, match=told):
        load_processor(tiny)

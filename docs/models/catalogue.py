"""The models that the survey scans: a small random copy of each, and the real one on the meta device for its counts.

Nothing is downloaded: the numbers of each language model are those of its published ``config.json``, and the number of
parameters that they give is compared with the published one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

SIDE = 64  # of the small images


@dataclass(frozen=True)
class Surveyed:
    """One model.

    Attributes:
        name: as people call it.
        library: ``timm`` or ``transformers``.
        small, real: make the model that is scanned, and the one that is counted.
        batch: what the small one is called with.
        published: how many parameters the real one has, by those who published it.
    """

    name: str
    library: str
    small: Callable[[], nn.Module]
    real: Callable[[], nn.Module]
    batch: Callable[[], Any]
    published: int


def models() -> list[Surveyed]:
    """All models that are surveyed."""
    return [
        vision("ResNet-18", "resnet18", 11_689_512),
        vision("ResNet-50", "resnet50", 25_557_032),
        vision("Wide ResNet-50-2", "wide_resnet50_2", 68_883_240, layers=(1, 1, 1, 1)),
        vision("MobileNetV2", "mobilenetv2_100", 3_504_872),
        vision("EfficientNet-B0", "efficientnet_b0", 5_288_548),
        vision("ConvNeXt-T", "convnext_tiny", 28_589_128, depths=(1, 1, 1, 1), dims=(24, 48, 72, 96)),
        vision("ViT-B/16", "vit_base_patch16_224", 86_567_656, depth=2, embed_dim=48, num_heads=4, img_size=SIDE),
        language("GPT-2", "GPT2", 124_439_808, GPT2, {"n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": 64}),
        language("Phi-2", "Phi", 2_779_683_840, PHI_2, SMALL),
        language("Phi-3-mini", "Phi3", 3_821_079_552, PHI_3, SMALL),
        language("Llama 3 8B", "Llama", 8_030_261_248, LLAMA_3, SMALL),
        language("Qwen3 8B", "Qwen3", 8_190_735_360, QWEN_3, {**SMALL, "head_dim": 8}),
        language("Gemma 2 9B", "Gemma2", 9_241_705_984, GEMMA_2, {**SMALL, "head_dim": 8}),
        language("Gemma 3 1B", "Gemma3", 999_885_952, GEMMA_3, {**SMALL, "head_dim": 8}),
        language("OLMo 2 7B", "Olmo2", 7_298_617_344, OLMO_2, SMALL),
    ]


def vision(name: str, timm_name: str, published: int, **small: Any) -> Surveyed:
    """A model of timm; without ``small``, that of the scan is the real one."""

    def made(**options: Any) -> nn.Module:
        with_torchvision()
        import timm

        model: nn.Module = timm.create_model(timm_name, **options)
        return model

    return Surveyed(
        name, "timm", lambda: made(**small), lambda: made(), lambda: torch.randn(4, 3, SIDE, SIDE), published
    )


def language(name: str, family: str, published: int, real: dict[str, Any], small: dict[str, Any]) -> Surveyed:
    """A causal language model of transformers: the real configuration, and what is smaller in the copy."""

    def made(options: dict[str, Any]) -> nn.Module:
        with_torchvision()
        import transformers

        config_name = {"Gemma3": "Gemma3TextConfig"}.get(family, f"{family}Config")
        model_name = "GPT2LMHeadModel" if family == "GPT2" else f"{family}ForCausalLM"
        config = getattr(transformers, config_name)(**options, pad_token_id=None)
        model: nn.Module = getattr(transformers, model_name)(config)
        return model

    def batch() -> dict[str, Any]:
        return {"input_ids": torch.randint(SMALL["vocab_size"], (3, 10)), "use_cache": False}

    return Surveyed(name, "transformers", lambda: made({**real, **small}), lambda: made(real), batch, published)


def with_torchvision() -> None:
    """Import torchvision, which both libraries read names of, also where it was built for another torch.

    Where its library cannot be loaded its import fails, for the two operators that it gives a shape to are not declared
    then. Declared, they are there by name; no model here calls them.
    """
    try:
        import torchvision
    except RuntimeError:
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision  # noqa: F401


# Of every small language model; groups of keys and values are shared by two heads. Weights are as much larger than
# those of a model of width 4096 (0.02) as √width is smaller: what they make of their input is of the same size.
SMALL: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.2,
}
GPT2: dict[str, Any] = {}  # transformers' own defaults
PHI_2: dict[str, Any] = {
    "vocab_size": 51_200,
    "hidden_size": 2560,
    "intermediate_size": 10_240,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
}
PHI_3: dict[str, Any] = {
    "vocab_size": 32_064,
    "hidden_size": 3072,
    "intermediate_size": 8192,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
}
LLAMA_3: dict[str, Any] = {
    "vocab_size": 128_256,
    "hidden_size": 4096,
    "intermediate_size": 14_336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "tie_word_embeddings": False,
}
QWEN_3: dict[str, Any] = {
    "vocab_size": 151_936,
    "hidden_size": 4096,
    "intermediate_size": 12_288,
    "num_hidden_layers": 36,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "tie_word_embeddings": False,
}
GEMMA_2: dict[str, Any] = {
    "vocab_size": 256_000,
    "hidden_size": 3584,
    "intermediate_size": 14_336,
    "num_hidden_layers": 42,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 256,
}
GEMMA_3: dict[str, Any] = {
    "vocab_size": 262_144,
    "hidden_size": 1152,
    "intermediate_size": 6912,
    "num_hidden_layers": 26,
    "num_attention_heads": 4,
    "num_key_value_heads": 1,
    "head_dim": 256,
}
OLMO_2: dict[str, Any] = {
    "vocab_size": 100_352,
    "hidden_size": 4096,
    "intermediate_size": 11_008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
    "tie_word_embeddings": False,
}

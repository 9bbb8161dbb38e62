"""docs/models.md is what docs/models/survey.py makes of views.json, and what the file says adds up."""

import importlib.util
import json
import re
import sys
from types import ModuleType
from typing import Any

import pytest
import torch
from executed_page import ROOT, read
from torch import nn

from tangency.benchmarks.experiments import resnets

HERE = ROOT / "docs" / "models"
DATA: dict[str, Any] = json.loads((HERE / "views.json").read_text(encoding="utf-8"))
MODELS = {model["name"]: model for model in DATA["models"]}


@pytest.fixture
def survey(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module; another survey has its name."""
    monkeypatch.syspath_prepend(str(HERE))
    spec = importlib.util.spec_from_file_location("survey_of_models", HERE / "survey.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_made_of_the_data(survey: ModuleType) -> None:
    assert read("docs/models.md") == survey.page(DATA)


def test_the_data_is_of_the_catalogue_and_of_the_versions_that_are_installed_for_it(survey: ModuleType) -> None:
    assert {name: one["parameters"] for name, one in MODELS.items()} == {m.name: m.published for m in survey.models()}
    assert dict(re.findall(r"^(\w+)==(\S+)$", read("docs/models/requirements.txt"), re.M)) == DATA["versions"]


def test_every_parameter_is_counted_and_nothing_is_open() -> None:
    for name, model in MODELS.items():
        assert sum(kind["parameters"] for kind in model["kinds"]) == model["parameters"], name
        assert not model["wrong"], name


@pytest.mark.parametrize(("name", "invariant"), [("ResNet-18", 11_166_912), ("ResNet-50", 23_454_912)])
def test_the_shares_of_the_paper(name: str, invariant: int, survey: ModuleType) -> None:
    assert survey.share(MODELS[name], "channel") == invariant / MODELS[name]["parameters"]
    assert survey.share(MODELS[name], "head", "layer") == 0


def test_what_the_page_says_in_words_is_so() -> None:
    """The sentences of the findings, held to the views; which models they name is computed with the page."""
    for model in MODELS.values():
        views = {kind["weight"].rpartition(".layers.*.")[2]: kind["view"] for kind in model["kinds"]}
        wide = {kind["view"] for kind in model["kinds"] if kind["module"] in ("Linear", "Embedding", "Conv1D")}
        assert "channel" not in wide, model["name"]
        if views.get("mlp.down_proj.weight") == "layer":
            after = {views[f"{name}.weight"] for name in ("self_attn.v_proj", "self_attn.o_proj", "mlp.up_proj")}
            assert (after, views["mlp.gate_proj.weight"]) == ({"layer"}, "none")


class _Narrow(nn.Sequential):
    def __init__(self, width: int) -> None:
        super().__init__(nn.Linear(8, width, bias=False), nn.BatchNorm1d(width), nn.Linear(width, 2))


def one_model(survey: ModuleType, published: int) -> Any:
    return sys.modules["catalogue"].Surveyed(
        "narrow", "none", lambda: _Narrow(4), lambda: _Narrow(16), lambda: torch.randn(12, 8), published
    )


def test_a_small_copy_decides_and_the_real_model_counts(
    survey: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(survey, "models", lambda: [one_model(survey, 194)])
    monkeypatch.setattr(survey, "LIBRARIES", ())
    assert survey.main(["narrow"]) == 0
    assert "| `*.weight` | Linear | channel | channel | channel | 1 | 128 |" in capsys.readouterr().out


def test_a_wrong_number_of_parameters_ends_the_run_with_1(
    survey: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(survey, "models", lambda: [one_model(survey, 195)])
    monkeypatch.setattr(survey, "LIBRARIES", ())
    assert survey.main(["narrow"]) == 1
    assert "narrow: it has 194 parameters, and 195 were published" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["Qwen3 8B", "OLMo 2 7B"])
def test_a_scan_finds_it_again(name: str, survey: ModuleType) -> None:
    pytest.importorskip("transformers", reason="tox -e models installs transformers, whose models are scanned")
    (model,) = (one for one in survey.models() if one.name == name)
    again = survey.surveyed(model)
    assert [(k["weight"], k["view"], k["parameters"]) for k in again["kinds"]] == [
        (k["weight"], k["view"], k["parameters"]) for k in MODELS[name]["kinds"]
    ]


def test_the_helpers_are_those_models() -> None:
    """The ResNets of these tests have the parameters of timm's."""
    with torch.device("meta"):
        for name, blocks, bottleneck in (("ResNet-18", (2, 2, 2, 2), False), ("ResNet-50", (3, 4, 6, 3), True)):
            own = resnets.resnet(blocks, bottleneck=bottleneck)
            assert sum(p.numel() for p in own.parameters()) == MODELS[name]["parameters"]

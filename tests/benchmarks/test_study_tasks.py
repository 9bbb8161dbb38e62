"""What runs of studies do: losses, attacks and precision against their definitions; data; the paper's preset."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from tangency.benchmarks.experiments import (
    causal,
    classify,
    data,
    detect,
    language,
    listen,
    optimizers,
    resist,
    retrieve,
    scenes,
    toy,
)
from tangency.benchmarks.experiments.preset import Preset, Size
from tangency.benchmarks.experiments.studies import NAMES, study
from tangency.benchmarks.experiments.tasks import TASKS, perform
from tangency.common.calls import WrongCall

SMALL = {"data": "digits", "width": 2, "depth": 1, "batch": 100, "epochs": 0.3, "samples": 3, "seed": 0}
TRAINED = {**SMALL, "optimizer": "SGD", "lr": 0.1, "schedule": "constant"}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_the_triplet_loss_is_its_definition():
    """For every pair of one class the nearest other that is farther than the pair; else the farthest other."""
    found = functional.normalize(torch.randn(12, 3, generator=seeded(), dtype=torch.float64), dim=1)
    y = torch.randint(3, (12,), generator=seeded(1))
    apart = torch.cdist(found, found).square()
    losses = []
    for a in range(12):
        others = [float(apart[a, n]) for n in range(12) if y[n] != y[a]]
        for p in range(12):
            if p != a and y[p] == y[a]:
                pair = float(apart[a, p])
                chosen = min([d for d in others if d > pair], default=max(others))
                losses.append(max(0.0, pair - chosen + 0.2))
    assert float(retrieve.triplet(found, y)) == pytest.approx(sum(losses) / len(losses), rel=1e-9)


def test_the_proxy_anchor_loss_is_its_definition():
    loss = retrieve.ProxyAnchor(4, 3).double()
    found = functional.normalize(torch.randn(6, 3, generator=seeded(), dtype=torch.float64), dim=1)
    y = torch.tensor([0, 0, 1, 2, 2, 2])
    proxies = functional.normalize(loss.proxies.detach(), dim=1)
    own, other = [], []
    for k in range(4):
        similar = [(float(found[i] @ proxies[k]), int(y[i]) == k) for i in range(6)]
        other.append(math.log1p(sum(math.exp(32 * (s + 0.1)) for s, same in similar if not same)))
        if any(same for _, same in similar):
            own.append(math.log1p(sum(math.exp(-32 * (s - 0.1)) for s, same in similar if same)))
    assert loss(found, y).item() == pytest.approx(sum(own) / len(own) + sum(other) / 4, rel=1e-9)


@pytest.mark.parametrize("threat", ["Linf", "L2"])
def test_an_attack_stays_in_its_ball_and_makes_the_loss_larger(threat):
    model, found, _ = classify.prepared({**TRAINED, "width": 4})
    model.eval()
    batch = data.Split(found.train.x[:50], found.train.y[:50])
    config = {"threat": threat, "epsilon": 0.5, "iterations": 3}
    moved = resist.attacked(model, batch, config, seeded()) - batch.x
    size = moved.abs().amax() if threat == "Linf" else moved.flatten(1).norm(dim=1).amax()
    # Adding to the image and taking it away again rounds.
    assert float(size) <= 0.5 + 64 * 2.0**-23 * float(batch.x.abs().amax() + 1)
    before, after = (functional.cross_entropy(model(x), batch.y) for x in (batch.x, batch.x + moved))
    assert after > before
    assert all(p.grad is None for p in model.parameters())


def _hits(boxes, images, y, label, overlap):
    return detect.hits(detect.shares(boxes, images, y, label), images, overlap)


def test_precision_counts_a_digit_once_and_orders_by_score():
    """Two digits of a class; detections in order: a hit, a second one on the same digit, a hit: 1, 1/2, 2/3."""
    y = torch.tensor([[[1.0, 0, 0, 8, 8], [1, 16, 16, 8, 8], [-1, -1, -1, -1, -1]]])
    boxes = torch.tensor([[0.0, 0.0, 8, 8], [1.0, 0.0, 8, 8], [16.0, 15.0, 8, 8]])
    images = torch.tensor([0, 0, 0])
    assert _hits(boxes, images, y, 1, 0.5).tolist() == [1, 0, 1]
    assert _hits(boxes, images, y, 1, 0.8).tolist() == [1, 0, 0]  # 56 of 72
    assert _hits(boxes, images, y, 2, 0.5).tolist() == [0, 0, 0]
    # An overlap of half the area is one of a third of the union, and so is one of boxes of another size.
    assert _hits(torch.tensor([[4.0, 0.0, 8, 8]]), images[:1], y, 1, 0.34).tolist() == [0]
    assert _hits(torch.tensor([[0.0, 0.0, 8, 24]]), images[:1], y, 1, 0.33).tolist() == [1]
    # The nearer of two objects is hit, and the other is left to the next detection.
    near = torch.tensor([[[1.0, 0, 0, 8, 8], [1, 0, 2, 8, 8]]])
    two = torch.tensor([[0.0, 1.5, 8, 8], [0.0, 1.75, 8, 8]])
    assert _hits(two, images[:2], near, 1, 0.5).tolist() == [1, 1]


class Oracle(torch.nn.Module):
    """Says what is on the canvases that it was made with."""

    def __init__(self, scene, classes):
        super().__init__()
        heat, box, _ = detect.targets(scene.y, classes, scene.x.shape[-1] // detect.STRIDE)
        self.said = torch.cat((20 * heat - 10, box), 1)

    def forward(self, x):
        return self.said


def test_a_detector_that_is_right_is_precise():
    scene = scenes.pasted(data.digits().train, 40, 0)
    assert detect.precision(Oracle(scene, 10), scene, 10, (0.5, 0.95)) == pytest.approx(100)
    label = torch.where(scene.y[..., :1] >= 0, (scene.y[..., :1] + 1) % 10, -1)
    wrong = scenes.Scenes(scene.x, torch.cat((label, scene.y[..., 1:]), 2))
    assert detect.precision(Oracle(scene, 10), wrong, 10, (0.5,)) < 50
    loss = [float(detect.loss_of(Oracle(scene, 10)(scene.x), y, 10)) for y in (scene.y, wrong.y)]
    assert loss[0] < 1e-2 < loss[1]


def test_transplanted_norms_do_not_change_the_function():
    model, found, _ = classify.prepared({**TRAINED, "width": 4})
    batch = found.train.x[:200]
    with torch.no_grad():
        before = model.double()(batch.double())
    wanted = [3 * torch.rand(len(w), generator=seeded(), dtype=torch.float64) + 1 for w in causal._rows(model)]
    causal._given(model, [wanted])()
    for w, norms in zip(causal._rows(model), wanted, strict=True):
        assert torch.allclose(w.flatten(1).norm(dim=1), norms, rtol=1e-12, atol=0)
    # Not to the last bit: the ε of batch normalisation, 1e-5 of the variance of an input, is there.
    with torch.no_grad():
        changed = model(batch.double()) - before
    assert float(changed.abs().amax()) < 1e-2 * float(before.abs().amax())


def test_a_transplant_of_ones_own_norms_is_the_plain_run():
    config = {**TRAINED, "norms": "SGD"}
    assert causal.transplanted(config) == classify.classify(TRAINED)
    other = causal.transplanted({**TRAINED, "norms": "SGDP", "epochs": 1})
    donor = classify.classify({**TRAINED, "optimizer": "SGDP", "epochs": 1})
    assert other["norm_last"] == pytest.approx(donor["norm_last"], rel=1e-5)
    assert other["effective_step"] != donor["effective_step"]


def test_history_tells_an_optimizer_that_does_not_close(monkeypatch):
    from tangency.proofs_checks.broken.projection import AddsTheRadialPart

    sound = classify.classify({**TRAINED, "optimizer": "SGDP"})
    monkeypatch.setattr(optimizers, "SGDP", AddsTheRadialPart)
    assert sound["does_not_close"] == 0
    assert classify.classify({**TRAINED, "optimizer": "SGDP"})["does_not_close"] > 0


def test_a_run_that_diverges_scores_as_untrained():
    result = classify.classify({**TRAINED, "lr": 1e30, "optimizer": "SGD", "epochs": 1})
    assert result["diverged"]
    untrained, found, _ = classify.prepared(TRAINED)
    assert result["test"] == classify.accuracy(untrained, found.test)


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        ("constant", [1, 1, 1, 1]),
        ("linear", [1, 0.75, 0.5, 0.25]),
        ("step", [1, 1, 0.1, 0.01]),
        ("cosine", [1, (2 + math.sqrt(2)) / 4, 0.5, (2 - math.sqrt(2)) / 4]),
    ],
)
def test_schedules(schedule, factors):
    assert [optimizers.factor(schedule, step, 4) for step in range(4)] == pytest.approx(factors)


def test_the_toy_is_the_spec_with_what_is_asked_for():
    base = {"problem": "cosine", "algorithm": "momentum", "options": {"momentum": 0.9}, "lr": 0.02, "steps": 20}
    base |= {"start": [0.001, 1.0], "schedule": "constant"}
    plain = toy.toy(base)
    assert plain["largest_norm"] > 1
    clipped = toy.toy({**base, "clip": 1e-6})
    assert clipped["largest_norm"] - 1 < 20 * 0.02 * 10 * 1e-6
    assert toy.toy({**base, "l2": 0.1})["last_norm"] < plain["last_norm"]
    both = toy.toy({**base, "algorithm": "sgdp", "project_buffer": True})
    assert both["last_value"] != toy.toy({**base, "algorithm": "sgdp"})["last_value"]
    searched = toy.search({**base, "rates": [0.001, 0.02]})
    assert searched["lr"] == 0.02
    assert searched["last_value"] == plain["last_value"]


def test_the_packaged_data_are_whole():
    images, text = data.fashion(), data.text()
    assert [len(part.y) for part in (images.train, images.validation, images.test)] == [6000, 2000, 3000]
    assert images.classes == 10
    assert images.digest == data.fashion(1000).digest
    assert len(data.fashion(1000).train.y) == 1000
    assert text.classes == 62
    assert len(text.train.x) + len(text.validation.x) + len(text.test.x) == 999_877
    (part,) = np.unique([np.isfinite(images.train.x.numpy()).all()])
    assert part


def test_colours_give_the_label_away_in_training_alone():
    grey = data.digits()
    made = data.coloured(grey, 1.0)

    def grounds(split):
        corner = split.x[:, :, 0, 0]  # a digit's corner is ground
        return {tuple(x) for x in torch.cat((split.y[:, None].float(), corner), 1).round(decimals=4).tolist()}

    assert len(grounds(made.train)) == 10
    assert len(grounds(made.test)) > 50
    assert torch.equal(made.train.y, grey.train.y)


def test_sounds_are_split_by_file(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    for kind, pitch in (("low", 200), ("high", 2000)):
        for i in range(6):
            wave = np.sin(2 * np.pi * pitch * (1 + i / 20) * np.arange(8000 * (1 + i % 2)) / 8000)
            soundfile.write(tmp_path / f"{kind}_{i}.wav", wave, 8000)
    found = data_of(tmp_path)
    assert found.classes == 2
    assert min(len(found.train.y), len(found.validation.y), len(found.test.y)) > 0
    assert found.train.x.shape[1:3] == (1, listen.BANDS)
    with pytest.raises(WrongCall, match="needs two kinds of sounds"):
        listen.sounds(str(tmp_path / ".." / "nothing"))


def data_of(path):
    listen.sounds.cache_clear()
    return listen.sounds(str(path))


def test_mel_bands_cover_what_they_should():
    bands = listen.bands()
    assert bands.shape == (listen.BANDS, listen.WINDOW // 2 + 1)
    assert float(bands.amax()) <= 1
    peaks = bands.argmax(1)
    assert (peaks[1:] >= peaks[:-1]).all()


def test_the_language_model_sees_no_future():
    model = language.Transformer(7, 8, 2, 2, 6, normalised=True)
    x = torch.randint(7, (1, 6), generator=seeded())
    y = x.clone()
    y[0, 4] = (y[0, 4] + 1) % 7
    assert torch.equal(model(x)[0, :4], model(y)[0, :4])
    assert not torch.equal(model(x)[0, 4:], model(y)[0, 4:])
    names = [name for name, _ in model.named_parameters() if name.endswith("original1")]
    assert len(names) == 8


def made_up(root: Path) -> Path:
    """Pictures, words and sounds, as the paper's preset reads them."""
    from PIL import Image

    random = np.random.default_rng(0)
    for part in ("train", "val"):
        for name in ("cat", "dog"):
            place = root / part / name
            place.mkdir(parents=True)
            for i in range(260 if part == "train" else 3):
                Image.fromarray(random.integers(0, 255, (9, 12, 3), dtype=np.uint8)).save(place / f"{i}.png")
    for part in ("train", "valid", "test"):
        (root / f"wiki.{part}.tokens").write_text("the cat saw the dog and the dog saw it " * 60, encoding="utf-8")
    (root / "annotations").mkdir()
    for part, count in (("train2017", 24), ("val2017", 3)):
        (root / part).mkdir()
        images = [{"id": i, "file_name": f"{i}.jpg"} for i in range(count)]
        for image in images:
            Image.fromarray(random.integers(0, 255, (30, 40, 3), dtype=np.uint8)).save(root / part / image["file_name"])
        boxes = [{"image_id": i, "category_id": 3 + 4 * (i % 2), "bbox": [20, 0, 10, 20]} for i in range(count)]
        whole = {"images": images, "categories": [{"id": 7}, {"id": 3}], "annotations": [*boxes, boxes[0]]}
        (root / "annotations" / f"instances_{part}.json").write_text(json.dumps(whole), encoding="utf-8")
    soundfile = pytest.importorskip("soundfile")
    for kind in ("low", "high"):
        for i in range(24):
            soundfile.write(root / f"{kind}_{i}.wav", random.standard_normal(16_000).clip(-1, 1), 16_000)
    return root


def test_the_papers_preset_takes_a_step_on_made_up_data(tmp_path):
    """Every task of it, on networks made small: the same code, and the user's own data."""
    preset = Preset(Size.PAPER, made_up(tmp_path))
    done = set()
    for name in NAMES:
        found = study(name)
        if found.needs(preset) or (name.startswith("figure") and name != "figure-4"):
            continue
        for config in found.plan(preset):
            if config["task"] in (*done, "share"):
                continue
            done.add(config["task"])
            small = {
                "side": 16 if config["task"] == "detect" else 8,
                "width": 2,
                "depth": 1,
                "epochs": 1e-9,
                "batch": min(config["batch"], 8),
            }
            small |= {"iterations": 1, "dim": 20, "layers": 1, "context": 8, "steps": 1, "attacked": 4}
            line = perform(
                {**config, **{key: value for key, value in small.items() if key in config or key == "attacked"}}
            )
            assert math.isfinite(line["result"]["test"])
    assert done == {"classify", "causal", "resist", "retrieve", "listen", "language", "detect"}
    assert done <= set(TASKS)


def test_boxes_are_scaled_with_their_pictures(tmp_path):
    found = scenes.coco(made_up(tmp_path), 20)
    assert (len(found.train.x), len(found.validation.x), len(found.test.x), found.classes) == (23, 1, 3, 2)
    assert found.train.x.shape[1:] == (3, 20, 20)
    assert found.train.y[0].tolist() == [[0, 0, 10, 10, 5], [0, 0, 10, 10, 5]]
    assert found.train.y[1].tolist() == [[1, 0, 10, 10, 5], [-1] * 5]
    grey = found.train.x[:, :, 15:]  # 40 × 30 pixels became 20 × 15
    assert (grey == grey[0, 0, 0, 0]).all()
    names = tmp_path / "annotations" / "instances_val2017.json"
    for text, says in (("{}", "is not in COCO's format: KeyError"), ("[", "is not in COCO's format")):
        names.write_text(text, encoding="utf-8")
        with pytest.raises(WrongCall, match=says):
            scenes.coco(tmp_path, 20)
    names.unlink()
    with pytest.raises(WrongCall, match=r"instances_val2017.json cannot be read"):
        scenes.coco(tmp_path, 20)


def test_data_of_the_users_are_refused_with_a_reason(tmp_path):
    with pytest.raises(WrongCall, match="train is no folder"):
        data.folder(tmp_path, 8)
    with pytest.raises(WrongCall, match="has no file whose name has 'train' in it"):
        data.words(str(tmp_path))
    (tmp_path / "train" / "cat").mkdir(parents=True)
    (tmp_path / "val").mkdir()
    with pytest.raises(WrongCall, match="has no image"):
        data.folder(tmp_path, 8)

"""The task of Table 4: what kind of sound is it?"""

import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tangency.benchmarks.experiments import data
from tangency.benchmarks.experiments.classify import prepared
from tangency.benchmarks.experiments.fit import fit
from tangency.common.calls import WrongCall

RATE, WINDOW, HOP, BANDS = 16_000, 512, 256, 32


def bands() -> Tensor:
    """Triangles of equal width on the mel scale, (BANDS, WINDOW/2 + 1)."""

    def mel(frequency: float) -> float:
        return 1127 * math.log1p(frequency / 700)

    edges = 700 * torch.expm1(torch.linspace(mel(30), mel(RATE / 2), BANDS + 2) / 1127)
    frequencies = torch.linspace(0, RATE / 2, WINDOW // 2 + 1)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    return torch.minimum((frequencies - low) / (middle - low), (high - frequencies) / (high - middle)).clamp(min=0)


def spectrogram(waves: Tensor) -> Tensor:
    """Log-mel spectrograms of waves (n, samples), as images (n, 1, BANDS, frames)."""
    spectra = torch.stft(waves, WINDOW, HOP, window=torch.hann_window(WINDOW), return_complex=True).abs().square()
    return torch.log(bands() @ spectra + 1e-6).unsqueeze(1)


@lru_cache(1)
def tones(count: int = 600) -> data.Data:
    """Half-second tones of four wave forms, of any pitch and phase, in noise: made here, for runs without sounds."""
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(4, (count,), generator=generator)
    pitch = 100 * 16 ** torch.rand(count, 1, generator=generator)
    phase = torch.rand(count, 1, generator=generator)
    turn = (pitch * torch.arange(RATE // 2) / RATE + phase) % 1
    forms = torch.stack(
        (torch.sin(2 * math.pi * turn), torch.sign(turn - 0.5), 2 * turn - 1, 1 - 4 * (turn - 0.5).abs())
    )
    waves = forms[y, torch.arange(count)] + 0.5 * torch.randn(count, RATE // 2, generator=generator)
    return _data(spectrogram(waves), y, (count * 2 // 3, count // 6, count // 6))


@lru_cache(1)
def sounds(root: str) -> data.Data:
    """Sounds of a folder: half-second pieces of its files, labelled by what stands before the first _ of their names.

    A kind needs four files; a third of the files of each is to choose and to test, without a piece of them in training.

    Raises:
        WrongCall: the folder has no two such kinds.
    """
    import soundfile

    files: dict[str, list[Path]] = {}
    for path in sorted(Path(root).rglob("*")):
        if path.suffix.lower() in (".flac", ".wav", ".ogg"):
            files.setdefault(path.stem.partition("_")[0], []).append(path)
    kinds = [kind for kind, found in files.items() if len(found) >= 4]
    if len(kinds) < 2:
        raise WrongCall(f"--data: {root} needs two kinds of sounds, with four files KIND_NAME.flac, .wav or .ogg each")
    splits: list[list[tuple[Tensor, int]]] = [[], [], []]
    for label, kind in enumerate(kinds):
        for i, path in enumerate(files[kind]):
            wave, rate = soundfile.read(str(path), dtype="float32", always_2d=True)
            whole = torch.from_numpy(np.ascontiguousarray(wave.mean(1)))
            whole = functional.interpolate(whole[None, None], scale_factor=RATE / rate, mode="linear")[0, 0]
            whole = functional.pad(whole, (0, max(0, RATE // 2 - len(whole))))
            pieces = whole.unfold(0, RATE // 2, RATE // 4)[:8]
            where = 0 if i % 3 else 1 + i // 3 % 2
            splits[where] += [(piece, label) for piece in pieces]
    order = torch.randperm(len(splits[0]), generator=torch.Generator().manual_seed(0)).tolist()
    every = [*(splits[0][i] for i in order), *splits[1], *splits[2]]
    waves = torch.stack([wave / wave.abs().max().clamp(min=1e-6) for wave, _ in every])
    y = torch.tensor([label for _, label in every])
    return _data(spectrogram(waves), y, (len(splits[0]), len(splits[1]), len(splits[2])))


def _data(x: Tensor, y: Tensor, sizes: tuple[int, int, int]) -> data.Data:
    return data.split((x - x.mean()) / x.std(), y, sizes, data.digest_of(x.numpy(), y.numpy()))


def listen(config: dict[str, Any]) -> dict[str, Any]:
    """Train a ResNet on spectrograms; scores are accuracies in percent.

    Args:
        config: as of `classify`; ``data`` is ``tones``, or ``sounds`` with ``root``.
    """
    found = tones() if config["data"] == "tones" else sounds(config["root"])
    model, _, given = prepared(config, found)
    return {"data": found.digest, **fit(config, model, **given)}

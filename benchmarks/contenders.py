"""The optimizers that are timed: torch's own, ours on every path, and published ones; those left out, with the reason.

Only correct optimizers are timed: :func:`verified` compares one float32 step of every projecting optimizer with the
executable spec, in each of the three modes. Whoever is timed in another dtype must be able to make a step there.
"""

import importlib
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from typing import Any

import numpy as np
import torch
from torch.optim import Optimizer

from tangency.benchmarks.optimizers import OPTIMIZERS
from tangency.theory.algorithms import ALGORITHMS, START
from tangency.theory.fields import balls, nearest, rational
from tangency.theory.formats import FLOAT32
from tangency.theory.projection import View, turned
from tangency.theory.rounded import parts, rounded

PATHS: Mapping[str, Mapping[str, bool]] = {
    "loop": {"foreach": False, "fused": False},
    "foreach": {"foreach": True},
    "fused": {"fused": True},
}


@dataclass(frozen=True)
class Contender:
    """An optimizer that is timed.

    Attributes:
        kind: gives its class, which is called with a list of parameters, ``options`` and ``switches``.
        options: hyper-parameters, the same for a whole family.
        algorithm: which algorithm of the executable spec it must agree with; none for torch's own.
        switches: the code path.
        compiled: whether ``torch.compile`` makes one graph of its step.
        ours: whether a wrong result is an error of this project, and no reason to leave it out.
    """

    name: str
    kind: Callable[[], Callable[..., Optimizer]]
    options: Mapping[str, Any]
    algorithm: str = ""
    switches: Mapping[str, bool] = field(default_factory=dict)
    compiled: bool = False
    ours: bool = False

    def make(self, params: list[torch.nn.Parameter], **changed: Any) -> Optimizer:
        """The optimizer of the given parameters, with some options changed."""
        return self.kind()(params, **{**self.options, **changed}, **self.switches)

    def step(self, optimizer: Optimizer) -> Callable[[], Any]:
        """A function that performs one step of an optimizer that it made."""
        return torch.compile(optimizer.step) if self.compiled else optimizer.step


@dataclass(frozen=True)
class LeftOut:
    """A contender that is not timed, and why."""

    name: str
    reason: str


class WrongStep(AssertionError):
    """A step differs from the paper's by more than rounding."""


def contenders(name: str, *, peers: bool = False, compiled: bool = False) -> list[Contender]:
    """Who competes with SGDP or AdamP; torch's fused optimizer, to which all are compared, comes first.

    Args:
        name: ``SGDP`` or ``AdamP``.
        peers: also those of other packages, installed or not.
        compiled: also ours under ``torch.compile``.
    """
    one = OPTIMIZERS[name]
    ours, base, options = one.kind, one.base, one.options
    algorithm = name.lower()
    found = [
        Contender(f"torch {base.__name__} {path}", lambda: base, options, switches=PATHS[path])
        for path in ("fused", "foreach", "loop")
    ]
    found += [
        Contender(f"tangency {path}", lambda: ours, options, algorithm, switches, ours=True)
        for path, switches in PATHS.items()
    ]
    # What the projection alone costs: the same kernels, with nothing to decide.
    still = {**options, "delta": 0.0}
    found.append(Contender("tangency fused, δ = 0", lambda: ours, still, switches=PATHS["fused"], ours=True))
    if compiled:
        found.append(
            Contender("tangency compiled", lambda: ours, options, algorithm, PATHS["loop"], compiled=True, ours=True)
        )
    if peers:
        found += [
            Contender("adamp", lambda: _class("adamp", name), options, algorithm),
            Contender("timm", lambda: _timm(name), options, algorithm),
            Contender("pytorch_optimizer", lambda: _class("pytorch_optimizer", name), options, algorithm),
            Contender(
                "pytorch_optimizer foreach",
                lambda: _class("pytorch_optimizer", name),
                options,
                algorithm,
                {"foreach": True},
            ),
        ]
    return found


def ready(contender: Contender, device: str = "cpu", dtypes: Collection[str] = ("float32",)) -> LeftOut | None:
    """Verify a contender; ``None``, or the reason why it is left out: not installed, no such path, another algorithm.

    Args:
        dtypes: those that it is to be timed in.

    Raises:
        WrongStep: one of ours does not compute what it should.
    """
    try:
        verified(contender, device)
        for dtype in dtypes:
            _, w, g = _trials()[0]
            contender.step(contender.make([_parameter(w, g, dtype, device)]))()
    except WrongStep as wrong:
        if contender.ours:
            raise WrongStep(f"{contender.name}: {wrong}") from None
        return LeftOut(contender.name, str(wrong))
    # A foreign optimizer may raise anything; one of ours may refuse or lack a compiler, all else is a bug.
    except Exception as error:
        if contender.ours and not isinstance(error, RuntimeError | ImportError):
            raise
        return LeftOut(contender.name, " ".join(str(error).split()) or type(error).__name__)
    return None


def verified(contender: Contender, device: str = "cpu") -> None:
    """One float32 step in each mode against the executable spec; without an algorithm, that the step can be made.

    The spec runs over numbers that carry the rounding of float32. (The published package adds an ε of 1e-8 to norms;
    with norms above 1, as here, that is below one rounding.)

    Raises:
        WrongStep: a weight is off by more than rounding, or the other decision was taken.
    """
    numbers = rounded(balls(), FLOAT32)
    for view, w, g in _trials():
        p = _parameter(w, g, "float32", device)
        contender.step(contender.make([p]))()
        if not contender.algorithm:
            return
        step = ALGORITHMS[contender.algorithm](numbers, numbers.array(w), numbers.array(g), START, **contender.options)
        assert step.view is view, f"the problem was meant for the {view.value} view"
        exact, bound = parts(step.w)
        with numbers.context():
            error = [
                abs(nearest(rational(x) - y)) for x, y in zip(p.detach().flatten().tolist(), exact.flat, strict=True)
            ]
        # What is computed in float32 is stored as it is.
        worst = float((np.array(error) / bound.ravel()).max())
        if not worst <= 1:
            raise WrongStep(f"{worst:.3g} times the bound on an error that is rounding ({view.value} view)")


_Numbers = np.ndarray[Any, np.dtype[np.float64]]


def _trials() -> list[tuple[View, _Numbers, _Numbers]]:
    """A weight and a gradient for each view, exact in float32."""
    w = np.add.outer(np.arange(1.0, 5.0), np.arange(0.0, 8.0))
    across = turned(w)
    # Radial parts of two rows that cancel in the layer: c₀ ‖w₀‖² + c₁ ‖w₁‖² = 0.
    tilted = across.copy()
    square = (w * w).sum(axis=1)
    tilted[0] += square[1] / 256 * w[0]
    tilted[1] -= square[0] / 256 * w[1]
    return [(View.CHANNEL, w, across), (View.LAYER, w, tilted), (View.NONE, w, across + w)]


def _parameter(w: _Numbers, g: _Numbers, dtype: str, device: str) -> torch.nn.Parameter:
    p = torch.nn.Parameter(torch.tensor(w, dtype=getattr(torch, dtype), device=device))
    p.grad = torch.tensor(g, dtype=p.dtype, device=device)
    return p


def _class(module: str, name: str) -> Any:
    if find_spec(module) is None:
        raise ModuleNotFoundError(f"{module} is not installed: pip install 'tangency[peers]'")
    return getattr(importlib.import_module(module), name)


def _timm(name: str) -> Any:
    """timm's optimizers are two files that need torch alone; its package would load models and torchvision."""
    package, spec = "_timm_optim", find_spec("timm")
    if spec is None or not spec.submodule_search_locations:
        return _class("timm", name)
    if package not in sys.modules:
        alone = ModuleSpec(package, None, is_package=True)
        alone.submodule_search_locations = [f"{folder}/optim" for folder in spec.submodule_search_locations]
        sys.modules[package] = module_from_spec(alone)
    return getattr(importlib.import_module(f"{package}.{name.lower()}"), name)

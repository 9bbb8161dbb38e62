"""Runs of the executable spec that Coq's kernel repeats: what theorems speak of is what runs here.

:func:`text` is a Coq file. It holds runs of every algorithm over the rationals, with what :mod:`tangency.theory` makes
of them, and one theorem an algorithm: no run differs. ``vm_compute`` proves it; where it cannot, Coq names the runs.
"""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import flint

from tangency.theory.algorithms import START, Algorithm, Step, adamp, gd, heavy_ball, nesterov, sgdp
from tangency.theory.fields import EXACT, Array

HEAD = """(* Written by kernel/conformance.py: runs of theory/algorithms.py, for the kernel to repeat. *)
From Coq Require Import List QArith.
From Tangency Require Import algorithm_1_sgdp algorithm_2_adamp runs.
Import ListNotations.
Open Scope Q_scope.
"""
# Vectors with a rational norm and the square root of their length: cos · √dim is rational.
WITH_RATIONAL_NORM: Mapping[int, Sequence[tuple[int, ...]]] = {
    1: [(1,)],
    4: [(1, 1, 1, 1), (1, 0, 0, 0), (3, 4, 0, 0), (1, 2, 2, 0), (1, 2, 2, 4), (2, 4, 5, 6), (1, 1, 3, 5)],
    9: [(1,) * 9, (1,) + 8 * (0,), (3, 4) + 7 * (0,), (2,) + 5 * (1,) + 3 * (0,), (1, 1, 1, 1, 2, 2, 2, 3, 0)],
}


@dataclass(frozen=True)
class Case:
    """A start, gradients, and hyper-parameters by the names of the spec."""

    w: Array
    gradients: Sequence[Array]
    hyper: Mapping[str, Any]


def rational(rng: random.Random, least: int = -9, most: int = 9) -> flint.fmpq:
    return flint.fmpq(rng.randint(least, most), rng.randint(1, 6))


def tensor(rng: random.Random, shape: tuple[int, ...]) -> Array:
    """Rational numbers; now and then a row of zeros, or all of them."""
    x = EXACT.array([rational(rng) for _ in range(math.prod(shape))]).reshape(shape)
    if rng.random() < 0.1:
        x[rng.randrange(shape[0])] = EXACT.element(0)
    return EXACT.zeros(shape) if rng.random() < 0.03 else x


def with_rational_norm(rng: random.Random, dim: int) -> Array:
    """A vector of length 1, 4 or 9 whose norm is rational."""
    chosen = list(rng.choice(WITH_RATIONAL_NORM[dim]))
    rng.shuffle(chosen)
    scale = rational(rng, 1)
    return EXACT.array([scale * x * rng.choice((1, -1)) for x in chosen])


def threshold(w: Array, g: Array) -> Any:
    """The largest |cos(w, g)| √dim of rows with rational norms: with this δ Eq. 11 is an equality."""
    cosines = [(a @ b) ** 2 / ((a @ a) * (b @ b)) for a, b in zip(w, g, strict=True)]
    return EXACT.sqrt(max(cosines) * w.shape[1])


def at_threshold(rng: random.Random) -> tuple[Array, Array, Any]:
    """w, g and a δ at the threshold of Eq. 11 or beside it, in the channel or in the layer view."""
    rows, dim, shape = rng.choice(((1, 4, (1, 4)), (2, 4, (2, 4)), (3, 1, (3, 1)), (1, 4, (2, 2)), (1, 9, (3, 3))))
    w, g = (EXACT.array([with_rational_norm(rng, dim) for _ in range(rows)]) for _ in range(2))
    beside = rng.choice((0, 0, 1, -1)) * flint.fmpq(1, 10**6)
    return w.reshape(shape), g.reshape(shape), abs(threshold(w, g) + beside)


def shapes(rng: random.Random) -> tuple[int, ...]:
    return (rng.randint(1, 3), rng.randint(1, 4))


def momentum_case(rng: random.Random) -> Case:
    shape = shapes(rng)
    hyper = {name: rational(rng) for name in ("lr", "momentum", "dampening")}
    return Case(tensor(rng, shape), [tensor(rng, shape) for _ in range(rng.randint(1, 3))], hyper)


def gd_case(rng: random.Random) -> Case:
    case = momentum_case(rng)
    return Case(case.w, case.gradients, {"lr": case.hyper["lr"]})


def projected_case(rng: random.Random) -> Case:
    """Starts and gradients with every decision of Eq. 11; half of the runs decay weights."""
    if rng.random() < 0.3:
        w, g, delta = at_threshold(rng)
        gradients = [g]
    else:
        shape, delta = shapes(rng), rational(rng, 0, 6) / 2
        if rng.random() < 0.1:
            shape = (shape[-1],)
        w = tensor(rng, shape)
        gradients = [tensor(rng, shape) for _ in range(rng.randint(1, 2))]
    hyper: dict[str, Any] = {"lr": rational(rng), "delta": delta, "nesterov": rng.random() < 0.3}
    hyper["weight_decay"] = rational(rng) if rng.random() < 0.5 else EXACT.element(0)
    return Case(w, gradients, {**hyper, "wd_ratio": rational(rng, 0)})


def sgdp_case(rng: random.Random) -> Case:
    case = projected_case(rng)
    momentum = flint.fmpq(rng.randint(0, 9), 10) if case.hyper["weight_decay"] else rational(rng)
    return Case(case.w, case.gradients, {**case.hyper, "momentum": momentum, "dampening": rational(rng)})


def adamp_case(rng: random.Random) -> Case:
    """Where every root is rational: β₂ = 0, or a first step whose 1 − β₂ is a square."""
    case = projected_case(rng)
    beta2 = rng.choice([flint.fmpq(0), *(1 - flint.fmpq(1, n * n) for n in (2, 3, 10))])
    hyper = {
        **case.hyper,
        "betas": (flint.fmpq(rng.randint(0, 9), 10), beta2),
        "eps": rational(rng, 1),
        "bias_correction": rng.random() < 0.5,
    }
    return Case(case.w, case.gradients[:1] if beta2 else case.gradients, hyper)


ALGORITHMS: Mapping[str, tuple[Algorithm, Callable[[random.Random], Case]]] = {
    "gd": (gd, gd_case),
    "momentum": (heavy_ball, momentum_case),
    "nesterov": (nesterov, momentum_case),
    "sgdp": (sgdp, sgdp_case),
    "adamp": (adamp, adamp_case),
}


def _number(x: Any) -> str:
    x = EXACT.element(x)
    return f"{x.p}#{x.q}" if x.q != 1 else f"{x.p}"


def _tensor(x: Array) -> str:
    """A tensor as a list of rows; one of a single dimension is one row."""
    rows = x.reshape(x.shape[0] if x.ndim > 1 else 1, -1)
    return "[" + "; ".join("[" + "; ".join(map(_number, row)) + "]" for row in rows) + "]"


def _flag(x: bool) -> str:
    return "true" if x else "false"


def _hyper(name: str, case: Case) -> str:
    """The record of algorithm_1_sgdp.v, and for AdamP the one of algorithm_2_adamp.v around it."""
    hyper = case.hyper

    def numbers(*names: str) -> str:
        return " ".join(f"({_number(hyper.get(name, 0))})" for name in names)

    ahead = _flag(name == "nesterov" or hyper.get("nesterov", False))
    shared = (
        f"(Hyperparameters rationals {numbers('lr', 'momentum', 'dampening')} {ahead} "
        f"{numbers('weight_decay', 'delta', 'wd_ratio')} {_flag(case.w.ndim == 1)})"
    )
    if name != "adamp":
        return shared
    betas = " ".join(f"({_number(beta)})" for beta in hyper["betas"])
    return f"(AdamHyperparameters rationals {shared} {betas} {numbers('eps')} {_flag(hyper['bias_correction'])})"


def _buffers(name: str, step: Step) -> list[Array]:
    names = ("exp_avg", "exp_avg_sq") if name == "adamp" else ("momentum_buffer",)
    return [step.state.get(buffer, EXACT.zeros(step.w.shape)) for buffer in names]


def _run(name: str, rng: random.Random) -> str:
    """One run, with what the executable spec makes of it."""
    algorithm, draw = ALGORITHMS[name]
    case = draw(rng)
    w, state, steps = case.w, START, []
    for g in case.gradients:
        step = algorithm(EXACT, w, g, state, **case.hyper)
        w, state = step.w, step.state
        buffers = "; ".join(_tensor(buffer) for buffer in _buffers(name, step))
        steps.append(f"({_tensor(g)}, {step.view.value}, {_tensor(w)}, [{buffers}])")
    return f"({_hyper(name, case)}, {_tensor(case.w)}, [{'; '.join(steps)}])"


def text(seed: int, count: int = 200) -> str:
    """The Coq file: ``count`` runs of every algorithm.

    >>> "Theorem sgdp_conforms : differing 0 (map sgdp_run sgdp_runs) = []." in text(0, 1)
    True
    """
    rng, parts = random.Random(seed), [HEAD]
    for name in ALGORITHMS:
        runs = ";\n  ".join(_run(name, rng) for _ in range(count))
        parts.append(
            f"Definition {name}_runs := [\n  {runs}].\n"
            f"Theorem {name}_conforms : differing 0 (map {name}_run {name}_runs) = [].\n"
            "Proof. vm_compute. reflexivity. Qed.\n"
        )
    return "\n".join(parts)

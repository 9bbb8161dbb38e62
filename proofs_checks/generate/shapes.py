"""Trials on shapes that were asked for: what a claim drew, on parameters of other sizes."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tangency.proofs_checks.generate.gradients import AtCosine, Rotation, Tilted
from tangency.proofs_checks.generate.trials import Trial
from tangency.theory.projection import View

Shape = tuple[int, ...]
LARGEST = 1024  # elements of which exact steps are taken: 50 ms each


def within(shape: Shape) -> Shape:
    """The shape, its longest side halved until exact steps of it can be taken."""
    while math.prod(shape) > LARGEST:
        longest = shape.index(max(shape))
        shape = (*shape[:longest], (shape[longest] + 1) // 2, *shape[longest + 1 :])
    return shape


def on_shapes(trials: st.SearchStrategy[Trial], shapes: Sequence[Shape]) -> st.SearchStrategy[Trial]:
    """The trials on these shapes, as far as they are not about a shape of their own, as those of a layer are."""
    if not shapes:
        return trials
    fitting = tuple(dict.fromkeys(map(within, shapes)))
    return st.tuples(trials, st.integers(0, len(fitting) - 1)).map(lambda drawn: _on(drawn[0], fitting, drawn[1]))


def _on(trial: Trial, shapes: Sequence[Shape], number: int) -> Trial:
    """The trial on one of the shapes that have as many dimensions as matter: two or more, or fewer."""
    alike = [shape for shape in shapes if (len(shape) > 1) == (len(trial.shape) > 1)]
    free = all(g is None or isinstance(g, tuple | Rotation | Tilted | AtCosine) for g in trial.gradients)
    if not alike or not free or trial.setting.repeats > 1:
        return trial
    shape = alike[number % len(alike)]
    count = math.prod(shape) * (2 if trial.dtype.startswith("complex") else 1)
    gradients = tuple(
        _filled(g, count) if isinstance(g, tuple) else _cut(g, math.prod(shape[:1])) for g in trial.gradients
    )
    hyper = dict(trial.hyper)
    if "views" in hyper and len(shape) > 1:
        own = tuple(view if isinstance(view, str) else _head(view, shape[0]) for view in hyper.pop("views"))
        hyper |= {"views": own} if 1 not in own else {}
    return replace(trial, shape=shape, w=_filled(trial.w, count), gradients=gradients, hyper=hyper)


def _head(head: int, slices: int) -> int:
    """A number of slices that divides those that there are: of a head that does not, what they share, or all."""
    shared = math.gcd(head, slices)
    return shared if shared > 1 else slices


def _cut(gradient: Any, slices: int) -> Any:
    """A gradient in the rows of heads that fit."""
    if isinstance(gradient, Rotation | Tilted) and gradient.view.value == "head":
        return replace(gradient, view=View("head", _head(gradient.view.slices, slices)))
    return gradient


def _filled(values: tuple[float, ...], count: int) -> tuple[float, ...]:
    """As many values, over and over with shifting weights, so that no row is a copy of another."""
    if not values:
        return (0.0,) * count
    turn = np.arange(count) // len(values)
    return tuple((np.resize(np.array(values), count) * (1 + turn * turn % 7 / 8)).tolist())

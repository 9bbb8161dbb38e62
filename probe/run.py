"""``scan``: the views of all weights of a model, found in three ways that must agree, or be told apart by a reason."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from tangency.common.calls import WrongCall
from tangency.common.numbers import digits
from tangency.probe.evaluation import Evaluation, prepared
from tangency.probe.orthogonal import Tested, tested
from tangency.probe.record import Scan, Weight
from tangency.probe.rescale import Reference, reference, rescaled
from tangency.probe.structure import Structure, Traced
from tangency.probe.view import View


def scan(
    model: nn.Module,
    batch: Any,
    loss: Callable[[nn.Module, Any], Any] | None = None,
    *,
    seed: int = 0,
    alpha: float = 1e-6,
    beta: float = 1e-6,
    watch: Callable[[int, int], None] | None = None,
) -> Scan:
    """Find out of which weights a model's output does not depend on the scale (§2.1), and in which view.

    A copy of the model is evaluated in float64, without dropout, with the statistics of the batch where it normalises
    by those. The model, its buffers and gradients, and the random numbers of the process stay as they are.

    Args:
        model: the model, with values; its trainable parameters are scanned.
        batch: what it is called with: a tensor, a tuple of arguments, or a dict of them by name.
        loss: what f is, if not the output: ``loss(model, batch)``, of tensors. It must use the model that it is given.
        seed: of the factors, cotangents and random values.
        alpha: the rate at which the test on gradients accepts a view of a weight whose gradient has a random direction.
        beta: the rate at which it rejects a view that holds.
        watch: called with the number of weights done and in all.

    Returns:
        The record; ``Scan.share`` is the share of parameters, ``Scan.weights`` all weights.

    Raises:
        WrongCall: the model cannot be evaluated, is no function of weights and batch, or an argument is out of range.

    Example:
        >>> from torch import nn, randn
        >>> net = nn.Sequential(nn.Linear(8, 4, bias=False), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
        >>> {one.name: str(one.view) for one in scan(net, randn(16, 8)).weights}
        {'0.weight': 'channel', '1.weight': 'none', '1.bias': 'none', '3.weight': 'none', '3.bias': 'none'}
    """
    for name, rate in (("alpha", alpha), ("beta", beta)):
        if not 0 < rate < 1:
            raise WrongCall(f"{name} is {rate}; it must lie between 0 and 1")
    if not 0 <= seed < 2**63:
        raise WrongCall(f"seed is {seed}; it must lie in [0, 2^63)")
    f = prepared(model, batch, loss, seed)
    generator = torch.Generator().manual_seed(seed)
    with f.with_eps(own=False):
        at, by_function = reference(f, generator), {}
        for done, name in enumerate(f.weights):
            by_function[name] = rescaled(f, at, name, generator)
            if watch is not None:
                watch(done + 1, len(f.weights))
        structure = Structure(f)
        traced = {name: structure(name) for name in f.weights}
    by_gradient = tested(f, reference(f, generator), alpha, beta, generator)
    weights = [
        Weight(
            name=name,
            tied=f.tied[name],
            owner=f.owner[name],
            shape=tuple(w.shape),
            size=w.numel(),
            replaced=name in f.replaced,
            rescaled=by_function[name],
            tested=by_gradient[name],
            traced=traced[name],
        )
        for name, w in f.weights.items()
    ]
    reasons = _Reasons(f, at, alpha, beta, seed)
    explained = tuple(reasons.added(one) for one in weights)
    frozen = sum(1 for p in f.model.parameters() if not p.requires_grad)
    return Scan(explained, dict(f.eps), frozen, alpha, beta, seed)


class _Reasons:
    """Why two ways say different things of a weight, each reason tried out."""

    def __init__(self, f: Evaluation, at: Reference, alpha: float, beta: float, seed: int) -> None:
        self._f, self._at, self._rates, self._seed = f, at, (alpha, beta), seed
        self._again: dict[str, Tested] | None = None
        self._elsewhere: dict[str, View] = {}

    def added(self, weight: Weight) -> Weight:
        """The record with its reasons."""
        found = [self._gradient(weight), self._graph(weight), (_silence(weight), True)]
        return replace(
            weight,
            explained=tuple(text for text, known in found if text and known),
            unexplained=tuple(text for text, known in found if text and not known),
        )

    def _gradient(self, weight: Weight) -> tuple[str, bool]:
        view, says = weight.view, weight.tested
        if says.view == view:
            return "", True
        if view.kind == "undecided":
            effect = digits(weight.rescaled.effect)
            return f"rescaling: a random change of it does no more than {effect} times what rounding may do", True
        if says.view is None:
            return f"gradient: undecided after {says.rounds} rounds", True
        if says.view.kind == "unused":
            return "gradient: hardly one beyond rounding, too little to say anything", True
        if view.invariant and view.parts == weight.size:
            return f"gradient: a part of one element has no angle; of coarser ones it says {says.view}", True
        without = self._without_eps[weight.name]
        if without.view == view:
            sizes = f"√d·|cos| is {digits(says.size)} with it and {digits(without.size)} without"
            return f"gradient: ε is not negligible at this norm: {sizes}", True
        elsewhere = self._view_elsewhere(weight.name)
        if elsewhere in (says.view, without.view):
            return f"gradient: f is {view} at these weights, and {elsewhere} at others near them (data dependent)", True
        return f"gradient: it says {says.view}", False

    @property
    def _without_eps(self) -> dict[str, Tested]:
        if self._again is None:
            with self._f.with_eps(own=False):
                self._again = tested(self._f, self._at, *self._rates, torch.Generator().manual_seed(self._seed + 1))
        return self._again

    def _view_elsewhere(self, name: str) -> View:
        """The view by the definition at weights moved at random."""
        generator = torch.Generator().manual_seed(self._seed + 2)
        with self._f.with_eps(own=False), self._f.moved(generator):
            return rescaled(self._f, reference(self._f, generator), name, generator).view

    def _graph(self, weight: Weight) -> tuple[str, bool]:
        view, says = weight.view, weight.traced
        if says.view == view or view.kind == "undecided":
            return "", True
        if says.view is None:
            return f"graph: {says.reason}", True
        return self._between(view, says)

    def _between(self, view: View, says: Traced) -> tuple[str, bool]:
        """Two views that differ."""
        if says.view is not None and says.view.invariant and view.parts > says.view.parts:
            return f"graph: proves {says.view}, and no more", True
        if view.kind == "unused":
            return "graph: the weight takes part in it; on this batch no change of it reaches the output", True
        return f"graph: it says {says.view}" + (f": {says.reason}" if says.reason else ""), False


def _silence(weight: Weight) -> str:
    """Parts of an invariant weight on which f does not depend here: of them the test on gradients says nothing."""
    silent, slices = weight.tested.silent, weight.shape[0] if weight.shape else 1
    if not silent or not weight.view.invariant:
        return ""
    return f"gradient: {silent} of {slices} slices have hardly one beyond rounding (dead on this batch)"

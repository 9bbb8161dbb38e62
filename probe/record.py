"""What a scan found: a record of each weight, and what follows for the model."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tangency.common.calls import WrongCall, no_such
from tangency.probe.orthogonal import Tested
from tangency.probe.rescale import Rescaled
from tangency.probe.structure import Traced
from tangency.probe.view import KINDS, View


@dataclass(frozen=True)
class Weight:
    """One trainable weight.

    Attributes:
        name: in ``model.named_parameters()``.
        tied: its other names, where one tensor is used in several places.
        owner: the class of the module that holds it.
        shape: its shape; dimension 0 is that of the slices.
        size: its number of elements.
        replaced: it was zero, or of one value, and was scanned at random values.
        view: the verdict: the view by the definition, which is that of ``rescaled``.
        rescaled: f under rescaling, with ε → 0.
        tested: the gradient, with the model's own ε.
        traced: the graph.
        explained: why the gradient or the graph says something else, a line each; each was found by computing it.
        unexplained: what says something else without a reason that was found.
    """

    name: str
    tied: tuple[str, ...]
    owner: str
    shape: tuple[int, ...]
    size: int
    replaced: bool
    rescaled: Rescaled
    tested: Tested
    traced: Traced
    explained: tuple[str, ...] = ()
    unexplained: tuple[str, ...] = ()

    @property
    def view(self) -> View:
        return self.rescaled.view


@dataclass(frozen=True)
class Group:
    """Parameters that a kind of view has: how many tensors, and how many elements."""

    tensors: int
    elements: int


@dataclass(frozen=True)
class Scan:
    """The views of all trainable weights of a model.

    Attributes:
        weights: in the order of ``model.named_parameters()``.
        eps: the ε that were replaced, by the name of the attribute, with their values in the model.
        frozen: how many parameters need no gradient; they are neither scanned nor counted.
        alpha, beta: the error rates of the test on gradients.
        seed: of everything random; it repeats the scan.
    """

    weights: tuple[Weight, ...]
    eps: Mapping[str, float]
    frozen: int
    alpha: float
    beta: float
    seed: int

    def __getitem__(self, name: str) -> Weight:
        """The record of a weight.

        Raises:
            WrongCall: no weight has that name.
        """
        found = [one for one in self.weights if name == one.name or name in one.tied]
        if not found:
            raise WrongCall(no_such("weight", name, [one.name for one in self.weights]))
        return found[0]

    @property
    def total(self) -> int:
        """The number of elements of all trainable weights."""
        return sum(one.size for one in self.weights)

    @property
    def share(self) -> float:
        """The share of elements whose weight is scale-invariant in some view, in [0, 1]."""
        return sum(one.size for one in self.weights if one.view.invariant) / self.total

    def by_kind(self) -> dict[str, Group]:
        """Tensors and elements of each kind of view: ``channel``, ``head``, ``layer``, ``none``, ``unused``."""
        return {kind: _group(one for one in self.weights if one.view.kind == kind) for kind in KINDS}

    def by_module(self) -> dict[tuple[str, str, str], Group]:
        """Tensors and elements by the class of the module, the name of the parameter in it, and the view's kind."""
        keys = dict.fromkeys(map(_module_key, self.weights))
        return {key: _group(one for one in self.weights if _module_key(one) == key) for key in keys}

    @property
    def unexplained(self) -> tuple[Weight, ...]:
        """The weights of which the three ways disagree without a reason that was found."""
        return tuple(one for one in self.weights if one.unexplained)


def _module_key(weight: Weight) -> tuple[str, str, str]:
    return weight.owner, weight.name.rpartition(".")[2], weight.view.kind


def _group(weights: Iterable[Weight]) -> Group:
    sizes = [one.size for one in weights]
    return Group(len(sizes), sum(sizes))

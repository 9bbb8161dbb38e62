"""Scale-invariant layers as objectives: Norm_k after a linear layer, weight normalisation, ℓ2-normalised embeddings.

Their scale-variant counterparts are the same classes with ε > 0 or a skip connection (§4.5), which break Eq. 1.
"""

from dataclasses import dataclass
from typing import Any

from tangency.theory.fields import Array, Field
from tangency.theory.objectives import Matrix, Objective, Vector
from tangency.theory.scale_invariance import AXES, centred, mean

Tensor3 = tuple[Matrix, ...]


@dataclass(frozen=True)
class NormalisedLinear(Objective):
    """A linear layer, Norm_k, and a loss: f(W) = Σ a · Norm_k(Wx)^m, of which m = 2 is a rational function of W.

    The weights are the rows of W, (channels, fan_in); activations u = Wx are normalised in the layout (batch, group,
    channel of the group, position) of :data:`.scale_invariance.AXES`. With v = u − μ_k(u), s = mean_k(v²) + ε and
    b = m a v^{m−1}:

        ∂f/∂u = s^{−m/2} (b − mean_k(b) − v · mean_k(b v)/s),   ∂f/∂W = Σ_{batch, position} ∂f/∂u ⊗ x.

    Attributes:
        inputs: x, (batch, fan_in, positions).
        coefficients: a, (batch, channels, positions).
        kind: a key of ``AXES``.
        groups: groups of channels; 1 unless ``kind`` is "group".
        power: m, 1 or 2.
        eps: ε ≥ 0; above 0 the layer is not scale-invariant.
        skip: u = Wx + x (§4.5; channels = fan_in); then the layer is not scale-invariant.
    """

    inputs: Tensor3
    coefficients: Tensor3
    kind: str
    groups: int = 1
    power: int = 1
    eps: Any = 0
    skip: bool = False

    def __post_init__(self) -> None:
        if self.power not in (1, 2):
            raise ValueError(f"power is {self.power}; expected 1 (a linear loss) or 2 (a quadratic one)")
        if self.channels % self.groups:
            raise ValueError(f"groups is {self.groups}; it must divide the {self.channels} channels")

    @property
    def channels(self) -> int:
        """The number of rows of W."""
        return len(self.coefficients[0])

    @property
    def fan_in(self) -> int:
        """The number of columns of W."""
        return len(self.inputs[0])

    @property
    def scale_invariant(self) -> bool:
        """Whether Eq. 1 holds: ε = 0 and no skip connection."""
        return self.eps == 0 and not self.skip

    def activations(self, field: Field, w: Array) -> Array:
        """The tensor that is normalised: Wx or, with the skip connection, Wx + x."""
        x = field.array(self.inputs)
        u: Array = w.reshape(self.channels, self.fan_in) @ x
        return self._grouped(u + x if self.skip else u)

    def _grouped(self, u: Array) -> Array:
        batch, channels, positions = u.shape
        return u.reshape(batch, self.groups, channels // self.groups, positions)

    def _moments(self, field: Field, w: Array) -> tuple[Array, Array]:
        v = centred(self.activations(field, w), AXES[self.kind])
        return v, mean(v * v, AXES[self.kind]) + field.element(self.eps)

    def _scale(self, field: Field, s: Array) -> Array:
        return s if self.power == 2 else field.sqrt_each(s)

    def _value(self, field: Field, w: Array) -> Any:
        v, s = self._moments(field, w)
        a = self._grouped(field.array(self.coefficients))
        return (a * (v if self.power == 1 else v * v) / self._scale(field, s)).sum()

    def _gradient(self, field: Field, w: Array) -> Array:
        axes = AXES[self.kind]
        v, s = self._moments(field, w)
        a = self._grouped(field.array(self.coefficients))
        b = a if self.power == 1 else 2 * a * v
        by_u = (centred(b, axes) - v * mean(b * v, axes) / s) / self._scale(field, s)
        x = field.array(self.inputs)
        result: Array = (by_u.reshape(len(x), self.channels, -1) @ x.swapaxes(1, 2)).sum(axis=0)
        return result.reshape(-1)


@dataclass(frozen=True)
class WeightNormalised(Objective):
    """Weight normalisation (Salimans & Kingma 2016) with least squares: f(w) = ½ Σ (x_i·w/‖w‖ − y_i)².

    ∇f(w) = Π_w(Σ (x_i·ŵ − y_i) x_i) / ‖w‖; the field needs square roots.

    Attributes:
        inputs: x, (samples, dim).
        targets: y, (samples,).
    """

    inputs: Matrix
    targets: Vector

    def _value(self, field: Field, w: Array) -> Any:
        residual = field.array(self.inputs) @ w / field.sqrt(w @ w) - field.array(self.targets)
        return residual @ residual / 2

    def _gradient(self, field: Field, w: Array) -> Array:
        x, square = field.array(self.inputs), w @ w
        length = field.sqrt(square)
        slope = (x @ w / length - field.array(self.targets)) @ x
        result: Array = (slope - (w @ slope) / square * w) / length
        return result


@dataclass(frozen=True)
class Embeddings(Objective):
    """ℓ2-normalised embeddings: f(W) = Σ ℓ_i(W x_i) with scale-invariant ℓ_i of the embedding, such as ``Cosine``.

    ∇f(W) = Σ ∇ℓ_i(W x_i) ⊗ x_i; rational with ``SquaredCosine``.

    Attributes:
        inputs: x, (samples, fan_in).
        losses: ℓ, one a sample.
        channels: the dimension of the embedding.
    """

    inputs: Matrix
    losses: tuple[Objective, ...]
    channels: int

    @property
    def scale_invariant(self) -> bool:
        """Whether every ℓ_i is scale-invariant: then so is f, since W x_i scales with W."""
        return all(loss.scale_invariant for loss in self.losses)

    def _value(self, field: Field, w: Array) -> Any:
        matrix = w.reshape(self.channels, -1)
        pairs = zip(self.inputs, self.losses, strict=True)
        return sum(loss.value(field, matrix @ field.array(x)) for x, loss in pairs)

    def _gradient(self, field: Field, w: Array) -> Array:
        matrix, result = w.reshape(self.channels, -1), field.zeros(w.shape)
        for values, loss in zip(self.inputs, self.losses, strict=True):
            x = field.array(values)
            result = result + (loss.gradient(field, matrix @ x)[:, None] * x[None, :]).reshape(-1)
        return result

"""What is no torch optimizer: heavy ball in numpy and in optax, a projection alone, each sound and broken."""

from collections.abc import Mapping
from typing import Any

from tangency.proofs_checks.broken.sound import SGDP
from tangency.proofs_checks.broken.zoo import broken
from tangency.theory.projection import VIEWS


def momentum(params: Any, grads: Any, state: Any, *, lr: float = 0.1, momentum: float = 0.0) -> Any:
    """Sound: a function of numpy arrays."""
    buffers = [momentum * b + g for b, g in zip(state or [0.0] * len(grads), grads, strict=True)]
    return [p - lr * b for p, b in zip(params, buffers, strict=True)], buffers


@broken("zero-weights", "dialect", algorithm="sgd", slip="sign = ascent")
def ascends(params: Any, grads: Any, state: Any, *, lr: float = 0.1, momentum: float = 0.0) -> Any:
    """The sign of the update is flipped."""
    return globals()["momentum"](params, grads, state, lr=-lr, momentum=momentum)


class Object:
    """Sound: an object with two methods."""

    power = 1

    def __init__(self, params: Any, lr: float = 0.1, momentum: float = 0.0) -> None:
        self.params, self.lr, self.beta = params, lr, momentum
        self.buffers = [0 * p for p in params]

    def step(self, grads: Any) -> Any:
        """One step of every array."""
        self.buffers = [self.beta**self.power * b + g for b, g in zip(self.buffers, grads, strict=True)]
        self.params = [p - self.lr * b for p, b in zip(self.params, self.buffers, strict=True)]
        return self.params

    def state(self) -> Mapping[str, Any]:
        """The momentum."""
        return {"velocity": self.buffers}


@broken("dialect", algorithm="sgd")
class SquaredBeta(Object):
    """β² for β."""

    power = 2


@broken("zero-gradient", algorithm="sgd")
class OtherShape(Object):
    """Vectors come back as matrices."""

    def step(self, grads: Any) -> Any:
        return [p[None] if p.ndim == 1 else p for p in super().step(grads)]


def heavy_ball(learning_rate: float, momentum: float = 0.0) -> Any:
    """Sound: optax's own."""
    import optax

    return optax.sgd(learning_rate, momentum=momentum)


@broken("zero-weights", "dialect", algorithm="sgd", needs=("jax", "optax"), slip="sign = ascent")
def optax_ascends(learning_rate: float, momentum: float = 0.0) -> Any:
    """The sign of the update is flipped."""
    return heavy_ball(-learning_rate, momentum)


def project(w: Any, g: Any, update: Any, delta: float) -> tuple[Any, bool]:
    """Sound: a projection alone, by those of the sound SGDP."""
    sound = SGDP([w.clone()], delta=delta)
    for rows in sound.views({"views": VIEWS}) if sound.eligible(w.shape) and w.numel() else ():
        if sound.passes(sound.cosine(rows(w), rows(g), 0.0), sound.threshold(delta, rows(w).shape[1])):
            return sound.project(rows(w), rows(update), 0.0).reshape(update.shape), True
    return update, False


@broken("decided-is-what-was-done", algorithm="sgdp")
def always_says_so(w: Any, g: Any, update: Any, delta: float) -> tuple[Any, bool]:
    """A projection that says of every update that it was projected."""
    return project(w, g, update, delta)[0], True

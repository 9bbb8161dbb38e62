"""A trial at other magnitudes: the same directions, weights and gradients of given lengths, in float32."""

from dataclasses import dataclass, replace

import numpy as np

from tangency.proofs_checks.errors.rounding import Floats
from tangency.proofs_checks.generate.spread import spread
from tangency.proofs_checks.generate.trials import Gradient, Trial
from tangency.proofs_checks.hyperparameters import EPS
from tangency.proofs_checks.subjects import Subject
from tangency.theory.projection import View


@dataclass(frozen=True)
class Sized:
    """A gradient of another length: that of its longest row."""

    gradient: Gradient
    length: float

    def __call__(self, w: Floats) -> Floats:
        """The gradient at the weights ``w``, of their shape."""
        values = _values(self.gradient, w)
        size = longest(values)
        return values * (self.length / size) if size else values


def _values(gradient: Gradient, w: Floats) -> Floats:
    values: Floats = gradient(w) if callable(gradient) else np.reshape(np.array(gradient, dtype=np.float64), w.shape)
    return values


def longest(x: Floats) -> float:
    """The norm of the longest row; of a vector, its own."""
    return float(np.linalg.norm(_rows(x), axis=1).max(initial=0.0))


def _rows(x: Floats) -> Floats:
    return (View.CHANNEL if x.ndim > 1 else View.LAYER).rows(x)


def _of_length(w: Floats, length: float) -> Floats:
    """The weights with every row of one length; a row of zeros, which a shrunk trial often has, gets a direction."""
    rows = _rows(w)
    rows = np.where(rows.any(axis=1, keepdims=True), rows, spread(*rows.shape).cpu().numpy())
    sized: Floats = rows / np.linalg.norm(rows, axis=1, keepdims=True) * length
    return sized.reshape(w.shape)


def resized(subject: Subject, trial: Trial, w_length: float, g_length: float) -> Trial:
    """The trial with every row of its weights, and the longest of its gradients, of given lengths, at the usual ε.

    The step size follows, so that steps are as long beside the weights as before. A gradient that is that of an
    objective (it has an attribute ``objective``) has the length that it has at such weights.
    """
    w = np.reshape(np.array(trial.w), trial.spec_shape)
    lengths = [0.0 if g is None else longest(_values(g, w)) for g in trial.gradients]
    size, largest = longest(w) or 1.0, max(lengths, default=0.0) or 1.0
    grown, by_objective = w_length / size, any(hasattr(g, "objective") for g in trial.gradients)
    g_grown = 1 / grown if by_objective else g_length / largest
    gradients = trial.gradients
    if not by_objective:
        pairs = zip(trial.gradients, lengths, strict=True)
        gradients = tuple(None if g is None else Sized(g, g_grown * length) for g, length in pairs)
    hyper = dict(trial.hyper)
    hyper["lr"] = hyper["lr"] * grown / g_grown ** (subject.update.degree or 0)
    if EPS.name in hyper:
        hyper[EPS.name] = EPS.default
    taken = tuple(np.ravel(_of_length(w, w_length)).tolist())
    return replace(trial, dtype="float32", w=taken, gradients=gradients, hyper=hyper)

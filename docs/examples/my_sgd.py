"""SGD with momentum on numpy arrays, to be checked: once right, and once with a slip."""

import numpy as np


def sgd(params, grads, state, *, lr=0.1, momentum=0.0):
    """One step: (params, grads, state) → (params, state); the first state is None."""
    buffers = [np.zeros_like(p) for p in params] if state is None else state
    buffers = [momentum * b + g for b, g in zip(buffers, grads, strict=True)]
    return [p - lr * b for p, b in zip(params, buffers, strict=True)], buffers


def averaged(params, grads, state, *, lr=0.1, momentum=0.0):
    """The slip: new gradients count (1 − momentum), as in Adam, and not 1."""
    buffers = [np.zeros_like(p) for p in params] if state is None else state
    buffers = [momentum * b + (1 - momentum) * g for b, g in zip(buffers, grads, strict=True)]
    return [p - lr * b for p, b in zip(params, buffers, strict=True)], buffers


class Sgd:
    """The same behind two methods, as a library of another language would be wrapped."""

    def __init__(self, params, *, lr=0.1, momentum=0.0):
        """Args: params: a list of float arrays."""
        self.params, self.lr, self.momentum = params, lr, momentum
        self.buffers = [np.zeros_like(p) for p in params]

    def step(self, grads):
        """Take the gradients, one array a parameter; return the new parameters."""
        self.buffers = [self.momentum * b + g for b, g in zip(self.buffers, grads, strict=True)]
        self.params = [p - self.lr * b for p, b in zip(self.params, self.buffers, strict=True)]
        return self.params

    def state(self):
        """The buffers by name, one array a parameter."""
        return {"momentum_buffer": self.buffers}

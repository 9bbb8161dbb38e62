"""Targets that are no torch optimizers, each right and with one planted defect; and hostile ones."""

import os
import time

import torch


def momentum(params, grads, state, *, lr=0.1, momentum=0.0):
    """Heavy ball on numpy arrays."""
    buffers = [momentum * b + g for b, g in zip(state or [0.0] * len(grads), grads, strict=True)]
    return [p - lr * b for p, b in zip(params, buffers, strict=True)], buffers


def ascends(params, grads, state, *, lr=0.1, momentum=0.0):
    """The sign is wrong."""
    new, buffers = globals()["momentum"](params, grads, state, lr=-lr, momentum=momentum)
    return new, buffers


class Object:
    """Heavy ball behind two methods."""

    power = 1

    def __init__(self, params, lr=0.1, momentum=0.0):
        self.params, self.lr, self.beta = params, lr, momentum
        self.buffers = [0 * p for p in params]

    def step(self, grads):
        self.buffers = [self.beta**self.power * b + g for b, g in zip(self.buffers, grads, strict=True)]
        self.params = [p - self.lr * b for p, b in zip(self.params, self.buffers, strict=True)]
        return self.params

    def state(self):
        return {"velocity": self.buffers}


class SquaredBeta(Object):
    """β² for β."""

    power = 2


class Shape(Object):
    """Returns arrays of another shape."""

    def step(self, grads):
        return [p.ravel()[:1] for p in super().step(grads)]


class Dies(torch.optim.SGD):
    """Kills the interpreter at the first gradient of zero."""

    def step(self, closure=None):
        if any(not p.grad.any() for group in self.param_groups for p in group["params"] if p.grad is not None):
            os._exit(7)
        return super().step(closure)


class Hangs(torch.optim.SGD):
    """Never returns from the first gradient of zero."""

    def step(self, closure=None):
        if any(not p.grad.any() for group in self.param_groups for p in group["params"] if p.grad is not None):
            time.sleep(3600)
        return super().step(closure)

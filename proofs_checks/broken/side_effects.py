"""Broken in what a step leaves behind: random numbers, settings, output, memory."""

import random
from typing import ClassVar

import torch
from torch import Tensor

from tangency.proofs_checks.broken.sound import SGDP
from tangency.proofs_checks.broken.zoo import broken
from tangency.proofs_checks.target.contract import Options


@broken("random-state")
class Draws(SGDP):
    """A step draws a random number of torch's."""

    def finish(self) -> None:
        torch.rand(1)


@broken("random-state")
class DrawsInPython(SGDP):
    """A step draws a random number of Python's."""

    def finish(self) -> None:
        random.random()


@broken("global-state")
class SetsPrecision(SGDP):
    """A step changes the precision of matrix products."""

    def finish(self) -> None:
        torch.set_float32_matmul_precision("high")


@broken("default-dtype")
class DefaultDtype(SGDP):
    """A number is rounded to torch's default dtype."""

    def gradient(self, w: Tensor, g: Tensor, options: Options) -> Tensor:
        return g * torch.tensor(0.1)


@broken("silent")
class Prints(SGDP):
    """Every step prints a line."""

    def finish(self) -> None:
        print("step")


@broken("memory-does-not-grow")
class KeepsAHistory(SGDP):
    """The optimizer keeps a number of every step."""

    def finish(self) -> None:
        self.__dict__.setdefault("history", []).append(1.0)


@broken("gradient-released")
class KeepsTheFirstGradient(SGDP):
    """The state holds the first gradient."""

    def move(self, parameter: Tensor, grad: Tensor, options: Options) -> None:
        super().move(parameter, grad, options)
        self.state[parameter].setdefault("first", grad)


@broken("gradient-released")
class KeepsEveryGradient(SGDP):
    """A list outside the state holds every gradient."""

    kept: ClassVar[list[Tensor]] = []

    def move(self, parameter: Tensor, grad: Tensor, options: Options) -> None:
        super().move(parameter, grad, options)
        self.kept.append(grad)

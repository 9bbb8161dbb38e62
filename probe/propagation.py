"""How a scale goes through a model: what is known of a value, and the rules for what common operators make of it.

A value either does not depend on the scale of the weight that is followed (:class:`Free`), or is multiplied by it, part
by part (:class:`Scaled`), or nothing is known (:class:`Broken`, with the reason).
"""

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Free:
    """Not changed by the scale of any of ``parts`` parts; 0: does not depend on the weight."""

    parts: int


@dataclass(frozen=True)
class Scaled:
    """Multiplied by the scales of the weight's parts.

    Attributes:
        parts: how many there are; they lie in order along ``axis``.
        axis: of the tensor; ``None`` for one part, which is everywhere.
        shift: the axis along which a bias was added: something that does not scale, constant over the other axes.
    """

    parts: int
    axis: int | None
    shift: int | None = None


@dataclass(frozen=True)
class Broken:
    """The scale is seen, or may be.

    Attributes:
        known: it is: the weight is not scale-invariant.
    """

    reason: str
    known: bool = True


State = Free | Scaled | Broken
INDEPENDENT = Free(0)


@dataclass(frozen=True)
class Norm:
    """A normalisation.

    Attributes:
        dimensions: of what is normalised.
        last: the statistics are over this many last dimensions; 0: they belong to a channel, which is dimension 1, of
            the batch or of one element of it.
        groups, channels: where they belong to a group of channels, how many groups and channels there are.
        centred: the mean is taken out.
    """

    dimensions: int
    last: int = 0
    groups: int = 0
    channels: int = 0
    centred: bool = True


def biased(where: str) -> Broken:
    """A bias goes into a layer that does not take it out; whether a later one does is not followed."""
    return Broken(f"a bias is added before {where}, which does not take it out", known=False)


def normalised(x: Scaled, norm: Norm, where: str) -> State:
    """What comes out of a normalisation: free of the scale where each of its statistics belongs to one part."""
    if norm.last:
        axes = range(norm.dimensions - norm.last, norm.dimensions)
        if x.shift is not None and (x.shift in axes or not norm.centred):
            return biased(where)
        return Free(1 if x.axis is None or x.axis in axes else x.parts)
    if x.shift is not None and (x.shift != 1 or norm.groups not in (0, norm.channels)):
        return biased(where)
    if x.axis != 1:
        return Free(1)
    return Free(math.gcd(x.parts, norm.groups) if norm.groups else x.parts)


def reshaped(x: Scaled, where: str, before: tuple[int, ...], after: tuple[int, ...]) -> State:
    """One axis cut into two keeps its parts, as heads are; of anything else only the scale of the whole is known."""
    axis = x.axis
    if axis is not None and before[:axis] == after[:axis] and len(after) > axis:
        if before == after or (math.prod(before[axis + 1 :]) == 1 and after[axis] == before[axis]):
            return x if x.shift in (None, axis) else Broken(f"no rule for {where} after a bias", known=False)
        if len(after) > axis + 1 and after[axis] * after[axis + 1] == before[axis]:
            return biased(where) if x.shift is not None else Scaled(math.gcd(x.parts, after[axis]), axis)
    if x.shift is not None:
        return Broken(f"no rule for {where} after a bias", known=False)
    return Scaled(1, None)


def permuted(x: Scaled, where: str, arguments: tuple[Any, ...], dimensions: int) -> State:
    """``permute`` or ``transpose``: axes move."""
    order = list(range(dimensions))
    found = list(arguments[0]) if len(arguments) == 1 and isinstance(arguments[0], tuple | list) else list(arguments)
    if not all(isinstance(one, int) for one in found):
        return Broken(f"no rule for {where}", known=False)
    found = [one % dimensions for one in found]
    if len(found) == dimensions and (dimensions != 2 or sorted(found) == order):
        order = found
    else:
        order[found[0]], order[found[1]] = found[1], found[0]
    axis, shift = (None if one is None else order.index(one) for one in (x.axis, x.shift))
    return Scaled(x.parts, axis, shift)


def summed(states: list[State], where: str, *, alike: bool) -> State:
    """A sum scales where all that is added does; ``alike``: all have as many dimensions."""
    if not all(isinstance(one, Scaled) for one in states):
        return Broken(f"{where} adds it to what does not scale")
    found = {one for one in states if isinstance(one, Scaled)}
    if len(found) == 1 and alike:
        return found.pop()
    return Scaled(1, None) if all(one.shift is None for one in found) else Broken(f"no rule for {where}", known=False)


def together(states: list[State]) -> Free:
    """A function of values of which none is scaled."""
    return Free(coarser(*(one.parts for one in states if isinstance(one, Free))))


def coarser(*parts: int) -> int:
    """The parts of the finest cut that is coarser than all of them; 0 does not count."""
    return math.gcd(*parts)

"""Which claims there are, in the order of the paper, and which of them a call names."""

import os
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from itertools import pairwise

from tangency.proofs_checks import claims
from tangency.proofs_checks.claim import Claim, Suite

# The order of the paper, and of every table. A claim that is not listed comes last.
ORDER = (
    "eq-01",
    "eq-02",
    "eq-04",
    "eq-05",
    "lemma-2.1",
    "lemma-2.2",
    "lemma-2.2-nesterov",
    "corollary-2.3",
    "eq-10",
    "eq-11",
    "eq-12",
    "proposition-3.1",
    "algorithm-1",
    "algorithm-2",
    "rate",
    "ledger",
    "decay-balance",
    "equilibrium",
    "trajectory",
)


# What worker processes make a suite with.
Source = Callable[[], Suite]


def production() -> Suite:
    """Every claim of the paper, on the optimizers that this package ships."""
    from tangency.proofs_checks.subjects import PRODUCTION

    return Suite(discover(), PRODUCTION)


def file_and_id(argument: str) -> tuple[str | None, str | None]:
    """What an argument names: one that ends in ``.py`` or holds a path separator is a file.

    >>> file_and_id("claims.py"), file_and_id("a/claims.py::mine"), file_and_id("lemma-2.2")
    (('claims.py', None), ('a/claims.py', 'mine'), (None, 'lemma-2.2'))
    """
    path, _, id = argument.partition("::")
    if path.endswith(".py") or any(separator in path for separator in (os.sep, "/")):
        return path, id or None
    return None, argument


def from_arguments(arguments: Sequence[str]) -> tuple[Source, tuple[str, ...] | None]:
    """The source of the suite that the arguments of a command name, and the ids of it; ``None``: all."""
    if not any(file_and_id(argument)[0] for argument in arguments):
        return production, tuple(arguments) or None
    from tangency.proofs_checks.run.claim_files import FileSource

    return FileSource(tuple(arguments)), None


def discover() -> tuple[Claim, ...]:
    """The ``CLAIM`` of every module of :mod:`tangency.proofs_checks.claims`, in the order of the paper."""
    names = sorted(module.name for module in pkgutil.iter_modules(claims.__path__))
    return ordered(import_module(f"{claims.__name__}.{name}").CLAIM for name in names)


def ordered(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """Claims in the order of the paper, whatever order they came in.

    Raises:
        ValueError: two claims have one id.
    """
    found = sorted(claims, key=lambda claim: (_place(claim.id), claim.id))
    for first, second in pairwise(found):
        if first.id == second.id:
            raise ValueError(f"two claims have the id {first.id!r}: {first.title!r} and {second.title!r}")
    return tuple(found)


def _place(id: str) -> int:
    return ORDER.index(id) if id in ORDER else len(ORDER)

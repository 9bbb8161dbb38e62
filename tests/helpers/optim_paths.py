"""The code paths of a step, and decorators that run a test on each."""

from functools import partial

import pytest

PATHS = {"loop": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True}}
"""Options that choose a path."""

every_path = pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)


def on_every_path(makers):
    """Parametrise a test by `make`, which builds an optimizer on one of the paths; makers take options by keyword."""
    cases = {f"{name}, {path}": partial(make, **PATHS[path]) for name, make in makers.items() for path in PATHS}
    return pytest.mark.parametrize("make", cases.values(), ids=cases)

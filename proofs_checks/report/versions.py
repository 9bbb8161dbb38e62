"""The versions of everything that can change a result."""

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("tangency", "torch", "numpy", "python-flint", "sympy", "hypothesis")


def versions() -> dict[str, str]:
    """Name → version of the interpreter and of the packages that can change a result."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found

"""What ran: the versions that can change a result."""

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("tangency", "torch", "numpy", "python-flint", "sympy", "hypothesis")


def versions() -> dict[str, str]:
    """What ran: the interpreter and the packages whose version can change a result."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found

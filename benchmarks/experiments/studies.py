"""All studies, in the order of the paper; each is imported when it is asked for."""

import importlib
from collections.abc import Sequence

from tangency.benchmarks.experiments.study import Study
from tangency.common.calls import WrongCall, no_such

NAMES = (
    *("figure-1", "figure-3", "figure-g", "figure-h"),
    *("share", "table-1", "appendix-c", "table-h6", "causal", "rates", "table-h7"),
    *("table-5", "table-6", "figure-4", "table-d1", "table-d3", "table-4", "table-3"),
)


def study(name: str) -> Study:
    """A study by its id.

    Raises:
        WrongCall: there is none of this name.
    """
    if name not in NAMES:
        raise WrongCall(no_such("study", name, NAMES))
    module = importlib.import_module(f"tangency.benchmarks.experiments.{name.replace('-', '_')}")
    found: Study = module.STUDY
    return found


def studies(names: Sequence[str]) -> list[Study]:
    """The studies of these names, or all."""
    return [study(name) for name in names or NAMES]

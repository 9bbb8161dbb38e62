"""Where ``tangency`` starts: the command line, or what to install for it."""

import gc
import sys

from tangency.proofs_checks.report.subject_report import USAGE

# What the extra ``verify`` brings, by the names that are imported.
NEEDED = frozenset(
    {"cloudpickle", "flint", "hypothesis", "matplotlib", "msgspec", "packaging", "rich", "sympy", "typer"}
)
# What the extra ``experiments`` brings beside it.
EXPERIMENTS = ("scipy", "sklearn", "PIL")


def main(args: list[str] | None = None) -> None:
    """The console script. Exits with 0 all hold, 1 a claim fails, 2 interrupted, 3 our own error, 4 the call is wrong,
    5 nothing ran."""
    gc.set_threshold(100_000)  # imports make a million objects and no garbage
    try:
        from tangency.cli.main import run
    except ModuleNotFoundError as error:
        if error.name not in NEEDED:
            raise
        print(f"tangency: {what_to_install(error)}", file=sys.stderr)
        raise SystemExit(USAGE) from None
    raise SystemExit(run(args))


def what_to_install(error: ModuleNotFoundError) -> str:
    """One line on a package of an extra that is missing."""
    extra = "experiments" if error.name in EXPERIMENTS else "verify"
    return f"{error.name} is not installed: pip install 'tangency[{extra}]' brings what the commands need"

"""The figure of a claim file, drawn without a screen; matplotlib is imported when one is asked for."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tangency.common.calls import WrongCall
from tangency.common.figures import saved
from tangency.common.text import raised

if TYPE_CHECKING:
    from tangency.proofs_checks.claim import Suite
    from tangency.proofs_checks.run.claim_files import ClaimFile

SUFFIXES = (".svg", ".png", ".pdf")


class NoFigure(WrongCall):
    """There is no figure to draw, or it cannot be drawn; the message says why."""


def check_path(path: Path) -> None:
    """Refuse a file of an unknown kind.

    Raises:
        NoFigure: it is so.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise NoFigure(f"--figure: {path} must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")


def draw(path: Path, suite: "Suite") -> bytes:
    """The figure that the one file of the suite with a ``FIGURE`` makes; the suffix of ``path`` says in which format.

    Raises:
        NoFigure: no file has one, or several have, or it raises, or gives no figure.
    """
    check_path(path)
    file = _with_figure(getattr(suite, "files", ()))
    import matplotlib

    matplotlib.use("Agg")
    try:
        assert file.figure is not None
        figure = file.figure()
    except Exception as error:
        raise NoFigure(f"--figure: FIGURE of {file.path} raises {raised(error)}") from error
    if not callable(getattr(figure, "savefig", None)):
        raise NoFigure(f"--figure: FIGURE of {file.path} gives {figure!r}, which is no matplotlib figure")
    return saved(figure, path.suffix.lower()[1:])


def _with_figure(files: "Sequence[ClaimFile]") -> "ClaimFile":
    having = [file for file in files if file.figure is not None]
    if len(having) == 1:
        return having[0]
    if having:
        raise NoFigure(f"--figure: {' and '.join(str(file.path) for file in having)} have a FIGURE each; name one file")
    where = " and ".join(str(file.path) for file in files)
    lacks = f"{where} has no FIGURE" if files else "only a claim file has one, and none is named"
    raise NoFigure(f"--figure draws what FIGURE, a function () -> matplotlib figure, makes: {lacks}")

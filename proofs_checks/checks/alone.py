"""A projection alone: what it says that it did, beside what it did."""

from __future__ import annotations

from tangency.proofs_checks.checks.experiment import behaviour
from tangency.proofs_checks.checks.tools import Make, Wrong, parameter, show, tilted
from tangency.proofs_checks.claim import Severity
from tangency.proofs_checks.generate.spread import spread


@behaviour(
    "decided-is-what-was-done",
    "a projection says that it projected exactly where it did",
    "Eq. 11; E.1: weight decay is scaled by wd_ratio where the update is projected",
    "The answer scales the weight decay: where it is wrong, scale-invariant weights decay as all others do, or others "
    "hardly at all.",
    severity=Severity.ALGORITHM,
    kinds=("projection",),
    alone=True,
)
def decided(make: Make) -> Wrong | None:
    for says, cosine, right in (("orthogonal to the weights", 0.0, True), ("at 30° to the weights", 0.75**0.5, False)):
        for shape in ((3, 4), (2, 3, 2, 2), (6,)):
            p = parameter(spread(*shape))
            optimizer, due = make([p], momentum=0.5), right and len(shape) > 1
            for cosines in ([1.0], [cosine]):
                rows = p.detach().reshape(shape[0] if len(shape) > 1 else 1, -1)
                p.grad = tilted(rows, cosines * len(rows)).reshape(shape)
                optimizer.step()
            # The update has a radial part from its first gradient: an update that was projected is another.
            if optimizer.decided != [due]:
                given = f"w of shape {shape}, momentum along w, then g {says}: {show(p.grad)}"
                return Wrong("what it says that it decided is wrong", f"decided: {due}", optimizer.decided[0], given)
    return None


CHECKS = (decided,)

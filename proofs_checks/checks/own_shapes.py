"""Steps on the shapes that one trains with, at their full size, against the target's own dialect in float64."""

import math

import numpy as np
import torch

from tangency.common.text import raised
from tangency.proofs_checks.checks.tools import agree
from tangency.proofs_checks.claim import Severity
from tangency.proofs_checks.errors.rounding import Floats
from tangency.proofs_checks.finding import Check, Fails, Skip
from tangency.proofs_checks.fit.fit import fit
from tangency.proofs_checks.fit.reference import speaker
from tangency.proofs_checks.generate.execution import torch_dtype
from tangency.proofs_checks.generate.gradients import Rotation
from tangency.proofs_checks.generate.spread import spread
from tangency.proofs_checks.options import Options
from tangency.proofs_checks.target.target import Target
from tangency.theory.projection import View

# In a format of n·u near 1, sums of n products may come out as anything: float64 shows what is wrong with a size.
DTYPES = ("float64", "float32")
LR = 0.125
# |w| and |g| are between 1/4 and 5/4, and three updates at most 9/4: neither w nor ηp nor η(w·p/w·w)w exceeds 2.
LARGEST = 2.0


def run(target: Target, options: Options) -> str:
    """Three steps of each shape: along no direction in particular, then orthogonal by channel, then as a layer."""
    if not target.spec.shapes:
        raise Skip("no shapes were asked for; --shapes and --model do")
    fitted = fit(target)
    if not target.algorithm.choices or not fitted.explained:
        raise Skip("it speaks no known dialect that its steps could be compared with")
    reference = speaker(target.algorithm.paper.but(**fitted.dialect), precise=False)
    for name in target.spec.dtypes or DTYPES:
        for shape in target.spec.shapes:
            _compare(target, reference, shape, torch_dtype(name))
    return f"{len(target.spec.shapes)} shapes"


def _compare(target: Target, reference: Target, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    where, views = target.spec.device or "cpu", (View.CHANNEL, View.LAYER) if len(shape) > 1 else ()
    says = f"shape {'×'.join(map(str, shape)) or '()'}, {dtype}, {1 + len(views)} steps"
    start = spread(*shape).to("cpu", dtype)
    p, twin = torch.nn.Parameter(start.to(where)), torch.nn.Parameter(start.clone())
    momentum = {"momentum": 0.5} if target.offers("momentum") else {}
    try:
        own = target.make([p], lr=LR, **momentum)
    except Exception as error:
        raise Fails(f"{says}: raised {raised(error)}") from error
    exact = reference.make([twin], lr=LR, **momentum)
    for view in (None, *views):
        g = spread(*shape, start=9).to("cpu", dtype)
        if view is not None:  # orthogonal to the weights as they are: a permutation of theirs
            w: Floats = p.detach().cpu().double().numpy()
            g = torch.from_numpy(Rotation(view, stride=max(1, view.rows(w).shape[1] // 2))(w)).to(dtype)
        p.grad, twin.grad = g.to(where), g
        try:
            own.step()
        except Exception as error:
            raise Fails(f"{says}: raised {raised(error)}") from error
        exact.step()
    got = p.detach().cpu()
    if not agree(got, twin.detach(), size=LARGEST, steps=1 + len(views)):
        off = (got - twin.detach()).abs().double().nan_to_num(math.inf)
        place = tuple(int(i) for i in np.unravel_index(int(off.argmax()), shape))
        raise Fails(
            f"{says}: w{list(place)} is off by {float(off[place]):.3g}",
            expected=float(twin.detach()[place]),
            got=float(got[place]),
        )


CHECK = Check(
    "own-shapes",
    "steps are right on the shapes that one trains with, at their full size",
    Severity.ALGORITHM,
    "Algorithms 1 and 2; --shapes, --model",
    "A kernel that is right on small tensors may lose the last rows of a large one, or the end of every row, or "
    "overflow an index.",
    run,
)
CHECKS = (CHECK,)

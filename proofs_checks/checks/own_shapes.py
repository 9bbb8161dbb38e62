"""Steps on the shapes that one trains with, at their full size, against the target's own dialect in float64."""

from __future__ import annotations

import torch

from tangency.common.text import raised
from tangency.proofs_checks.checks.experiment import make_of, usual_hyper
from tangency.proofs_checks.checks.experiment_script import script
from tangency.proofs_checks.checks.tools import Make, Wrong, rounding
from tangency.proofs_checks.claim import Severity
from tangency.proofs_checks.finding import Check, Fails, Skip
from tangency.proofs_checks.fit.fit import fit
from tangency.proofs_checks.fit.reference import speaker
from tangency.proofs_checks.generate.spread import spread
from tangency.proofs_checks.options import Options
from tangency.proofs_checks.target.target import Target

# In a format of n·u near 1, sums of n products may come out as anything: float64 shows what is wrong with a size.
DTYPES = ("float64", "float32")
# |w| and |g| are between 1/4 and 5/4, η is 1/8, three updates at most 9/4: w, ηp and η(w·p/w·w)w are all below 2.
LARGEST = 2.0


def moved(make: Make, shape: tuple[int, ...], dtype: str, device: str) -> tuple[list[torch.Tensor], torch.Tensor]:
    """The gradients of three steps, along nothing in particular, orthogonal by channel, and as a layer; the weights."""
    p = torch.nn.Parameter(spread(*shape).to(device, getattr(torch, dtype)))
    optimizer, gradients = make([p]), []
    for rows in (None, *(shape[0], 1) * (len(shape) > 1)):
        g = spread(*shape, start=9).to(p)
        if rows is not None:  # the weights as they are, turned by 90° in pairs
            w = p.detach().reshape(rows, -1)
            half = w.shape[1] // 2
            g = torch.cat([w[:, half : 2 * half], -w[:, :half], torch.zeros_like(w[:, 2 * half :])], 1).reshape(shape)
        gradients.append(g)
        p.grad = g.clone()
        optimizer.step()
    return gradients, p.detach()


def element(
    make: Make, shape: tuple[int, ...], dtype: str, device: str, place: int, expected: float, bound: float
) -> Wrong | None:
    """One element of the weights after these steps."""
    got = float(moved(make, shape, dtype, device)[1].reshape(-1)[place])
    if abs(got - expected) <= bound:
        return None
    return Wrong(f"an element of a parameter of shape {shape} is off", f"{expected} ± {bound:.3g}", got)


def run(target: Target, options: Options) -> str:
    """The steps of every shape."""
    if not target.spec.shapes:
        raise Skip("no shapes were asked for; --shapes and --model do")
    fitted = fit(target)
    if not target.algorithm.choices or not fitted.explained:
        raise Skip("it speaks no known dialect that its steps could be compared with")
    reference = speaker(target.algorithm.paper.but(**fitted.dialect), precise=False)
    for dtype in target.spec.dtypes or DTYPES:
        for shape in target.spec.shapes:
            _compare(target, reference, shape, dtype)
    return f"{len(target.spec.shapes)} shapes"


def _compare(target: Target, reference: Target, shape: tuple[int, ...], dtype: str) -> None:
    make, device = make_of(target), target.spec.device or "cpu"
    says = f"shape {'×'.join(map(str, shape))}, {dtype}"
    try:
        gradients, after = moved(make, shape, dtype, device)
    except Exception as error:
        raise Fails(f"{says}: raised {raised(error)}") from error
    twin = torch.nn.Parameter(spread(*shape).to("cpu", getattr(torch, dtype)).double())
    # What --path and --set fix may be a matter of execution, of which the reference knows nothing.
    usual = {name: value for name, value in usual_hyper(target).items() if reference.offers(name)}
    exact = reference.make([twin], **usual)
    for g in gradients:
        twin.grad = g.cpu().double()
        exact.step()
    bound = rounding(LARGEST, twin.numel(), after.dtype, len(gradients))
    off = (after.cpu().double() - twin.detach()).abs().nan_to_num(float("inf")).reshape(-1)
    place = int(off.argmax())
    if not float(off[place]) <= bound:
        expected, got = float(twin.detach().reshape(-1)[place]), float(after.reshape(-1)[place])
        detail = f"{says}: element {place} is off by {float(off[place]):.3g} after {len(gradients)} steps"
        given = {"shape": shape, "dtype": dtype, "device": device, "place": place, "expected": expected, "bound": bound}
        shown = script(
            target, make, element, title=CHECK.title, why=CHECK.why, found=detail, needs=(Make, Wrong), extra=given
        )
        raise Fails(detail, expected=expected, got=got, script=shown)


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

"""Which parameters move, and along what: missing and late gradients, neighbours, maximize, the momentum."""

from __future__ import annotations

from tangency.proofs_checks.checks.experiment import STEP, TORCH, behaviour
from tangency.proofs_checks.checks.tools import BUSY, Make, Wrong, parameter, same, show, steps, tilted
from tangency.proofs_checks.claim import Severity
from tangency.proofs_checks.generate.spread import spread
from tangency.proofs_checks.hyperparameters import PROJECTION


@behaviour(
    "missing-gradient",
    "a parameter without a gradient stays as it is, weight decay and momentum included",
    STEP + ": `if p.grad is None: continue`",
    "Frozen and unused layers must not move; those that were used before must not coast.",
    kinds=TORCH,
)
def missing_gradient(make: Make) -> Wrong | None:
    used, unused = parameter(spread(2, 3)), parameter(spread(2, 3))
    optimizer = make([used, unused], if_offered=BUSY)
    steps(optimizer, used, [spread(2, 3, start=9)] * 2)
    if not same(unused.detach(), spread(2, 3)):
        return Wrong("a parameter moves that never had a gradient", show(spread(2, 3)), show(unused.detach()))
    before = used.detach().clone()
    used.grad, unused.grad = None, spread(2, 3)
    optimizer.step()
    if not same(used.detach(), before):
        return Wrong("a parameter moves whose gradient is gone", show(before), show(used.detach()))
    return None


@behaviour(
    "late-gradient",
    "a parameter whose gradients start late, or pause, has its own step count",
    "torch.optim: the state, its step included, is each parameter's own",
    "Layers that are unfrozen later and experts that are seldom used take part in some steps only. With a step count "
    "of the group their bias correction is gone, and Adam's first updates of them are three times too large.",
    kinds=TORCH,
)
def late_gradient(make: Make) -> Wrong | None:
    g = [spread(2, 3, start=start) for start in (9, 40, 70)]
    always, late, alone = parameter(spread(2, 3)), parameter(spread(2, 3)), parameter(spread(2, 3))
    optimizer = make([always, late], if_offered=BUSY)
    for index in range(6):
        always.grad = g[index % 3].clone()
        late.grad = g[index % 3].clone() if index in (2, 4, 5) else None
        optimizer.step()
    expected = steps(make([alone], if_offered=BUSY), alone, [g[2], g[1], g[2]])
    if not same(late.detach(), expected):
        given = "two parameters; the second has gradients in steps 3, 5 and 6 of 6; expected: its three steps alone"
        return Wrong("late gradients step differently from early ones", show(expected), show(late.detach()), given)
    return None


@behaviour(
    "parameters-apart",
    "a parameter moves as it does in an optimizer of its own",
    "Algorithms 1 and 2, and torch.optim's, know one weight",
    "A buffer or a decision that is shared between parameters makes every layer depend on all others.",
    kinds=TORCH,
)
def parameters_apart(make: Make) -> Wrong | None:
    shapes = ((2, 3), (3,), (2, 3), (2, 3, 2, 2))
    together = [parameter(spread(*shape, start=i + 1)) for i, shape in enumerate(shapes)]
    optimizer = make(together, if_offered=BUSY)
    for t in range(3):
        for i, p in enumerate(together):
            p.grad = spread(*p.shape, start=9 + 7 * i + 30 * t)
        optimizer.step()
    for i, (shape, p) in enumerate(zip(shapes, together, strict=True)):
        alone = parameter(spread(*shape, start=i + 1))
        gradients = [spread(*shape, start=9 + 7 * i + 30 * t) for t in range(3)]
        expected = steps(make([alone], if_offered=BUSY), alone, gradients)
        if not same(p.detach(), expected):
            given = f"parameters of shapes {shapes} in one group; number {i}, three steps"
            return Wrong("a parameter moves differently beside others", show(expected), show(p.detach()), given)
    return None


@behaviour(
    "maximize",
    "maximize=True steps as the negative gradient does",
    "torch.optim: maximize",
    "A sign that is flipped for the update but not for the momentum, or the other way round, ascends and descends at "
    "once.",
    needs=("maximize",),
)
def maximize(make: Make) -> Wrong | None:
    gradients = [spread(2, 3, start=start) for start in (9, 40, 70)]
    up, down = parameter(spread(2, 3)), parameter(spread(2, 3))
    got = steps(make([up], if_offered=BUSY, maximize=True), up, gradients)
    expected = steps(make([down], if_offered=BUSY), down, [-g for g in gradients])
    if not same(got, expected):
        return Wrong(
            "maximizing is not minimizing the negative", show(expected), show(got), "shape (2, 3), three steps"
        )
    return None


@behaviour(
    "momentum-unprojected",
    "the momentum buffer keeps the update as it was before the projection",
    "§3.1, Algorithm 1: p_t enters the buffer, q_t the weights",
    "A buffer that is projected in place, through an alias of the update, forgets its radial part: every step after a "
    "projected one differs from the algorithm's.",
    severity=Severity.ALGORITHM,
    needs=("momentum", "delta"),
    capability=PROJECTION,
)
def momentum_unprojected(make: Make) -> Wrong | None:
    w = spread(2, 6)
    p = parameter(w)
    optimizer = make([p], lr=0.125, momentum=0.5)
    # Along w, then orthogonal and projected, then hardly anything but momentum, in a direction that no view projects.
    for cosine, size in ((1.0, 1.0), (0.0, 1.0), (1.0, 2.0**-30)):
        before = p.detach().clone()
        p.grad = tilted(before, [cosine, cosine]) * size
        optimizer.step()
    moved = ((p.detach() - before) * before).sum().item() / before.norm().item()
    # Of the first gradient, w, a quarter is left in the buffer.
    wanted = -0.125 * 0.25 * w.norm().item()
    if not moved < wanted / 2:
        given = "momentum 0.5; three gradients: along w, orthogonal to w (projected), tiny and along w"
        expected = f"the third step goes {wanted:.3g} along w, by momentum"
        return Wrong("the radial momentum is gone after a projected step", expected, f"{moved:.3g}", given)
    return None


CHECKS = (
    missing_gradient,
    late_gradient,
    parameters_apart,
    maximize,
    momentum_unprojected,
)

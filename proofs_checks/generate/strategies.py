"""Strategies of trials: shapes, dtypes, layouts, magnitudes, gradients, hyper-parameters at their corners.

Hypothesis validates a strategy at its first draw, which takes longer than the draw: those with few arguments are made
once (``@cache``).
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from hypothesis import strategies as st

from tangency.proofs_checks.errors.rounding import FORMATS
from tangency.proofs_checks.generate.gradients import Rotation, Tilted
from tangency.proofs_checks.generate.problems import fits, own_views
from tangency.proofs_checks.generate.trials import LAYOUTS, Gradient, Setting, Trial
from tangency.proofs_checks.hyperparameters import AHEAD, ASCENT, DAMPENED, DECAY, DELTA, LR, RATIO, Hyper, views_of
from tangency.proofs_checks.subjects import GROUPS, HEADS, LARGE, PROJECTION, Subject
from tangency.theory.projection import VIEWS, View

DTYPES = tuple(FORMATS)
# In which somebody's optimizer computes as it stores: checks of behaviour ask about the others.
COMPUTED = ("float64", "float32")
MAX_ELEMENTS = 64


def dtypes_of(subject: Subject, among: Sequence[str] = ()) -> tuple[str, ...]:
    """The dtypes of a subject's trials: those that were asked for, as far as a claim draws them.

    Args:
        among: what a claim is about; all in which a subject computes if empty.
    """
    usual = tuple(among) or (COMPUTED if subject.foreign else DTYPES)
    if not subject.dtypes:
        return usual
    # Where a claim is about none of them, the attack says so.
    return subject.dtypes if not among else tuple(one for one in among if one in subject.dtypes) or usual


@cache
def shapes(
    min_dims: int = 0, max_dims: int = 5, max_elements: int = MAX_ELEMENTS
) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes of ``min_dims`` to ``max_dims`` dimensions, size-1 axes and now and then an empty one among them."""
    sides = st.lists(st.integers(1, 8), min_size=min_dims, max_size=max_dims)
    small = sides.map(tuple).filter(lambda shape: math.prod(shape) <= max_elements)
    wide = (
        st.tuples(st.integers(1, 3), st.integers(9, max_elements // 3))
        if min_dims <= 2 and max_elements > 26
        else small
    )
    vectors = st.tuples(st.integers(1, min(16, max_elements))) if min_dims <= 1 else small
    return st.one_of(small, small, wide, vectors)


@cache
def matrices() -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes of two or more dimensions whose rows have more than one element."""
    return shapes(min_dims=2).filter(lambda shape: math.prod(shape) > shape[0])


@cache
@st.composite
def values(draw: st.DrawFn, count: int, exponent: int = 0) -> tuple[float, ...]:
    """``count`` floats around 2^``exponent``: small integers (they shrink to zeros) or dense fractions."""
    if count > 16 or draw(st.booleans()):
        mantissas = draw(st.lists(st.integers(-(2**11), 2**11), min_size=min(count, 16), max_size=min(count, 16)))
        # Long rows repeat their mantissas with shifting weights: no row is a copy of another.
        spread = [mantissas[i % 16] * (1.0 + (i * i % 7) / 8.0) for i in range(count)] if count else []
        return tuple(math.ldexp(m, exponent - 11) for m in spread)
    return tuple(math.ldexp(m, exponent) for m in draw(st.lists(st.integers(-4, 4), min_size=count, max_size=count)))


@cache
def exponents(dtype: str, *, squared: bool = False) -> st.SearchStrategy[int]:
    """Powers of two from the smallest normal number to 1e30, as far as the dtype goes.

    ``squared``: the square is stored in the dtype too (Adam's v), which halves the range above.
    """
    storage, _ = FORMATS[dtype]
    high = min(100, storage.emax - 8)
    if squared:
        high = min(high, (storage.emax - 8) // 2)
    return st.one_of(st.just(0), st.integers(-3, 3), st.integers(max(storage.emin, -200), high))


@cache
def ratios(dtype: str) -> st.SearchStrategy[float]:
    """Multiples of the threshold of Eq. 11: 1, and powers of two above and below it down to the precision."""
    near = st.integers(1, FORMATS[dtype][0].digits + 4).map(lambda k: 2.0**-k)
    return st.one_of(st.just(1.0), near.map(lambda x: 1 - x), near.map(lambda x: 1 + x))


@cache
def rotations(view: View, low: int, high: int, strides: tuple[int, ...]) -> st.SearchStrategy[Rotation]:
    """Gradients orthogonal to the weights in a view, 2^``low`` to 2^``high`` times as large."""
    return st.builds(Rotation, st.just(view), st.integers(low, high), st.sampled_from(strides))


@st.composite
def gradients(
    draw: st.DrawFn, trial_shape: tuple[int, ...], dtype: str, hyper: dict[str, Any], magnitudes: st.SearchStrategy[int]
) -> Gradient:
    """A gradient of any kind: free, orthogonal in a view, at the threshold, with zero rows, zero, or missing."""
    count = math.prod(trial_shape) * (2 if dtype.startswith("complex") else 1)
    kind = draw(st.sampled_from(("rotation", "free", "tilted", "tilted", "zero", "zero rows", "none")))
    # A vector counts as one row: an orthogonal gradient shows whether it is projected, which it must not be.
    view = draw(st.sampled_from(views_of(hyper))) if len(trial_shape) > 1 else View.LAYER
    if kind == "none":
        return None
    if kind == "zero" or not count:
        return (0.0,) * count
    if trial_shape and kind in ("rotation", "tilted"):
        shift = draw(st.integers(-6, 3))
        if kind == "rotation":
            return Rotation(view, shift, draw(st.sampled_from((max(1, count // 2), 1, 2, 3))))
        ratio = draw(ratios(dtype))
        return Tilted(view, ratio * draw(st.sampled_from((1, -1))), float(hyper.get("delta", 0.1)), shift)
    flat = list(draw(values(count, draw(magnitudes))))
    if kind == "zero rows" and len(trial_shape) >= 2:
        row = count // trial_shape[0]
        for dead in draw(st.sets(st.integers(0, trial_shape[0] - 1))):
            flat[dead * row : (dead + 1) * row] = [0.0] * row
    return tuple(flat)


def views(subject: Subject, shape: tuple[int, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Views of one's own choice, as hyper-parameters, as far as the subject offers them."""
    return own_views(shape) if HEADS in subject.capabilities else st.just({})


def hyperparameters(subject: Subject, **fixed: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Hyper-parameters at their corners and at usual values, as far as the subject offers them; ``fixed`` wins."""
    offered = {one.name: one for one in (LR, *subject.update.hyper)}
    offered |= {one.name: one for one in (DAMPENED, AHEAD, DECAY, ASCENT) if one.capability in subject.capabilities}
    if PROJECTION in subject.capabilities:
        offered |= {one.name: one for one in (DELTA, RATIO)}
    fixed = {name: value for name, value in fixed.items() if name not in subject.lacks}
    free = [one for name, one in offered.items() if name not in fixed and name not in subject.lacks]
    drawn = _each_at_its_corners(tuple(free))
    return drawn.map(lambda drawn: {**drawn, **fixed})


@cache
def _each_at_its_corners(chosen: tuple[Hyper, ...]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {one.name: st.booleans() if isinstance(one.default, bool) else st.sampled_from(one.corners) for one in chosen}
    )


@st.composite
def trials(
    draw: st.DrawFn,
    /,
    subject: Subject,
    *,
    dtypes: Sequence[str] = (),
    min_dims: int = 0,
    min_steps: int = 1,
    max_steps: int = 3,
    max_elements: int = MAX_ELEMENTS,
    **fixed: Any,
) -> Trial:
    """Trials of every kind for one subject, in its own dtypes or others; ``fixed`` hyper-parameters are not drawn."""
    shape = draw(shapes(min_dims, max_elements=max_elements))
    if draw(st.integers(0, 30)) == 30:
        shape = tuple(0 if i == len(shape) - 1 else n for i, n in enumerate(shape))
    dtype = draw(st.sampled_from(tuple(dtypes) or dtypes_of(subject)))
    hyper = {**draw(hyperparameters(subject, **fixed)), **draw(views(subject, shape))}
    squared = subject.update.squares
    count = math.prod(shape) * (2 if dtype.startswith("complex") else 1)
    scale = draw(exponents(dtype, squared=squared))
    w = list(draw(values(count, scale)))
    if len(shape) >= 2 and count and draw(st.integers(0, 4)) == 4:
        row = count // shape[0]
        dead = draw(st.integers(0, shape[0] - 1))
        w[dead * row : (dead + 1) * row] = [0.0] * row
    # A gradient far below the weights leaves no trace in them: half are of the weights' own magnitude.
    magnitudes = st.one_of(st.just(scale), exponents(dtype, squared=squared))
    steps = st.lists(gradients(shape, dtype, hyper, magnitudes), min_size=min_steps, max_size=max_steps)
    layouts = st.sampled_from(LAYOUTS)
    return Trial(shape, dtype, tuple(w), tuple(draw(steps)), hyper, draw(layouts), draw(layouts))


def steps(subject: Subject) -> st.SearchStrategy[Trial]:
    """Trials of whole steps: of every kind, half of them with weights that can be projected.

    A few runs are long, for slips that depend on the step count; a few parameters large, for slips that depend on size.
    """
    usual = st.one_of(*(trials(subject, min_dims=least) for least in (0, 2, 3)), projected_trials(subject))
    long, large = trials(subject, min_steps=7, max_steps=10, max_elements=9), large_trials(subject)
    surroundings = settings(subject)

    @st.composite
    def drawn(draw: st.DrawFn) -> Trial:
        kind, setting = draw(st.integers(0, 11)), Setting()
        if kind == 11 and LARGE in subject.capabilities:
            strategy = large
        elif kind == 10:
            strategy = long
        else:
            setting, strategy = draw(surroundings), usual
        trial: Trial = draw(strategy)
        if not setting.grouped:
            tried = trial.hyper.get("views", VIEWS)
            setting = replace(setting, beside=tuple(shape for shape in setting.beside if fits(tried, shape)))
        return trial if setting == Setting() else replace(trial, setting=setting)

    return drawn()


def settings(subject: Subject) -> st.SearchStrategy[Setting]:
    """The surroundings of a parameter in its optimizer: none, or the fewest that expose a slip."""
    if GROUPS not in subject.capabilities:
        return st.just(Setting())
    beside = st.lists(st.one_of(shapes(max_elements=12), st.just((7, 2))), min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.just(Setting()),
        st.builds(Setting, beside),
        st.builds(Setting, beside, grouped=st.just(True), tensor_lr=st.booleans()),
        st.builds(Setting, grouped=st.booleans(), tensor_lr=st.just(True)),
    )


@st.composite
def large_trials(draw: st.DrawFn, subject: Subject, /) -> Trial:
    """One step of a parameter of more than 2¹⁸ elements, the rows of which repeat those of a small one."""
    shape = draw(st.sampled_from(((17,), (19,), (5, 4), (2, 3, 3), (1, 18))))
    dtype = draw(st.sampled_from([dtype for dtype in dtypes_of(subject) if not dtype.startswith("complex")]))
    hyper = {**draw(hyperparameters(subject)), **draw(views(subject, shape))}
    gradient = draw(gradients(shape, dtype, hyper, st.just(0)).filter(lambda g: g is not None))
    return Trial(shape, dtype, draw(values(math.prod(shape))), (gradient,), hyper, setting=Setting(repeats=4**7))


@st.composite
def projected_trials(draw: st.DrawFn, subject: Subject, /, **fixed: Any) -> Trial:
    """Trials that leave p a radial part and then project it: a free gradient, or none, before orthogonal ones.

    No weight decay, η > 0, all magnitudes; ``fixed`` hyper-parameters are not drawn.
    """
    shape = draw(matrices())
    dtype = draw(st.sampled_from(dtypes_of(subject)))
    count = math.prod(shape) * (2 if dtype.startswith("complex") else 1)
    scale = draw(exponents(dtype, squared=True))
    own = draw(views(subject, shape))
    view = draw(st.sampled_from(views_of(own)))
    turned = rotations(view, -4, 2, (1, 2, max(1, count // 2)))
    free = draw(st.lists(values(count, scale), max_size=1))
    lr = st.sampled_from((0.1, 1.0, 0.5, 1e-3, 2.0**-20))
    hyper = draw(hyperparameters(subject, **{"weight_decay": 0.0, "delta": 0.1, "lr": draw(lr), **fixed})) | own
    gradients: list[Gradient] = [*free, *draw(st.lists(turned, min_size=1, max_size=2))]
    return Trial(shape, dtype, draw(values(count, scale)), tuple(gradients), hyper)

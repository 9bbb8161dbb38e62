"""One run of ``tangency bench``: what is to be measured, and the measuring of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product

from tangency.benchmarks import sweeps
from tangency.benchmarks.first_step import starts
from tangency.benchmarks.machine import machine
from tangency.benchmarks.results import Results, Sweep
from tangency.benchmarks.shapes import MODELS, SAMPLED
from tangency.benchmarks.steps import Competitors, competitors_of, counted, measure
from tangency.benchmarks.training import train

# Called with the name of a table, the rounds done, and the rounds in all.
Watch = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        optimizers, modes, dtypes: of `OPTIMIZERS`, `MODES` and `DTYPES`.
        models: of `MODELS`; steps on their weights are timed.
        counts: also count what a step of a model does, in the first mode and in float32.
        shapes, scaling: also single shapes; also how cost grows, in the first mode; both in the first dtype.
        training: also the training of a network.
        first_step: also starts of new interpreters.
        peers, compiled: who competes.
        cold: whether caches are emptied before each step.
        budget: seconds for the rounds of one table, about; a quarter of it for one line of a sweep.
    """

    optimizers: tuple[str, ...]
    modes: tuple[str, ...]
    models: tuple[str, ...] = ()
    counts: bool = True
    shapes: bool = False
    scaling: bool = False
    training: bool = False
    first_step: bool = False
    peers: bool = False
    compiled: bool = False
    budget: float = 5.0
    cold: bool = False
    device: str = "cpu"
    dtypes: tuple[str, ...] = ("float32",)


def run(
    plan: Plan,
    watch: Watch = lambda label, done, total: None,
    keep: Callable[[Results], None] = lambda results: None,
) -> Results:
    """Verify everybody who competes, then measure all that is planned.

    Args:
        keep: called with all results so far whenever a model is done in one mode.

    Raises:
        WrongStep: one of ours does not compute what it should.
        WrongMode: Eq. 11 does not decide as a mode says.
    """
    results = Results(machine(plan.device), plan.device)
    for optimizer in plan.optimizers:
        watch(f"{optimizer}: verifying", 0, 1)
        competitors = competitors_of(
            optimizer, peers=plan.peers, compiled=plan.compiled, device=plan.device, dtypes=plan.dtypes
        )
        for model in plan.models:
            for _ in _models(plan, model, competitors, results, watch):
                keep(results)
        results.sweeps += _sweeps(plan, competitors, results.machine.cache, watch)
        if plan.training:
            tell = partial(watch, f"{optimizer}: training")
            results.trainings.append(train(competitors, budget=2 * plan.budget, device=plan.device, watch=tell))
        if plan.first_step:
            tell = partial(watch, f"{optimizer}: first steps")
            results.starts += starts("small", competitors, device=plan.device, watch=tell)
    return results


def _models(plan: Plan, model: str, competitors: Competitors, results: Results, watch: Watch) -> Iterator[None]:
    """Add the results of one model, one at a time."""
    weights = MODELS[model]()
    for dtype, mode in product(plan.dtypes, plan.modes):
        results.timings.append(
            measure(
                model,
                weights,
                mode,
                competitors,
                budget=plan.budget,
                cold=plan.cold,
                device=plan.device,
                dtype=dtype,
                cache=results.machine.cache,
                sampled=SAMPLED.get(model, ""),
                watch=partial(watch, f"{model}, {competitors.optimizer}, {mode}"),
            )
        )
        yield
    if plan.counts:
        results.counts += counted(model, weights, plan.modes[0], competitors, plan.device)
        yield


def _sweeps(plan: Plan, competitors: Competitors, cache: int, watch: Watch) -> Iterator[Sweep]:
    # A single weight is a convolution: trained is channel.
    modes = [mode for mode in plan.modes if mode != "trained" or "channel" not in plan.modes]
    planned = [("shapes", sweeps.shapes(), mode) for mode in modes if plan.shapes]
    if plan.scaling:
        planned += [(f"cost by {title}", points, plan.modes[0]) for title, points in sweeps.scaling().items()]
    for title, points, mode in planned:
        timings = []
        for what, weights in points:
            tell = partial(watch, f"{what}, {competitors.optimizer}, {mode}")
            timings.append(
                measure(
                    what,
                    weights,
                    mode,
                    competitors,
                    budget=plan.budget / 4,
                    cold=plan.cold,
                    device=plan.device,
                    dtype=plan.dtypes[0],
                    cache=cache,
                    watch=tell,
                )
            )
        yield Sweep(title, competitors.optimizer, mode, tuple(timings))

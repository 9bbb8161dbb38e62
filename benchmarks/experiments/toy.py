"""The task of the toy problems: the executable spec in float64 on two or three numbers."""

import math
from typing import Any

from tangency.benchmarks.experiments.history import short
from tangency.benchmarks.experiments.optimizers import factor
from tangency.theory.algorithms import ALGORITHMS, START
from tangency.theory.fields import FLOAT64
from tangency.theory.objectives import Cosine, Objective, SphericalRosenbrock
from tangency.theory.projection import View

PROBLEMS: dict[str, Objective] = {"cosine": Cosine((0, -1)), "rosenbrock": SphericalRosenbrock()}


def search(config: dict[str, Any]) -> dict[str, Any]:
    """A toy problem at many step sizes.

    Args:
        config: as of `toy`, with ``rates``, the step sizes.

    Returns:
        The result of the step size that ends lowest, with its ``lr``; and ``tried``, for each step size lr,
        largest_norm, last_norm and last_value.
    """
    results = {lr: toy({**config, "lr": lr}) for lr in config["rates"]}
    best = min(results, key=lambda lr: float(results[lr]["last_value"]))
    kept = ("largest_norm", "last_norm", "last_value")
    return {
        **results[best],
        "lr": best,
        "tried": [[lr, *(found[name] for name in kept)] for lr, found in results.items()],
    }


def toy(config: dict[str, Any]) -> dict[str, Any]:
    """Minimise a toy problem.

    Args:
        config: ``problem``; ``algorithm``, of the spec, with its ``options``; ``start``; ``steps``; ``schedule``. What
            the paper does not say: ``clip``, the norm to which gradients are clipped, or None; ``l2``, the factor of w
            that is added to them then; ``project_buffer``, whether the momentum buffer is projected as well.

    Returns:
        ``norm`` and ``value`` at each point, ``point`` (the two angles of the Rosenbrock function, or the weights), and
        ``largest_norm``, ``last_norm``, ``last_value`` and ``lowest_value``.
    """
    problem, algorithm = PROBLEMS[config["problem"]], ALGORITHMS[config["algorithm"]]
    options = dict(config["options"])
    if "betas" in options:
        options["betas"] = tuple(options["betas"])
    if config["algorithm"] in ("sgdp", "adamp"):
        options["view"] = View.LAYER
    w, state = FLOAT64.array(config["start"]), START
    norms, values, points = [], [], []
    for step in range(config["steps"] + 1):
        norms.append(math.sqrt(w @ w))
        values.append(float(problem.value(FLOAT64, w)))
        at = problem.angles(FLOAT64, w) if isinstance(problem, SphericalRosenbrock) else w
        points.append([short(float(x)) for x in at])
        if step == config["steps"]:
            break
        g = problem.gradient(FLOAT64, w)
        if config.get("clip") is not None and g @ g > config["clip"] ** 2:
            g = g * (config["clip"] / math.sqrt(g @ g))
        if config.get("l2"):
            g = g + config["l2"] * w
        lr = config["lr"] * factor(config["schedule"], step, config["steps"])
        taken = algorithm(FLOAT64, w, g, state, lr=lr, **options)
        state = taken.state
        if config.get("project_buffer"):
            m = state["momentum_buffer"]
            state = {**state, "momentum_buffer": m - (w @ m) / (w @ w) * w}
        w = taken.w
        if not all(map(math.isfinite, w)) or not w @ w:
            break
    return {
        "steps": list(range(len(norms))),
        "norm": list(map(short, norms)),
        "value": list(map(short, values)),
        "point": points,
        "lowest_norm": min(norms),
        "largest_norm": max(norms),
        "last_norm": norms[-1],
        "last_value": values[-1],
        "lowest_value": min(values),
    }

"""Adapters with a planted defect each, and targets that hang, die or do not exist: the rest still runs."""

import os
import time
from typing import Any

import pytest
import torch

from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.fit.fit import fit
from tangency.proofs_checks.report.subject_report import FAILED, USAGE
from tangency.proofs_checks.run import conformance
from tangency.proofs_checks.target.spec import TargetError, TargetSpec
from tangency.proofs_checks.target.target import load


def foreign(name: str) -> TargetSpec:
    return TargetSpec(f"tangency.proofs_checks.broken.foreign:{name}", "sgd")


class Dies(torch.optim.SGD):
    """Kills the interpreter at the first gradient of zero."""

    def step(self, closure: Any = None) -> Any:
        if any(not p.grad.any() for group in self.param_groups for p in group["params"] if p.grad is not None):
            os._exit(7)
        return super().step(closure)


class Hangs(torch.optim.SGD):
    """Never returns from the first gradient of zero."""

    def step(self, closure: Any = None) -> Any:
        if any(not p.grad.any() for group in self.param_groups for p in group["params"] if p.grad is not None):
            time.sleep(3600)
        return super().step(closure)


def test_what_takes_long_has_its_turn_after_what_does_not() -> None:
    checks = conformance.checks()
    assert not conformance.LONG - {one.id for one in checks}
    started: list[str] = []
    only = [*sorted(conformance.LONG - {"compiled-agrees", "own-shapes"}), "eq-12", "state-dict", "deterministic"]
    spec = TargetSpec("tangency.proofs_checks.broken.sound:SGDP")
    found = conformance.check(
        [spec], only=only, profile="quick", seed=1, watch=lambda cell, answer, total: started.append(cell.check)
    )
    assert [one.check for one in found[0].findings] == [one.id for one in checks if one.id in only]
    order = list(dict.fromkeys(started))
    assert set(order[1:3]) == {"state-dict", "deterministic"}
    assert order[-1] == "eq-12"


def test_optax_is_driven_and_its_planted_defect_is_shown() -> None:
    pytest.importorskip("optax", reason="optax is not installed, which an optax target needs")
    right, wrong = load(foreign("heavy_ball")), load(foreign("optax_ascends"))
    assert right.kind == wrong.kind == "optax"
    assert fit(right).explained
    assert right.buffers
    assert [one.name for one in fit(wrong).departures if one.slip] == ["sign = ascent"]


@pytest.mark.parametrize(("name", "kind"), [("momentum", "function"), ("Object", "protocol")])
def test_an_adapter_drives_what_is_right(name: str, kind: str) -> None:
    loaded = load(foreign(name))
    assert loaded.kind == kind
    assert fit(loaded).explained
    assert loaded.buffers


@pytest.mark.parametrize("name", ["SquaredBeta", "OtherShape"])
def test_an_adapter_shows_a_planted_defect(name: str) -> None:
    found = fit(load(foreign(name)))
    assert not found.explained
    assert found.leaves_at


def test_an_adapter_shows_a_slip() -> None:
    found = fit(load(foreign("ascends")))
    assert [one.name for one in found.departures if one.slip] == ["sign = ascent"]


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (TargetSpec("no_such_module:AdamP"), "no_such_module cannot be imported"),
        (TargetSpec("torch.optim:Adamm", "adam"), "torch.optim has no Adamm"),
        (TargetSpec("torch.optim.Adam"), "it must be MODULE:NAME"),
        (TargetSpec(f"{__file__}:nothing", "sgd"), "has no nothing"),
        (TargetSpec("torch.optim:SGD", set={"moment": 1}), "takes no argument 'moment'"),
        (TargetSpec("torch.optim:LBFGS"), "use --algorithm"),
    ],
)
def test_a_wrong_target_is_named(spec: TargetSpec, says: str) -> None:
    with pytest.raises(TargetError, match=says.replace("(", "\\(")):
        load(spec)


def test_a_target_that_hangs_or_dies_fails_its_check_and_the_rest_runs() -> None:
    specs = [
        *(TargetSpec(f"{__file__}:{name}", "sgd") for name in ("Dies", "Hangs")),
        TargetSpec("no_such_module:AdamP"),
    ]
    dies, hangs, missing = conformance.check(specs, only=["zero-gradient", "pickle"], seed=1, jobs=2, limit=30)
    assert {f.check: f.verdict for f in dies.findings}["zero-gradient"] is Verdict.FAILS
    assert "exit code 7" in next(f.detail for f in dies.findings if f.check == "zero-gradient")
    assert "took longer than 30 s" in next(f.detail for f in hangs.findings if f.check == "zero-gradient")
    assert {f.check for f in hangs.findings} == {"zero-gradient", "pickle"}
    assert (dies.exit_code, missing.exit_code) == (FAILED, USAGE)
    assert "no_such_module" in missing.problem

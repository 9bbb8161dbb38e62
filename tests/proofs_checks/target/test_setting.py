"""One device, one path, one dtype, the shapes that one trains with: what is asked for is what is checked."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import find, given
from hypothesis import strategies as st

import tangency.optim
from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.finding import Finding
from tangency.proofs_checks.generate.gradients import Rotation
from tangency.proofs_checks.generate.shapes import LARGEST, on_shapes, within
from tangency.proofs_checks.generate.trials import Trial
from tangency.proofs_checks.run import conformance
from tangency.proofs_checks.subjects import SHIPPED
from tangency.proofs_checks.target.spec import TargetError, TargetSpec
from tangency.proofs_checks.target.target import load
from tangency.theory.projection import View

OWN = "tangency.optim:AdamP"


class Net(torch.nn.Sequential):
    """What somebody trains, in small."""

    def __init__(self) -> None:
        super().__init__(torch.nn.Conv2d(3, 5, 3), torch.nn.Flatten(), torch.nn.Linear(45, 7))


class Told(tangency.optim.AdamP):
    """Writes down what its parameters are like, a line a step, into the file of an environment variable."""

    def step(self, closure: Any = None) -> Any:
        import os

        with Path(os.environ["TOLD"]).open("a") as file:
            for group in self.param_groups:
                for p in group["params"]:
                    file.write(f"{tuple(p.shape)} {p.dtype} {group['fused']} {torch.compiler.is_compiling()}\n")
        return super().step(closure)


class WrongWhereCompiled(torch.optim.SGD):
    """The step is twice as long where it is compiled."""

    def step(self, closure: Any = None) -> Any:
        factor = 2.0 if torch.compiler.is_compiling() else 1.0
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        p.sub_(factor * group["lr"] * p.grad)


class LosesTheTail(tangency.optim.SGDP):
    """The last row of a matrix of more than a hundred rows stays as it is."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        kept = [(p, p[-1].clone()) for group in self.param_groups for p in group["params"] if p.dim() and len(p) > 100]
        super().step(closure)
        for p, row in kept:
            p[-1] = row


def check(spec: TargetSpec, *only: str) -> dict[str, Finding]:
    (report,) = conformance.check([spec], only=only, profile="quick", seed=1, jobs=1)
    assert not report.problem, report.problem
    return {finding.check: finding for finding in report.findings}


def test_trials_are_of_the_dtypes_shapes_and_path_that_were_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOLD", str(tmp_path / "told"))
    spec = TargetSpec(
        f"{__file__}:Told", "adamp", path="fused", dtypes=("float32",), shapes=((4, 3, 2),), model=f"{__file__}:Net"
    )
    assert load(spec).spec.shapes == ((4, 3, 2), (5, 3, 3, 3), (5,), (7, 45), (7,))
    found = check(spec, "eq-10", "eq-11", "eq-12", "algorithm-2")
    assert {finding.verdict for finding in found.values()} == {Verdict.HOLDS}
    lines = (tmp_path / "told").read_text().splitlines()
    asked = [line for line in lines if "torch.float32" in line and "True" in line]
    for shape in ("(4, 3, 2)", "(5, 3, 3, 3)", "(7, 45)"):
        assert sum(line.startswith(shape) for line in asked) > 5


def test_a_claim_that_says_nothing_of_a_dtype_does_not_apply() -> None:
    found = check(TargetSpec(OWN, dtypes=("float16",)), "eq-04", "eq-12")
    assert (found["eq-04"].verdict, found["eq-12"].verdict) == (Verdict.DOES_NOT_APPLY, Verdict.HOLDS)
    assert found["eq-04"].detail.endswith("it says nothing of float16")


@given(st.lists(st.integers(1, 300), max_size=4).map(tuple))
def test_a_shape_is_cut_only_where_exact_steps_would_take_too_long(shape: tuple[int, ...]) -> None:
    cut = within(shape)
    assert torch.Size(cut).numel() <= LARGEST
    assert len(cut) == len(shape)
    assert cut == shape or torch.Size(cut).numel() * 2 >= LARGEST // 2
    assert all(1 <= a <= b for a, b in zip(cut, shape, strict=True))


@given(st.data())
def test_a_trial_is_put_on_a_shape_with_all_that_it_is(data: st.DataObject) -> None:
    turned = Rotation(View.CHANNEL)
    trial = Trial((2, 3), "float32", (1.0, 2.0, 3.0, 4.0, 5.0, 6.0), (turned, (1.0,) * 6, None), {"lr": 0.5})
    made = data.draw(on_shapes(st.just(trial), ((7, 5), (4,))))
    assert (made.shape, made.dtype, made.hyper) == ((7, 5), "float32", {"lr": 0.5})
    assert made.gradients[0] is turned
    assert made.gradients[2] is None
    assert len(made.w) == len(made.gradients[1]) == 35  # type: ignore[arg-type]
    assert len({made.w[5 * i : 5 * i + 5] for i in range(7)}) == 7  # no row is a copy of another


@pytest.mark.parametrize(
    ("head", "slices", "fitted"), [(2, 16, 2), (2, 33, 33), (6, 33, 3), (3, 1, None)], ids=lambda one: str(one)
)
def test_heads_are_made_to_fit_the_shapes(head: int, slices: int, fitted: int | None) -> None:
    rotation = Rotation(View("head", head))
    trial = Trial((head, 2), "float64", (1.0,) * 2 * head, (rotation,), {"lr": 0.5, "views": (head, "layer")})
    made = find(on_shapes(st.just(trial), ((slices, 5),)), lambda _: True)
    assert made.hyper == {"lr": 0.5} | ({"views": (fitted, "layer")} if fitted else {})
    assert made.gradients[0](np.ones((slices, 5))).shape == (slices, 5)  # type: ignore[operator, misc]


def test_a_size_that_small_trials_do_not_have_is_asked_about_at_full_size() -> None:
    found = check(TargetSpec(f"{__file__}:LosesTheTail", "sgdp", shapes=((130, 40), (8,))), "own-shapes", "eq-12")
    assert found["eq-12"].verdict is Verdict.HOLDS  # its shape is cut below a hundred rows
    assert found["own-shapes"].verdict is Verdict.FAILS
    assert found["own-shapes"].detail.startswith("shape 130×40, float64: element 51")
    assert check(TargetSpec("tangency.optim:SGDP", shapes=((130, 40), (8,), (1, 1))), "own-shapes")[
        "own-shapes"
    ].detail.startswith("3 shapes")


def test_full_sizes_are_asked_about_on_one_path() -> None:
    found = check(TargetSpec(OWN, path="fused", shapes=((130, 40),)), "own-shapes")["own-shapes"]
    assert (found.verdict, found.detail) == (Verdict.HOLDS, "1 shapes")


def test_what_goes_wrong_where_it_is_compiled_shows_there_alone(tmp_path: Path) -> None:
    spec = TargetSpec(f"{__file__}:WrongWhereCompiled", "sgd")
    assert check(spec, "lemma-2.1")["lemma-2.1"].verdict is Verdict.HOLDS
    compiled = TargetSpec(f"{__file__}:WrongWhereCompiled", "sgd", compiled=True)
    found = check(compiled, "lemma-2.1")["lemma-2.1"]
    assert found.verdict is Verdict.FAILS
    script = tmp_path / "script.py"
    script.write_text(found.reproducer)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "NOT within rounding of the exact step")


def test_no_trial_asks_for_a_decay_that_a_target_has_not() -> None:
    (subject,) = [one for one in SHIPPED if one.algorithm == "sgdp"]
    assert not subject.lacks
    assert load(TargetSpec("torch.optim:SGD")).subject.lacks == {"wd_ratio"}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"device": "nowhere"}, "--device is 'nowhere'; torch cannot use it"),
        ({"dtypes": ("float8",)}, "--dtype is 'float8'; it must be one of float64"),
        ({"path": "fast"}, "--path is 'fast'; it must be one of loop, foreach, fused, capturable"),
        ({"shapes": ((3, 0),)}, "--shapes has 3x0; every side must be at least 1"),
        ({"model": "torch.nn:Linear"}, r"--model torch.nn:Linear\(\) raised TypeError"),
        ({"model": "torch.nn:Linea"}, "--model: torch.nn has no Linea"),
        ({"model": "builtins:dict"}, r"--model builtins:dict\(\) is dict; it must be a torch.nn.Module"),
    ],
)
def test_what_cannot_be_is_refused(asked: dict[str, Any], says: str) -> None:
    with pytest.raises(TargetError, match=says):
        load(TargetSpec(OWN, **asked))


def test_a_script_runs_where_the_check_did() -> None:
    imports, _ = load(TargetSpec(OWN, device="cpu")).expression
    assert imports.startswith("torch.set_default_device('cpu')\n")
    found = check(TargetSpec(f"{__file__}:LosesTheTail", "sgdp", device="cpu", shapes=((130, 5),)), "own-shapes")
    assert "torch.set_default_device('cpu')" in found["own-shapes"].reproducer
    assert "device='cpu'" in found["own-shapes"].reproducer


def test_a_path_that_a_target_has_not_is_refused() -> None:
    with pytest.raises(TargetError, match="takes no such argument"):
        load(TargetSpec("tangency.proofs_checks.broken.foreign:momentum", "sgd", path="fused"))
    with pytest.raises(TargetError, match="--device is about targets of kind torch"):
        load(TargetSpec("tangency.proofs_checks.broken.foreign:momentum", "sgd", device="cuda"))

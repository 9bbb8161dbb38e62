"""Code paths are subjects of their own: a defect in one of them alone is found, named and reproduced."""

import io
from dataclasses import replace
from typing import Any

import pytest
import torch
from rich.console import Console

from tangency import optim
from tangency.optim import SGDP, AdamP
from tangency.proofs_checks import Rung, Suite, Verdict, verify
from tangency.proofs_checks.report.table import print_report
from tangency.proofs_checks.run.registry import production
from tangency.proofs_checks.run.verify import Report, plan
from tangency.proofs_checks.subjects import PATHS, PRODUCTION, SHIPPED, on_path


def test_every_claim_attacks_every_path() -> None:
    suite = production()
    attacked: dict[str, list[str]] = {}
    for cell, check in plan(suite, None, [Rung.IMPLEMENTATION]).items():
        attacked.setdefault(check.claim, []).append(suite.subjects[cell.subject - 1].name)
    assert set(attacked) == {claim.id for claim in suite.claims}
    names = [
        f"tangency.optim:{name}{path}" for name in ("SGDP", "AdamP") for path in ("", "(foreach=True)", "(fused=True)")
    ]
    assert all(subjects == names for subjects in attacked.values())


@pytest.mark.parametrize("subject", PRODUCTION, ids=lambda subject: subject.name)
def test_a_subject_runs_on_its_path(subject: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    for name in ("_one_by_one", "_in_lists", "_in_kernels"):
        monkeypatch.setattr(getattr(optim, subject.expression), name, lambda *_, name=name: taken.append(name))
    p = torch.nn.Parameter(torch.ones(2))
    p.grad = torch.ones(2)
    subject.make([p], lr=0.1, **subject.options).step()
    path = next(iter(subject.options), None)
    assert taken == [{None: "_one_by_one", "foreach": "_in_lists", "fused": "_in_kernels"}[path]]


def last_channel_lost(step: Any) -> Any:
    """The step, but the last index of dimension 0 stays where it was: an off-by-one in a loop over rows."""

    def broken(self: Any, group: Any, params: Any, *lists: Any) -> None:
        before = [p.detach()[-1:].clone() if p.dim() else None for p in params]
        step(self, group, params, *lists)
        for p, kept in zip(params, before, strict=True):
            if kept is not None:
                p[-1:] = kept

    return broken


def half_threshold(step: Any) -> Any:
    """The step, but with δ/2 in Eq. 11."""

    def broken(self: Any, group: Any, *lists: Any) -> None:
        step(self, {**group, "delta": group["delta"] / 2}, *lists)

    return broken


METHODS = {"foreach": "_in_lists", "fused": "_in_kernels"}
CAUGHT_BY = {last_channel_lost: "eq-12", half_threshold: "eq-11"}


def attacked(path: str, defect: Any, *, shrink: bool = False) -> Report:
    """The claim that must catch a defect, on optimizers that have it on one path alone."""
    subjects = []
    for optimizer, subject in zip((SGDP, AdamP), SHIPPED, strict=True):
        name = METHODS[path]
        broken = type(subject.expression, (optimizer,), {name: defect(getattr(optimizer, name))})
        sound = replace(subject, make=broken)
        subjects += [sound, *(on_path(sound, other) for other in PATHS)]
    suite = Suite((production().claim(CAUGHT_BY[defect]),), tuple(subjects))
    return verify(suite=suite, rungs=["implementation"], seed=5, shrink=shrink)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("defect", CAUGHT_BY, ids=lambda defect: defect.__name__)
def test_a_defect_of_one_path_is_found_there_and_nowhere_else(path: str, defect: Any) -> None:
    for result in attacked(path, defect).results:
        found = Verdict.FAILS if str(result.subject).endswith(f"({path}=True)") else Verdict.HOLDS
        assert result.verdict is found, (result.subject, result.detail)


def test_the_path_that_fails_stands_in_the_table_and_in_the_script() -> None:
    report = attacked("foreach", last_channel_lost, shrink=True)
    stream = io.StringIO()
    print_report(Console(file=stream, width=100), report)
    head, row, _, paths = stream.getvalue().splitlines()[:4]
    assert head.split()[:3] == ["claim", "SGDP", "AdamP"]
    assert row.split()[:5] == ["eq-12", "✗", "foreach", "✗", "foreach"]
    assert paths == "examples of all code paths together: by default, foreach=True, fused=True"
    assert [("foreach=True" in result.reproducer) for result in report.results] == [False, True, False] * 2

"""Reports written by hand for the tests of reports: every verdict and severity, and text that looks like markup."""

import math
from dataclasses import replace

from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.finding import Check, Curve, Departure, Finding, Fit, Judgement, Severity, TargetInfo
from tangency.proofs_checks.report.subject_report import Expectation, SubjectReport

# Markup, table bars, code fences, terminal escapes, what XML forbids, half a surrogate pair, and a turned direction.
NASTY = (
    "<script>alert(1)</script> | `a` ````` ]]> **b** @user #1"
    " \x1b[31mred\x00\x08 \ud800 \u202eabc \ufffe ‖ŵ‖² $x &amp; \U0001f600"
)
CHECKS = (
    Check("eq-04", "w·∇f(w) = 0", Severity.THEOREM, "§2.3, Eq. 4", "why <b>it</b> matters"),
    Check("lemma-2.1", "norms never shrink", Severity.THEOREM, "§2.3, Lemma 2.1", ""),
    Check("algorithm-2", "AdamP, step for step", Severity.ALGORITHM, "§3.1, Algorithm 2", "another algorithm"),
    Check("dialect", "a known dialect explains every step", Severity.ALGORITHM, "Algorithms 1 and 2", "why"),
    Check("closure-once", "a closure runs once", Severity.BEHAVIOUR, "torch.optim", "why"),
    Check("sparse-gradient", "a sparse gradient is refused by name", Severity.BEHAVIOUR, "torch.optim", "why"),
    Check("complex-parameter", "complex parameters move as pairs of reals", Severity.BEHAVIOUR, "torch.optim", "why"),
    Check("nasty", NASTY, Severity.BEHAVIOUR, NASTY, NASTY),
    Check("eq-10", "Π is a projection", Severity.THEOREM, "§3.1, Eq. 10", "why"),
)
FIT = Fit(
    "adam",
    {"direction": "adam", "epsilon": "inside the root", "views": "channel, layer", "rank": "any"},
    explained=True,
    ulps=1.5,
    open={"rank": ("any", "two or more")},
    departures=(
        Departure("rank", "any", "any", "two or more", "vectors are projected too", None, "as the paper says"),
        Departure(
            "epsilon",
            "inside the root",
            "after correction",
            "after correction",
            "√(v/(1 − β₂ᵗ) + ε)",
            Judgement.TRAJECTORY,
            "weights differ by 0.12 of their norm after 100 steps",
        ),
        Departure(
            "views", "layer", "channel, layer", "channel", "only the layer view", Judgement.THEOREM, "eq-11 | no"
        ),
        Departure("decay", "lr", "1", "lr", NASTY, Judgement.HARMLESS, NASTY),
    ),
)
CURVE = Curve(
    "weights that are scale-invariant by channel",
    {"norm": [1.0 + 0.01 * t for t in range(101)], "effective step": [0.1 / (1 + t) for t in range(100)]},
    {"norm": [1.0 + 0.001 * t for t in range(101)], "effective step": [0.1 / (1 + t) ** 0.5 for t in range(100)]},
    [float(t % 7) for t in range(101)],
)
STOPS = Curve(
    NASTY,
    {"norm": [1.0, 1e308, None, None], "effective step": [0.0, None, None]},
    {"norm": [1.0, 1.0, 1.0, 1.0], "effective step": [1e-12, 1e-3, 1.0]},
    [0.0, math.inf, None, None],
)


def fitted(report: SubjectReport, fit: Fit | None, *curves: Curve) -> SubjectReport:
    """The report with the fit and curves of its check of the dialect."""
    findings = [replace(f, fit=fit, curves=curves) if f.check == "dialect" else f for f in report.findings]
    return replace(report, findings=tuple(findings))


def good(target: str = "lib:Good", **changes: object) -> SubjectReport:
    """All holds; one check does not apply."""
    findings = tuple(
        Finding(check.id, Verdict.HOLDS, examples=50, error=0.25, ulps=1.25, seconds=0.5) for check in CHECKS[:-1]
    )
    last = Finding(CHECKS[-1].id, Verdict.DOES_NOT_APPLY, detail="it does not project: adamw")
    info = TargetInfo(
        target, "adamp", "torch", "1.2.3", {"lr": "lr=0.001"}, ("float64", "adam"), {"betas": (0.9, 0.99)}
    )
    report = SubjectReport(info, CHECKS, (*findings, last), seed=7)
    return replace(fitted(report, Fit("adam", {"epsilon": "inside"}, True, 0.5), CURVE), **changes)  # type: ignore[arg-type]


def mixed(target: str = "lib.sub:Mixed") -> SubjectReport:
    """Every verdict, a known failure, stale ones, and hostile text."""
    findings = (
        Finding("eq-04", Verdict.HOLDS, examples=4000, error=0.9996, ulps=0.5),
        Finding("lemma-2.1", Verdict.UNDECIDED, detail="undecided within rounding", examples=1, error=1.0),
        Finding(
            "algorithm-2",
            Verdict.FAILS,
            "w[0], step 0: 1 ≠ 2\nmore",
            "Trial(w=(1.0,))",
            "1",
            "2",
            "print(1)\n",
            12,
            math.inf,
            3e8,
        ),
        Finding("dialect", Verdict.ERROR, detail="Traceback:\n  ZeroDivisionError: division by zero"),
        Finding("closure-once", Verdict.FAILS, detail="it ran twice", expected="1", got="2"),
        Finding("sparse-gradient", Verdict.DOES_NOT_APPLY, detail="no sparse gradients here"),
        Finding("complex-parameter", Verdict.FAILS, detail="they do not", error=math.nan),
        Finding("nasty", Verdict.FAILS, NASTY, NASTY, NASTY, NASTY, f"# {NASTY}\nprint(1)\n"),
        Finding(
            "eq-10",
            Verdict.FAILS,
            detail="Π(w) ≠ 0",
            counterexample="w = (1, 0)",
            reproducer="assert False\n",
            error=2.5,
        ),
    )
    known = (Expectation("complex-parameter", "upstream: https://example.org/issues/1?a=1&b=2 | later", "<2"),)
    stale = ("eq-04 holds, and is known to fail: <i>old</i>",)
    info = TargetInfo(target, "adamp", "torch", "", {}, (), {"eps": math.inf, "name": NASTY, "pair": (1, None)})
    return fitted(SubjectReport(info, CHECKS, findings, known, stale, seed=1, seconds=12.5), FIT, CURVE, STOPS)


def interrupted(target: str = "lib:Cut") -> SubjectReport:
    """The first two checks, then an interrupt."""
    return replace(good(target), findings=good().findings[:2], interrupted=True)


def broken(target: str = "nowhere:Opt") -> SubjectReport:
    """A target that cannot be loaded."""
    return SubjectReport(
        TargetInfo(target, ""), CHECKS, (), problem="no module is called 'nowhere'\nSecond <line> | of it"
    )


def unexplained(target: str = "lib:Strange") -> SubjectReport:
    """One target that no dialect explains, and one that could not step."""
    fit = Fit("sgd", {"buffer": "projected"}, leaves_at="step 2, w[0, 1]")
    finding = Finding("dialect", Verdict.FAILS, detail="no known dialect explains it")
    return fitted(replace(good(target), findings=(*good().findings[:3], finding, *good().findings[4:])), fit)


def nasty_target() -> SubjectReport:
    """A target whose name would be markup everywhere."""
    return fitted(good(f"lib:{NASTY}"), Fit(""))


def all_of_them() -> list[SubjectReport]:
    return [good(), mixed(), interrupted(), broken(), unexplained(), nasty_target(), good()]

"""Reports written by hand, with everything that a report can contain."""

import dataclasses

from tangency.proofs_checks.claim import Verdict
from tangency.proofs_checks.finding import Check, Curve, Departure, Finding, Fit, Judgement, Severity, TargetInfo
from tangency.proofs_checks.report.subject_report import Expectation, SubjectReport

# Markup of rich and of HTML, an escape sequence, a mark that turns the reading direction, half a surrogate pair.
HOSTILE = "<script>alert('x')</script> [bold]&amp; \x1b[31mred\x00 \u202egnp \ud800 größer ≥ 2⁻²⁴ 🎯"


def check(id: str, severity: Severity = Severity.ALGORITHM, title: str = "") -> Check:
    """A check; its title contains its id."""
    why = "Users who resume a run get other weights than those who did not stop."
    return Check(id, title or f"what {id} says holds", severity, f"Eq. ({len(id)})", why)


CHECKS = (
    check("orthogonal-step", Severity.THEOREM),
    check("gd-norm-growth", Severity.THEOREM),
    check("algorithm-step"),
    check("momentum-order"),
    check("state-dict", Severity.BEHAVIOUR),
    check("complex-weights", Severity.BEHAVIOUR),
    check("sparse-gradients", Severity.BEHAVIOUR),
    check("closure", Severity.BEHAVIOUR),
    check("late-gradients", Severity.BEHAVIOUR),
)

FINDINGS = (
    Finding("orthogonal-step", Verdict.HOLDS, examples=1200, error=0.41, ulps=1.5, seconds=0.3),
    Finding(
        "gd-norm-growth",
        Verdict.FAILS,
        "‖w₁‖² − ‖w₀‖² is 1.21 times what Lemma 2.1 says",
        "w = [1.0, 0.0]\ng = [0.0, 3.5]",
        "0.1225",
        "0.1482",
        "import torch\nprint('1 < 2')\n",
        37,
        1.21,
    ),
    Finding("algorithm-step", Verdict.UNDECIDED, "the time limit of 60 s", examples=3),
    Finding("momentum-order", Verdict.ERROR, "Traceback (most recent call last):\n  ZeroDivisionError"),
    Finding("state-dict", Verdict.FAILS, "the buffer is not restored", examples=5),
    Finding("complex-weights", Verdict.DOES_NOT_APPLY, "complex weights are not offered"),
    Finding("sparse-gradients", Verdict.DOES_NOT_APPLY, "sparse gradients are not offered"),
    Finding("closure", Verdict.HOLDS, examples=4),
    Finding("late-gradients", Verdict.HOLDS),
)

FIT = Fit(
    "sgd",
    {"epsilon": "inside", "norm_epsilon": "1e-8", "views": "channel"},
    True,
    2.25,
    {"views": ("channel", "layer")},
    (
        Departure("norm_epsilon", "1e-8", "0", "1e-8", "adds 1e-8 to ‖w‖", Judgement.HARMLESS, "below 1 ulp"),
        Departure("radius", "kept", "free", "free", "divides w by ‖w‖", Judgement.THEOREM, "Lemma 2.1 fails"),
        Departure("nesterov", "late", "late", "early", "m ← βm + g", None, "as the paper says"),
        Departure("epsilon", "inside", "outside", "outside", "√(v + ε)", Judgement.TRAJECTORY, "10 % after 20 steps"),
    ),
)

CURVES = (
    Curve(
        "d = 16, sharp",
        {"norm": [1.0, 1.2, 1.5, 2.5, 9.0, None], "effective step": [0.2, 0.01, 1e-3, 0.0, None]},
        {"norm": [1.0, 1.1, 1.2, 1.3, 1.4, 1.5], "effective step": [0.2, 0.1, 0.05, 0.04, 0.03]},
        [0.0, 0.5, 2.0, 900.0, 1e6, None],
    ),
    Curve("one step", {"norm": [1.0], "effective step": []}, {"norm": [1.0], "effective step": []}, [0.0]),
    Curve("wild", {"norm": [1e308, None, 1e-308]}, {"norm": [1.0, -3.0, 5e-324]}, [None, float("inf"), float("nan")]),
    Curve("nothing finite", {"norm": [None, None]}, {}, []),
)


def fitted(report: SubjectReport, fit: Fit, *curves: Curve) -> SubjectReport:
    """The report with a fit and curves in its first finding."""
    first, *others = report.findings
    return dataclasses.replace(report, findings=(dataclasses.replace(first, fit=fit, curves=curves), *others))


def failing(target: str = "mylib.optim:SGDP") -> SubjectReport:
    """Every verdict, a known failure, a stale one, departures and curves."""
    info = TargetInfo(target, "sgdp", "torch", "1.2.0", {"lr": "lr=0.1"}, ("groups",), {"nesterov": True})
    known = (Expectation("state-dict", "issue 12 of mylib", "<2"),)
    stale = ("closure: it holds",)
    return fitted(SubjectReport(info, CHECKS, FINDINGS, known, stale, seed=7, seconds=12.3), FIT, *CURVES)


def holding(target: str = "tangency.optim:SGDP") -> SubjectReport:
    """Everything holds, and the dialect is that of the paper."""
    findings = tuple(Finding(each.id, Verdict.HOLDS, examples=10, error=0.5, ulps=0.5) for each in CHECKS)
    fit = Fit("sgd", {"epsilon": "outside"}, True, 0.5)
    report = SubjectReport(TargetInfo(target, "sgdp", "torch", "0.1.0"), CHECKS, findings, seed=7)
    return fitted(report, fit, CURVES[0])


def unexplained() -> SubjectReport:
    """No dialect explains the target."""
    fit = Fit("adam", {"epsilon": "inside"}, leaves_at="step 3, element 5: 0.25 instead of 0.5")
    info = TargetInfo("other.package.with.a.long.name:AdamPWithAnEvenLongerName", "adamp", "optax")
    return fitted(SubjectReport(info, CHECKS[:3], FINDINGS[:3]), fit)


def broken() -> SubjectReport:
    """The target cannot be run."""
    problem = "no module named 'nowhere'\n  File \"x.py\", line 1\n<b>bold</b>"
    return SubjectReport(TargetInfo("nowhere:X", "sgdp"), CHECKS, (), problem=problem)


def cut_off() -> SubjectReport:
    """An interrupt after the first two checks."""
    two = tuple(dataclasses.replace(finding, fit=None, curves=()) for finding in holding().findings[:2])
    return dataclasses.replace(holding("cut:Off"), findings=two, interrupted=True)


def inapplicable() -> SubjectReport:
    """Nothing applies."""
    findings = tuple(Finding(each.id, Verdict.DOES_NOT_APPLY, "it takes no steps") for each in CHECKS)
    return SubjectReport(TargetInfo("idle:Idle", "sgdp"), CHECKS, findings)


def hostile() -> SubjectReport:
    """Text with an effect on a terminal or in a browser, in every place."""
    one = check(HOSTILE, Severity.THEOREM, HOSTILE)
    two, three = check("b" + HOSTILE, title=HOSTILE), check("c" + HOSTILE, title=HOSTILE)
    findings = (
        Finding(one.id, Verdict.FAILS, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1, float("inf"), float("nan")),
        Finding(two.id, Verdict.FAILS, HOSTILE),
        Finding(three.id, Verdict.DOES_NOT_APPLY, HOSTILE),
    )
    departure = Departure(HOSTILE, HOSTILE, "0", "1", HOSTILE, Judgement.THEOREM, HOSTILE)
    fit = Fit(HOSTILE, {HOSTILE: HOSTILE}, False, None, {HOSTILE: (HOSTILE, "2")}, (departure,), HOSTILE)
    curve = Curve(HOSTILE, {HOSTILE: [1.0, 2.0]}, {HOSTILE: [1.0, 2.0]}, [0.0, 1.0])
    info = TargetInfo(HOSTILE, HOSTILE, HOSTILE, HOSTILE, {HOSTILE: HOSTILE}, (HOSTILE,), {HOSTILE: HOSTILE})
    known = (Expectation(two.id, HOSTILE),)
    return fitted(SubjectReport(info, (one, two, three), findings, known, (HOSTILE,)), fit, curve)


def every() -> list[SubjectReport]:
    """One of each kind, two of them with one name."""
    return [failing(), holding(), unexplained(), broken(), cut_off(), inapplicable(), hostile(), holding()]

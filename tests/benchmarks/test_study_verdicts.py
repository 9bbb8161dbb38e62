"""Verdicts of studies: each comes out where it should, and nowhere else."""

import math
import random

import pytest
from scipy import stats

from tangency.benchmarks.experiments.statistics import holm, paired
from tangency.benchmarks.experiments.studies import NAMES, study
from tangency.benchmarks.experiments.study import (
    Checked,
    Larger,
    Near,
    Run,
    Study,
    Verdict,
    best,
    findings,
    printed,
)
from tangency.common.calls import WrongCall


def score(result):
    return result["test"]


def larger(**more):
    given = {"id": "a", "says": "ours is better", "paper": "", "first": {"optimizer": "ours"}}
    given |= {"second": {"optimizer": "base"}, "measure": score, "margin": 0.5}
    return Larger(**{**given, **more})


def runs(differences, lr=0.1, noise=10.0):
    """Two optimizers over seeds: ours is better by the differences; what the seeds share is much larger."""
    shared = random.Random(0)
    made = []
    for seed, difference in enumerate(differences):
        base = noise * shared.random()
        for optimizer, value in (("ours", base + difference), ("base", base)):
            config = {"optimizer": optimizer, "lr": lr, "seed": seed}
            made.append(Run(config, {"test": value, "validation": value}))
    return made


def decide(statement, found):
    made = Study("s", "", "", "", lambda preset: [], (statement,))
    (one,) = findings(made, found)
    return one


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        ([1.0, 1.2, 0.9, 1.1, 1.3], Verdict.HOLDS),
        ([-1.0, -1.2, -0.9, -1.1, -1.3], Verdict.OPPOSITE),
        ([0.1, -0.1, 0.05, 0.0, -0.05], Verdict.NO_DIFFERENCE),
        # It is there, and it is smaller than what matters.
        ([0.10, 0.12, 0.09, 0.11, 0.13], Verdict.NO_DIFFERENCE),
        ([5.0, -4.0, 3.0, -5.0, 2.0], Verdict.UNDECIDED),
        ([2.0, 2.0], Verdict.UNDECIDED),
        ([2.0, 2.0, 2.0], Verdict.HOLDS),
        ([], Verdict.NOT_RUN),
    ],
)
def test_a_comparison_comes_out_as_its_differences_say(differences, verdict):
    assert decide(larger(), runs(differences)).verdict is verdict


def test_smaller_can_be_better():
    assert decide(larger(lower=True), runs([1.0, 1.2, 0.9, 1.1])).verdict is Verdict.OPPOSITE
    assert decide(larger(lower=True), runs([-1.0, -1.2, -0.9, -1.1])).verdict is Verdict.HOLDS


def test_each_side_is_taken_at_the_step_size_that_is_best_on_validation_data():
    """And not on the test data, where the other step size is better."""
    found = runs([1.0, 1.1, 1.2], lr=0.1)
    for run in runs([9.0, 9.0, 9.0], lr=0.2):
        found.append(Run(run.config, {"test": run.result["test"], "validation": -1.0}))
    assert {run.config["lr"] for run in best(found, ("lr",))} == {0.1}
    assert decide(larger(), found).evidence.mean == pytest.approx(1.1)


def test_several_statements_are_tested_together():
    """p = 0.047 alone holds; as one of three it does not."""
    differences = [1.0, 3.0, 2.0, 4.5, 0.2]
    assert 0.05 / 3 < paired(differences, 0.1).p < 0.05
    one = larger(margin=0.1)
    assert decide(one, runs(differences)).verdict is Verdict.HOLDS
    other = [larger(id=name, margin=0.1) for name in "bc"]
    three = Study("s", "", "", "", lambda preset: [], (one, *other))
    assert {finding.verdict for finding in findings(three, runs(differences))} == {Verdict.UNDECIDED}


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([19.1, 18.9, 19.05], Verdict.HOLDS),
        ([9.0, 9.1, 9.2], Verdict.OPPOSITE),
        ([15.0, 25.0, 19.0], Verdict.UNDECIDED),
        ([19.0], Verdict.UNDECIDED),
        ([], Verdict.NOT_RUN),
    ],
)
def test_a_prediction_is_met_within_its_margin(values, verdict):
    statement = Near("a", "", "", {}, lambda result: result["ratio"] - 19, 1.0, lambda results: str(len(results)))
    found = [Run({"seed": seed}, {"ratio": value}) for seed, value in enumerate(values)]
    assert decide(statement, found).verdict is verdict


@pytest.mark.parametrize(
    ("value", "verdict"), [(2.934, Verdict.HOLDS), (2.9251, Verdict.HOLDS), (2.936, Verdict.OPPOSITE)]
)
def test_a_printed_number_is_met_to_its_digits(value, verdict):
    statement = printed("a", "", "2.93", {}, lambda result: result["norm"])
    assert isinstance(statement, Checked)
    assert decide(statement, [Run({}, {"norm": value})]).verdict is verdict
    assert decide(statement, []).verdict is Verdict.NOT_RUN


@pytest.mark.parametrize("seed", range(5))
def test_the_interval_and_both_tests_are_scipys(seed):
    drawn = random.Random(seed)
    differences = [drawn.gauss(0.3, 1.0) for _ in range(4 + seed)]
    ours, theirs = paired(differences, 0.8), stats.ttest_1samp(differences, 0.0)
    interval = theirs.confidence_interval(0.95)
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-9)
    assert (ours.low, ours.high) == pytest.approx((interval.low, interval.high), rel=1e-9)
    upper = stats.ttest_1samp(differences, 0.8, alternative="less").pvalue
    lower = stats.ttest_1samp(differences, -0.8, alternative="greater").pvalue
    assert ours.p_within == pytest.approx(max(upper, lower), rel=1e-9)


def test_a_true_null_is_rejected_as_often_as_the_level_says():
    """The whole family holds by chance in at most 5 %: of 400 families, in at most 33 (a tail of 1e-3)."""
    drawn, rejected = random.Random(1), 0
    for _ in range(400):
        p = [paired([drawn.gauss(0, 1) for _ in range(10)], 1.0).p for _ in range(4)]
        rejected += min(holm(p)) <= 0.05
    assert rejected <= stats.binom.isf(1e-3, 400, 0.05)


def test_holm_keeps_the_order_and_never_lowers():
    p = [0.2, 0.01, 0.04, 0.04, 1.0]
    adjusted = holm(p)
    assert all(after >= before for before, after in zip(p, adjusted, strict=True))
    assert adjusted == [min(1.0, value) for value in (0.4, 0.05, 0.16, 0.16, 1.0)]
    assert holm([]) == []


def test_nothing_compared_has_an_interval_without_ends():
    assert paired([1.0], 0.5).high == math.inf


@pytest.mark.parametrize("name", NAMES)
def test_every_study_states_what_it_decides(name):
    found = study(name)
    assert found.id == name
    ids = [statement.id for statement in found.statements]
    assert len(set(ids)) == len(ids) > 0
    assert all(statement.says for statement in found.statements)
    assert all(statement.margin > 0 for statement in found.statements if isinstance(statement, Larger | Near))
    assert {finding.verdict for finding in findings(found, [])} == {Verdict.NOT_RUN}


def test_a_study_that_is_not_there_is_told():
    with pytest.raises(WrongCall, match="no study is called 'table-2'; did you mean"):
        study("table-2")

"""The gate names what got worse, counts are exact, and the stored counts hold."""

from pathlib import Path

import pytest

from tangency.benchmarks import gate as gates
from tangency.benchmarks import steps
from tangency.benchmarks.contenders import Contender, contenders
from tangency.benchmarks.counting import Counts
from tangency.benchmarks.gate import WrongGate, differences, hold, load
from tangency.benchmarks.optimizers import OPTIMIZERS
from tangency.benchmarks.steps import Competitors, competitors_of, counted
from tangency.benchmarks.sweeps import SHAPES
from tangency.optim import SGDP

STORED = Path(__file__).parents[2] / "benchmarks" / "gate.toml"
CASE = 'what = "small"\noptimizer = "SGDP"\nmode = "channel"\ncontender = "tangency loop"\n'


def of(what: str) -> str:
    """The case about something else than a model."""
    return CASE.replace('"small"', what)


def written(folder: Path, text: str) -> Path:
    path = folder / "gate.toml"
    path.write_text(text, encoding="utf-8")
    return path


def silent(label: str, done: int, total: int) -> None:
    """Nobody watches."""


def test_a_gate_is_read(tmp_path: Path) -> None:
    shape = CASE.replace('"small"', "[4, 3]")
    text = f"[[ratio]]\n{CASE}at_most = 2\n[[ratio]]\n{shape}at_most = 1.5\n[[counts]]\n{CASE}allocations = 0\n"
    found = load(written(tmp_path, text))
    small, shaped = found.ratios
    assert str(small) == "small · SGDP · channel · tangency loop"
    assert (shaped.what, shaped.weights[0].shape) == ("4×3", (4, 3))
    assert list(found.ratios.values()) == [2.0, 1.5]
    assert found.counts == {small: {"allocations": 0}}


def test_an_entry_may_name_several_modes_and_all_shapes(tmp_path: Path) -> None:
    text = CASE.replace('"small"', '"shapes"').replace('"channel"', '["channel", "none"]')
    found = load(written(tmp_path, f"[[ratio]]\n{text}at_most = 2\n"))
    assert len(found.ratios) == 2 * len(SHAPES)
    assert {case.mode for case in found.ratios} == {"channel", "none"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"no \[\[ratio\]\] and no \[\[counts\]\]"),
        ("[[ratio", "is no TOML"),
        ("[[ratios]]\n", "no section is called 'ratios'; did you mean ratio"),
        ("[[ratio]]\nat_most = 1\n", r"\[\[ratio\]\] 1: what and optimizer and mode and contender missing"),
        (f"[[ratio]]\n{CASE}", "needs a number for at_most"),
        (f'[[ratio]]\n{CASE}at_most = "1"', "needs a number for at_most"),
        (f"[[ratio]]\n{CASE}at_last = 1", "no key is called 'at_last'; did you mean at_most"),
        (f"[[counts]]\n{CASE}drinks = 1", "no key is called 'drinks'; there are operations, reads, "),
        (f"[[ratio]]\n{CASE.replace('small', 'smal')}at_most = 1", "no model is called 'smal'; did you mean small"),
        (f"[[ratio]]\n{CASE.replace('SGDP', 'SGD')}at_most = 1", "no optimizer is called 'SGD'; did you mean SGDP"),
        (
            f"[[ratio]]\n{CASE.replace('channel', 'chanel')}at_most = 1",
            "no mode is called 'chanel'; did you mean channel",
        ),
        (
            f"[[ratio]]\n{CASE.replace(' loop', ' lop')}at_most = 1",
            "no contender is called 'tangency lop'; did you mean tang",
        ),
        ('ratio = "small"', "ratio must be an array of tables"),
        (f"[ratio]\n{CASE}at_most = 1", "ratio must be an array of tables"),
        ("counts = [1]", "counts must be an array of tables"),
        (f"ratio = {'[' * 9999}{']' * 9999}", "is no TOML"),
        (f"[[ratio]]\n{CASE}at_most = 0x{'f' * 99}", "an integer of more than 64 bits"),
        (f"[[ratio]]\n{CASE}at_most = true", "needs a number for at_most"),
        (f"[[ratio]]\n{CASE}at_most = nan", "needs a number for at_most"),
        (f"[[ratio]]\n{of('[true, 3]')}at_most = 1", "a shape must be of at most"),
        (f"[[ratio]]\n{of('[]')}at_most = 1", "a shape must be of at most"),
        (f"[[ratio]]\n{of('[1000000000, 1000000000]')}at_most = 1", "a shape must be of at most"),
        ("[[ratio]]\n" + CASE.replace('"SGDP"', '["SGDP"]') + "at_most = 1", "no optimizer is called"),
        ("[[ratio]]\n" + CASE.replace('"channel"', '[["channel"]]') + "at_most = 1", "no mode is called"),
        ("[[ratio]]\n" + of("{a = 1}") + "at_most = 1", "no model is called"),
    ],
)
def test_a_wrong_gate_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(WrongGate, match=message):
        load(written(tmp_path, text))


def test_a_missing_gate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongGate, match="cannot be read: No such file"):
        load(tmp_path / "none.toml")


@pytest.mark.usefixtures("quick")
def test_it_holds_or_names_what_is_worse(tmp_path: Path) -> None:
    text = f"[[ratio]]\n{CASE}at_most = 1e9\n[[counts]]\n{CASE}synchronisations = 0\n"
    results, worse = hold(load(written(tmp_path, text)), budget=0, watch=silent)
    assert worse == []
    assert [row.name for row in results.timings[0].rows] == ["torch SGD fused", "tangency loop"]
    assert [one.name for one in results.counts] == ["tangency loop"]
    text = text.replace("1e9", "0").replace("synchronisations = 0", "synchronisations = 1")
    _, (ratio, count) = hold(load(written(tmp_path, text)), budget=0, watch=silent)
    assert ratio.startswith("small · SGDP · channel · tangency loop: ")
    assert " times torch SGD fused (" in ratio
    assert ratio.endswith(", may be 0")
    assert count == "small · SGDP · channel · tangency loop: synchronisations 0, stored is 1"


@pytest.mark.usefixtures("quick")
def test_a_gate_that_measures_nothing_does_not_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise RuntimeError("no such path")

    wanted = [contenders("SGDP")[0], Contender("tangency loop", lambda: refuse, OPTIMIZERS["SGDP"].options)]  # type: ignore[arg-type, return-value]
    monkeypatch.setattr(steps, "contenders", lambda *a, **k: wanted)
    _, (line,) = hold(load(written(tmp_path, f"[[ratio]]\n{CASE}at_most = 9\n")), budget=0, watch=silent)
    assert line == "small · SGDP · channel · tangency loop: not measured: no such path"


@pytest.mark.usefixtures("quick")
def test_a_busy_machine_measures_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps.Neighbours, "share", lambda self: 0.5)
    _, (line,) = hold(load(written(tmp_path, f"[[ratio]]\n{CASE}at_most = 1e9\n")), budget=0, watch=silent)
    assert line.endswith("tangency loop: not measured: others used 50% of the machine meanwhile")


def test_fewer_is_a_change_too() -> None:
    counts = Counts(1, 2, 3, 4, 5, 6)
    assert differences({"operations": 1, "peak": 5}, counts) == []
    assert differences({"reads": 1_000, "peak": 4}, counts) == ["reads 2, stored is 1,000", "peak 5, stored is 4"]


@pytest.mark.parametrize("optimizer", ["SGDP", "AdamP"])
def test_the_stored_counts_hold(optimizer: str) -> None:
    """On every path that there is here: what it dispatches, makes and waits for is no matter of time."""
    stored = {case: exact for case, exact in load(STORED).counts.items() if case.optimizer == optimizer}
    ready = {one.name: one for one in competitors_of(optimizer, only={case.contender for case in stored}).ready}
    assert "tangency loop" in ready
    for case, exact in stored.items():
        if case.contender in ready:
            (one,) = counted(case.what, case.weights, case.mode, Competitors(optimizer, (ready[case.contender],), ()))
            assert differences(exact, one.counts) == [], case


def test_a_path_that_does_more_is_caught() -> None:
    class Waiting(SGDP):
        def step(self, closure: object = None) -> None:  # type: ignore[override]
            super().step()
            self.param_groups[0]["params"][0].sum().item()

    (case,) = (c for c in load(STORED).counts if str(c) == "small · SGDP · channel · tangency loop")
    slow = Contender("slow", lambda: Waiting, OPTIMIZERS["SGDP"].options, switches={"foreach": False})
    (one,) = counted(case.what, case.weights, case.mode, Competitors("SGDP", (slow,), ()))
    assert "synchronisations 1, stored is 0" in differences(load(STORED).counts[case], one.counts)
    assert gates.COUNTED == ("operations", "reads", "writes", "allocations", "peak", "synchronisations")

"""The command line: exit codes 0 to 5, one-line complaints, JSON, scripts, interrupts."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import small_claims as small

from tangency.cli import main as cli
from tangency.proofs_checks.options import PROFILES
from tangency.proofs_checks.run import registry

HELPERS = Path(__file__).parents[1] / "helpers"
Call = Callable[..., tuple[int, str, str]]

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "grow_only_projection.py"


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """``call(suite, *args)``: the exit code, standard output and standard error of ``tangency`` on a suite."""

    def run(suite: Any, *args: str) -> tuple[int, str, str]:
        monkeypatch.setattr(registry, "production", suite)
        monkeypatch.setitem(PROFILES, "quick", small.TINY)
        here = ["--profile=quick", "--jobs=1", "--time-limit=0", "--no-database"]  # in this process: no worker is made
        code = cli.run([*args, *here] if args[0] == "verify" else [*args])
        return (code, *capfd.readouterr())

    return run


@pytest.mark.parametrize(
    ("suite", "args", "code"),
    [
        (small.good, [], 0),
        (small.good, ["true", "--rung", "exact", "--rung", "algebra"], 0),
        (small.bad, ["false"], 1),
        (small.everything, ["undecided"], 1),
        (small.everything, ["broken"], 3),
        (small.everything, ["empty"], 5),
        (small.good, ["true", "--rung", "necessity"], 0),
    ],
)
def test_exit_codes(call: Call, suite: Any, args: list[str], code: int) -> None:
    found, output, errors = call(suite, "verify", *args)
    assert found == code
    assert output.count("claim ") >= 1
    assert errors.startswith("seed ")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["verify", "tru"], "no claim is called 'tru'; did you mean true?"),
        (["claim", "fals"], "no claim is called 'fals'; did you mean false?"),
        (["verify", "--profile", "slow"], "slow"),
        (["verify", "--rung", "prof"], "prof"),
        (["verify", "--jobs", "0"], "--jobs"),
        (["verify", "--jobs", "many"], "--jobs"),
        (["verify", "--seed", "-1"], "--seed"),
        (["verify", "--time-limit", "-1"], "--time-limit"),
        (["verify", "--frobnicate"], "--frobnicate"),
        (["verify", "--mutants", "--rung", "algebra"], "--mutants"),
        (["verify", "--json", "/nowhere/at/all.json"], "--json: /nowhere/at/all.json cannot be written"),
        (["verify", "--reproducers", "/dev/null/scripts"], "--reproducers: /dev/null/scripts cannot be written"),
        (["frobnicate"], "frobnicate"),
        (["claim"], "ID"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_4(
    args: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(registry, "production", small.bad)
    assert cli.run([*args, "--jobs=1"] if args == ["verify", "tru"] else args) == 4
    output, errors = capfd.readouterr()
    assert output == ""
    complaint = [line for line in errors.splitlines() if not line.startswith("seed ")]
    assert len(complaint) == 1, complaint
    assert complaint[0].startswith("tangency: ")
    assert message in complaint[0]


def test_no_command_prints_help(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run([]) == 4
    assert "Usage: tangency" in capfd.readouterr().err


def test_version(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert capfd.readouterr().out.startswith("tangency 0.")


def test_our_own_error_shows_where_it_happened(call: Call) -> None:
    def broken() -> Any:
        raise ZeroDivisionError("a bug of ours")

    code, _, errors = call(broken, "verify")
    assert code == 3
    assert "Traceback" in errors
    assert "a bug of ours" in errors


def test_a_failure_is_printed_with_its_counterexample_and_script(call: Call, tmp_path: Path) -> None:
    code, output, errors = call(small.bad, "verify", "false", "--reproducers", str(tmp_path / "new" / "scripts"))
    assert code == 1
    assert "✗ false · exact fails" in output
    assert "counterexample:\n17\n" in output
    assert "stand-alone script:" in output
    (script,) = (tmp_path / "new" / "scripts").iterdir()
    assert script.name == "false--tangency.optim.SGDP.py"
    assert f"wrote {script}" in errors
    compile(script.read_text(), script.name, "exec")


def test_json_holds_every_result_and_what_repeats_it(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    code, table, _ = call(small.bad, "verify", "--seed", "7", "--json", str(path))
    report = json.loads(path.read_text())
    assert code == report["exit_code"] == 1
    assert (report["schema"], report["command"], report["options"]["seed"]) == (3, "tangency verify", 7)
    assert report["options"]["profile"]["name"] == "tiny"
    assert {"tangency", "python", "torch", "numpy", "python-flint", "sympy", "hypothesis"} <= set(report["versions"])
    subjects = [one["info"]["target"] for one in report["reports"]]
    assert subjects == ["the statements", "tangency.optim:SGDP", "tangency.optim:AdamP"]
    results = [finding for one in report["reports"] for finding in one["findings"]]
    assert len(results) == 14
    assert {r["claim"] for r in results} == {"true", "false"}
    fails = {(r["claim"], r["rung"]) for r in results if r["verdict"] == "fails"}
    assert fails == {("false", rung) for rung in ("algebra", "exact", "ball", "implementation", "necessity")}
    attacked = next(r for r in results if r["verdict"] == "fails" and r["rung"] == "implementation")
    assert attacked["error"] == "inf"
    assert attacked["counterexample"] in table


def test_json_on_standard_output_leaves_it_to_json(call: Call) -> None:
    noisy = small.only(small.TRUE, small.NOISY)
    code, output, errors = call(lambda: noisy, "verify", "--seed", "7", "--json", "-")
    assert code == 0
    assert json.loads(output)["options"]["seed"] == 7
    assert "2 claims: 2 hold; tiny, seed 7" in errors


def test_verify_writes_every_report_and_knows_failures_and_baselines(call: Call, tmp_path: Path) -> None:
    path = {name: str(tmp_path / f"report.{name}") for name in ("json", "xml", "md", "html", "toml")}
    files = ["--json", path["json"], "--junit", path["xml"], "--markdown", path["md"], "--html", path["html"]]
    assert call(small.bad, "verify", "false", "--seed", "7", *files)[0] == 1
    assert ElementTree.parse(path["xml"]).getroot().get("failures") == "5"
    assert all("false/exact" in Path(path[name]).read_text() for name in ("md", "html"))
    code, output, _ = call(small.bad, "verify", "--seed", "7", "--baseline", path["json"])
    assert code == 0, output  # what failed before is not new
    rungs = [f"false/{rung}" for rung in ("algebra", "exact", "ball", "necessity")]
    known = f'[[known]]\ncheck = {rungs}\nreason = "so it is called"\n[[known]]\ncheck = "false"\nreason = "as above"\n'
    Path(path["toml"]).write_text(known, encoding="utf-8")
    code, output, _ = call(small.bad, "verify", "false", "--known-failures", path["toml"])
    assert code == 1, output  # AdamP has no buffer that the claim is about
    assert "stale known failure: false does not apply" in output
    Path(path["toml"]).write_text(f'{known}target = "*:SGDP"\n', encoding="utf-8")
    code, output, _ = call(small.bad, "verify", "false", "--known-failures", path["toml"])
    assert code == 0, output
    assert "1 claim: 1 known to fail" in output
    assert call(small.good, "verify", "--known-failures", path["toml"])[0] == 4  # there is no claim called false


def test_an_existing_json_file_survives_a_wrong_call(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("precious")
    assert call(small.good, "verify", "nothing", "--json", str(path))[0] == 4
    assert path.read_text() == "precious"
    assert call(small.good, "verify", "nothing", "--json", str(tmp_path / "new.json"))[0] == 4
    assert not (tmp_path / "new.json").exists()


def test_claims_lists_every_claim(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["claims"]) == 0
    output = capfd.readouterr().out
    assert all(claim.id in output for claim in registry.discover())
    assert max(map(len, output.splitlines())) <= 100


def test_claim_explains_and_fails_with_its_proof(call: Call) -> None:
    code, output, _ = call(small.everything, "claim", "true")
    assert code == 0
    assert "✓ the normal form of the difference of both sides is 0" in output
    code, output, _ = call(small.everything, "claim", "false")
    assert code == 1
    assert "✗ the binomial: expected residual 0, got residual -x*y" in output


def test_latex_is_refused_for_a_wrong_proof(call: Call) -> None:
    code, output, errors = call(small.everything, "claim", "false", "--latex")
    assert code == 1
    assert output == ""
    assert "the binomial" in errors


def python(*code: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "\n".join((f"import sys; sys.path.insert(0, {str(HELPERS)!r})", *code))],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_help_and_import_are_cheap() -> None:
    process = python(
        "from tangency.proofs_checks import Claim",
        "from tangency.cli.main import run",
        "assert run(['claims', '--help']) == run(['verify', '--help']) == 0",
        "loaded = {'torch', 'sympy', 'hypothesis', 'numpy', 'pytest'} & set(sys.modules)",
        "assert not loaded, loaded",
    )
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors


def test_claims_are_read_without_torch() -> None:
    process = python(
        "from tangency.cli.main import run",
        "assert run(['claims']) == run(['claim', 'eq-01']) == run(['claim', 'lemma-2.2', '--latex']) == 0",
        "loaded = {'torch', 'numba', 'tangency.optim'} & set(sys.modules)",
        "assert not loaded, loaded",
    )
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "runs on tangency.optim:SGDP; runs on tangency.optim:SGDP(foreach=True)" in " ".join(output.split())


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_prints_what_was_found_and_exits_with_2(jobs: int, tmp_path: Path) -> None:
    marker = tmp_path / "started"
    process = python(
        # Whoever runs these tests in the background of a shell script ignores it, and so would the child.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)",
        "import small_claims",
        "from tangency.cli import main as cli\nfrom tangency.proofs_checks.run import registry",
        "registry.production = small_claims.slow",
        f"sys.exit(cli.run(['verify', '--rung=algebra', '--jobs={jobs}', '--no-database']))",
        SMALL_CLAIMS_MARKER=str(marker),
    )
    for _ in range(1200):
        if marker.exists() or process.poll() is not None:
            break
        time.sleep(0.1)
    time.sleep(1)  # with two jobs, the other claim is still on its way
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 2, errors
    assert "interrupted; " in output
    assert "Traceback" not in errors
    if jobs == 1:
        assert "quick  ✓ 2" in output


def test_a_reader_that_leaves_early_is_no_error() -> None:
    process = python(
        "import small_claims",
        "from tangency.cli import main as cli\nfrom tangency.proofs_checks.run import registry",
        "registry.production = small_claims.bad",
        "sys.exit(cli.run(['claim', 'true']))",
    )
    assert process.stdout is not None
    process.stdout.close()
    process.wait(timeout=60)
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()


def test_the_proofs_of_a_claim_are_printed_for_coq(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.run(["claim", "lemma-2.1", "--coq"]) == 0
    printed = capfd.readouterr().out
    assert "Theorem claimed_lemma_2_1 : forall (E : space)" in printed
    assert "Theorem lemma_2_1 : forall (E : space)" in printed
    assert cli.run(["claim", "lemma-2.1", "--coq", "--latex"]) == 4
    shutil.copy(EXAMPLE, tmp_path)  # without the .v beside it
    assert cli.run(["claim", f"{tmp_path / EXAMPLE.name}::grow-only-is-sgdp", "--coq"]) == 1
    assert "grow_only_projection.v cannot be read" in capfd.readouterr().err

"""Claims in files of users: what such a file may hold, what is wrong with others, and that workers read it too."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import small_claims as small

from tangency.cli import main as cli
from tangency.proofs_checks import Verdict, verify
from tangency.proofs_checks.claim import UnknownClaim
from tangency.proofs_checks.run.claim_files import BadFile, FileSource, load
from tangency.proofs_checks.run.registry import from_arguments, production
from tangency.proofs_checks.subjects import PRODUCTION

HEAD = f"import sys\nsys.path.insert(0, {str(Path(__file__).parents[2] / 'helpers')!r})\nimport small_claims as small\n"
ONE = HEAD + "print('noise')\nMINE = small.claim('mine', algebra=small.proof, exact=small.TRUE.exact)\n"
TWO = ONE + "CLAIMS = [MINE, small.claim('other', algebra=lambda: small.proof(3))]\nAGAIN = MINE\n"
SUBJECT = (
    "from dataclasses import replace\nfrom tangency.proofs_checks.subjects import PRODUCTION\n"
    "SUBJECTS = [replace(PRODUCTION[0], name='own')]\n"
)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder to work in; what a file puts on the path is taken off again."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])


def write(text: str, name: str = "my_claims.py") -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


def ids(*arguments: str) -> list[str]:
    return [claim.id for claim in FileSource(arguments)().claims]


def test_every_variable_that_is_a_claim_and_every_one_of_claims_is_taken_once(
    capfd: pytest.CaptureFixture[str],
) -> None:
    file = load(write(TWO + "from tangency.proofs_checks.claims.eq_12_projected_norm_growth import CLAIM\n"))
    assert [claim.id for claim in file.claims] == ["mine", "other"]
    assert (file.subjects, file.figure) == ((), None)
    assert capfd.readouterr().out == ""


def test_files_claims_of_files_and_built_in_claims_may_be_mixed() -> None:
    path = write(TWO)
    assert ids(path) == ids(path, f"{path}::mine") == ["mine", "other"]
    assert ids(f"{path}::other") == ["other"]
    assert ids(path, "lemma-2.2", "eq-12") == ["lemma-2.2", "eq-12", "mine", "other"]
    assert ids(f"./{path}::mine", write(HEAD + "X = small.claim('x')", "more.py")) == ["mine", "x"]


def test_the_subjects_of_files_stand_in_for_those_shipped_here() -> None:
    assert FileSource((write(ONE),))().subjects == PRODUCTION
    assert [subject.name for subject in FileSource((write(ONE + SUBJECT, "own.py"), "eq-12"))().subjects] == ["own"]


def test_a_file_that_changes_is_read_again() -> None:
    path = write(ONE)
    assert ids(path) == ["mine"]
    write(TWO)
    os.utime(path, (1, 1))
    assert ids(path) == ["mine", "other"]


def test_without_a_file_nothing_changes() -> None:
    assert from_arguments([]) == (production, None)
    assert from_arguments(["lemma-2.2"]) == (production, ("lemma-2.2",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\ny = x / 0\n", "raises when it is run: ZeroDivisionError: division by zero (line 2: y = x / 0)"),
        ("x = = 1\n", "raises when it is run: SyntaxError: invalid syntax (line 1: x = = 1)"),
        ("import nowhere_at_all\n", "No module named 'nowhere_at_all' (line 1: import nowhere_at_all)"),
        ("raise SystemExit(7)\n", "raises when it is run: SystemExit: 7 (line 1: raise SystemExit(7))"),
        ("x = 1\n", "holds no claim: no variable of it is a Claim, and it has no CLAIMS"),
        (ONE + "CLAIMS = 3\n", "CLAIMS is 3; it must be a sequence of Claims"),
        (ONE + "SUBJECTS = ['SGDP']\n", "SUBJECTS is ['SGDP']; it must be a sequence of Subjects"),
        (ONE + "FIGURE = 3\n", "FIGURE is 3; it must be a function that makes a matplotlib figure"),
        (ONE + "M = small.claim('mine')\n", "'the claim mine' has the id 'mine', and so has 'the claim mine' of my_"),
        (ONE + "M = small.claim('eq-12')\n", "'the claim eq-12' has the id 'eq-12', and so has a built-in claim"),
        (ONE + SUBJECT + "SUBJECTS = SUBJECTS * 2\n", "two subjects are called 'own'; each name must be unique"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(text: str, message: str) -> None:
    with pytest.raises(BadFile) as caught:
        FileSource((write(text),))()
    assert message in str(caught.value)


def test_a_path_that_is_no_file_is_said() -> None:
    with pytest.raises(BadFile, match=r"^nothing\.py cannot be read: No such file"):
        load("nothing.py")
    Path("folder.py").mkdir()
    with pytest.raises(BadFile, match=r"^folder\.py is no file"):
        load("folder.py")
    with pytest.raises(BadFile, match=r"is no Python file: its name does not end in \.py"):
        load(write(ONE, "claims.txt"))


def test_unknown_ids_are_said_with_those_that_there_are() -> None:
    with pytest.raises(UnknownClaim, match=r"no claim is called 'min'; did you mean mine\?"):
        FileSource((write(TWO) + "::min",))()
    with pytest.raises(UnknownClaim, match=r"no claim is called 'lemma-2\.3'"):
        FileSource((write(TWO), "lemma-2.3"))()


def test_workers_read_the_file_too() -> None:
    report = verify(suite=FileSource((write(TWO),)), profile=small.TINY, seed=5, rungs=["algebra", "exact"], jobs=2)
    verdicts = {(result.claim, result.rung.value): result.verdict for result in report.results}
    assert verdicts == {
        ("mine", "algebra"): Verdict.HOLDS,
        ("mine", "exact"): Verdict.HOLDS,
        ("other", "algebra"): Verdict.FAILS,
        ("other", "exact"): Verdict.DOES_NOT_APPLY,
    }


# The command line.


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["verify", "nothing.py"], "nothing.py cannot be read: No such file or directory"),
        (["verify", "bad.py"], "bad.py raises when it is run: ZeroDivisionError: division by zero (line 1: 1 / 0)"),
        (["claims", "bad.py"], "bad.py raises when it is run"),
        (["claim", "two.py"], "two.py holds several claims; name one, as in two.py::mine: there are mine, other"),
        (["claim", "two.py::othe"], "no claim is called 'othe'; did you mean other?"),
        (["verify", "two.py", "--mutants"], "--mutants"),
        (["verify", "two.py", "--figure", "x.svg"], "makes: two.py has no FIGURE"),
        (["verify", "eq-12", "--figure", "x.svg"], "only a claim file has one, and none is named"),
        (["verify", "two.py", "--figure", "x.jpg"], "x.jpg must end in .svg, .png or .pdf"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_4(
    args: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    write("1 / 0\n", "bad.py")
    write(TWO, "two.py")
    assert cli.run(args) == 4
    output, errors = capfd.readouterr()
    (complaint,) = [line for line in errors.splitlines() if line.startswith("tangency: ")]
    assert message in complaint
    assert "Traceback" not in errors
    assert output == ""


def test_verify_claim_and_claims_take_files(capfd: pytest.CaptureFixture[str]) -> None:
    path = write(TWO)
    assert cli.run(["verify", f"{path}::mine", "eq-12", "--rung=algebra", "--jobs=1", "--time-limit=0"]) == 0
    output = capfd.readouterr().out
    assert "mine   ✓ 2" in output
    assert "eq-12  ✓ 6" in output
    assert cli.run(["claim", f"{path}::mine"]) == 0
    assert capfd.readouterr().out.startswith("mine: the claim mine (§0)")
    assert cli.run(["claim", f"{path}::mine", "--latex"]) == 0
    assert r"\paragraph{the claim mine" in capfd.readouterr().out
    assert cli.run(["claim", f"{path}::other", "--latex"]) == 1
    assert "the proof of other is wrong" in capfd.readouterr().err
    assert cli.run(["claims", path]) == 0
    listed = capfd.readouterr().out
    assert "mine" in listed
    assert "other" in listed
    assert "eq-12" not in listed


def test_a_figure_is_drawn_by_its_suffix(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    path = write(ONE + "from matplotlib.figure import Figure as FIGURE\n")  # an empty one
    for name, start in (("a.svg", b"<?xml"), ("a.png", b"\x89PNG"), ("a.pdf", b"%PDF")):
        args = ["verify", path, "--rung=algebra", "--jobs=1", "--time-limit=0", "--figure", name]
        assert cli.run(args) == 0
        assert f"wrote {name}" in capfd.readouterr().err
        assert Path(name).read_bytes().startswith(start)


@pytest.mark.parametrize(
    ("body", "message"), [("1 / 0", "raises ZeroDivisionError: division by zero"), ("return 3", "gives 3, which is no")]
)
def test_a_figure_that_cannot_be_made_is_said(body: str, message: str, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    path = write(f"{ONE}def FIGURE():\n    {body}\n")
    assert cli.run(["verify", path, "--figure", "a.svg"]) == 4
    assert f"--figure: FIGURE of my_claims.py {message}" in " ".join(capfd.readouterr().err.split())


def test_matplotlib_is_not_imported_without_a_figure() -> None:
    code = (
        "import sys\nfrom tangency.cli import main as cli\n"
        f"code = cli.run(['verify', {write(ONE)!r}, '--rung=algebra', '--jobs=1', '--time-limit=0'])\n"
        "assert 'matplotlib' not in sys.modules\nsys.exit(code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "noise" not in done.stdout

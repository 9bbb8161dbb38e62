"""The checks among a library's own tests: ids, outcomes, known failures, xdist, profiles of Hypothesis."""

import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

SLIPS = '''
import torch


class Writes(torch.optim.SGD):
    """Doubles the gradient in place."""

    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad.mul_(2)
        return super().step(closure)
'''
KNOWN = """
[[known]]
check = "gradient-untouched"
reason = "it does, on purpose"
"""
TEST = """
from slips import Writes
from tangency.proofs_checks import parametrize_with_claims


@parametrize_with_claims([Writes], only=["gradient-untouched", "pickle", "maximize"], algorithm="sgd"{more})
def test_claims(check):
    check()
"""
ASKED = (
    "--tangency",
    "slips.py:Writes",
    "--tangency-algorithm",
    "sgd",
    "-k",
    "gradient-untouched or pickle or foreach",
)


def written(folder: Path) -> Path:
    (folder / "slips.py").write_text(SLIPS, encoding="utf-8")
    (folder / "known.toml").write_text(KNOWN, encoding="utf-8")
    (folder / "stale.toml").write_text(KNOWN.replace("gradient-untouched", "pickle"), encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written(tmp_path)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """The output of a run in one process, which several tests compare theirs with: it is made once."""
    return cache(lambda *arguments: pytest_(written(tmp_path_factory.mktemp("alone")), *arguments)[1])


def pytest_(folder: Path, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", "-c", "/dev/null", "--rootdir=."]
    done = subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def outcomes(output: str) -> dict[str, str]:
    """Of each check, how its test ended."""
    found = re.findall(r"^(PASSED|FAILED|XFAIL|SKIPPED)(?: \[\d+\])? (.*)$", output, flags=re.MULTILINE)
    return {re.sub(r".*Writes(?:-|::)|\].*| - .*", "", name): outcome for outcome, name in found}


def test_a_target_is_tested_in_an_empty_folder(folder: Path) -> None:
    code, output = pytest_(folder, *ASKED)
    assert code == 1, output
    found = outcomes(output)
    assert (found["gradient-untouched"], found["pickle"]) == ("FAILED", "PASSED")
    assert "slips.py:Writes · gradient-untouched · fails: behaviour" in output
    assert "# a stand-alone script" in output
    assert "plugin.py" not in output
    assert "does not apply" in pytest_(folder, *ASKED[:4], "-k", "momentum-unprojected or wd-ratio")[1]


def test_a_known_failure_is_an_xfail_and_a_stale_one_fails(folder: Path) -> None:
    code, output = pytest_(folder, *ASKED, "--tangency-known-failures", "known.toml")
    assert code == 0, output
    assert outcomes(output)["gradient-untouched"] == "XFAIL"
    assert "it does, on purpose" in output
    code, output = pytest_(folder, *ASKED, "--tangency-known-failures", "stale.toml")
    assert code == 1
    assert outcomes(output)["pickle"] == "FAILED"
    assert "a known failure is stale: pickle holds" in output
    code, output = pytest_(folder, *ASKED, "--tangency-known-failures", "none.toml")
    assert code == 4
    assert "none.toml cannot be read" in output
    assert "Traceback" not in output


CHOICE = """
[[known]]
choice = "norm_epsilon = added"
reason = "as the published package has it"
"""


def test_what_an_accepted_choice_breaks_is_an_xfail_and_else_the_choice_is_named(folder: Path) -> None:
    (folder / "choice.toml").write_text(CHOICE, encoding="utf-8")
    asked = ("--tangency", "adamp:AdamP", "-k", "large-eps-leaves-no-radial-part")
    code, said = pytest_(folder, *asked)
    assert code == 1
    assert "because of norm_epsilon = added" in said
    code, said = pytest_(folder, *asked, "--tangency-known-failures", "choice.toml")
    assert code == 0, said
    assert "as the published package has it" in said


def test_a_test_is_parametrized_by_checks_and_workers_share_them(folder: Path) -> None:
    (folder / "test_optim.py").write_text(TEST.format(more=', known_failures="known.toml"'), encoding="utf-8")
    code, alone = pytest_(folder)
    assert code == 0, alone
    assert outcomes(alone)["gradient-untouched"] == "XFAIL"
    assert "test_claims[slips:Writes-pickle]" in alone
    code, shared = pytest_(folder, "-n", "2", "-p", "xdist")
    assert code == 0, shared
    assert outcomes(shared) == outcomes(alone)


def test_the_target_is_shared_among_workers_too(folder: Path) -> None:
    code, output = pytest_(folder, *ASKED, "-n", "2", "-p", "xdist")
    assert code == 1, output
    assert outcomes(output)["gradient-untouched"] == "FAILED"


def test_the_hypothesis_profile_says_how_much_is_tried(folder: Path) -> None:
    profile = 'settings.register_profile("few", max_examples=7, derandomize=True)\nsettings.load_profile("few")\n'
    (folder / "conftest.py").write_text(f"from hypothesis import settings\n{profile}", encoding="utf-8")
    ask = (
        "from tangency.proofs_checks import plugin\n\n\n"
        "def test_options():\n    found = plugin._options()\n    assert (found.profile.foreign, found.seed) == (7, 0)\n"
    )
    (folder / "test_options.py").write_text(ask, encoding="utf-8")
    code, output = pytest_(folder)
    assert code == 0, output


def test_whoever_does_not_ask_imports_nothing_of_torch(folder: Path) -> None:
    (folder / "test_plain.py").write_text('import sys\n\n\ndef test_plain():\n    assert "torch" not in sys.modules\n')
    code, output = pytest_(folder)
    assert code == 0, output


@pytest.mark.parametrize("how", ["loadfile", "loadscope", "loadgroup", "worksteal"])
def test_however_checks_are_shared_each_is_run_once(folder: Path, alone: Callable[..., str], how: str) -> None:
    twice = (*ASKED, "--tangency", "slips.py:Writes", "--tangency", "torch.optim:SGD")
    single = alone(*twice)
    assert "slips.py:Writes::gradient-untouched" in single
    assert "torch.optim:SGD::gradient-untouched" in single
    shared = pytest_(folder, *twice, "-p", "xdist", "-n", "2", "--dist", how)[1]
    counted = re.compile(r"(\d+ (?:failed|passed|skipped))")
    assert sorted(counted.findall(single.splitlines()[-1])) == sorted(counted.findall(shared.splitlines()[-1]))
    assert counted.findall(single.splitlines()[-1])


@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("pytest_randomly", ("-p", "randomly")),
        ("pytest_timeout", ("--timeout", "60")),
        ("pytest_cov", ("--cov=slips", "--cov-report=")),
        ("pytest", ("-W", "error")),
    ],
)
def test_other_plugins_change_no_outcome(
    folder: Path, alone: Callable[..., str], module: str, options: tuple[str, ...]
) -> None:
    pytest.importorskip(module, reason="tried where it is installed")
    single, beside = alone(*ASKED), pytest_(folder, *ASKED, *options)[1]
    assert outcomes(single) == outcomes(beside)
    assert outcomes(single)["pickle"] == "PASSED"


def test_a_target_leaves_nothing_behind_for_the_librarys_own_tests(folder: Path) -> None:
    spoils = SLIPS + "        torch.set_default_dtype(torch.float64)\n"
    (folder / "spoils.py").write_text(spoils.replace("return super().step(closure)", "super().step(closure)"))
    (folder / "test_own.py").write_text(
        "import torch\nfrom tangency.proofs_checks import parametrize_with_claims\n\n\n"
        "@parametrize_with_claims(['spoils:Writes'], only=['pickle', 'eq-04'], algorithm='sgd')\n"
        "def test_claims(check):\n    check()\n\n\n"
        "def test_own():\n    assert torch.get_default_dtype() is torch.float32\n"
    )
    output = pytest_(folder)[1]
    assert "PASSED test_own.py::test_own" in output, output


def test_no_line_of_a_failure_is_a_command_of_a_ci_server(folder: Path) -> None:
    (folder / "loud.py").write_text(
        "import torch\n\n\nclass Loud(torch.optim.SGD):\n    def step(self, closure=None):\n"
        "        raise ValueError('x\\n::error::boo\\n##[group]x')\n"
    )
    output = pytest_(folder, "--tangency", "loud.py:Loud", "--tangency-algorithm", "sgd", "-k", "pickle or step")[1]
    assert "ValueError" in output
    assert not [said for said in output.splitlines() if said.lstrip().startswith("::") or "##[" in said]

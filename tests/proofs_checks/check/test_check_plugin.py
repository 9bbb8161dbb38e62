"""The checks among a library's own tests: ids, outcomes, known failures, xdist, profiles of Hypothesis."""

import re
import subprocess
import sys
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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "slips.py").write_text(SLIPS, encoding="utf-8")
    (tmp_path / "known.toml").write_text(KNOWN, encoding="utf-8")
    (tmp_path / "stale.toml").write_text(KNOWN.replace("gradient-untouched", "pickle"), encoding="utf-8")
    return tmp_path


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
        "from tangency.proofs_checks.check import plugin\n\n\n"
        "def test_effort():\n    effort = plugin._effort()\n    assert (effort.examples, effort.seed) == (7, 0)\n"
    )
    (folder / "test_effort.py").write_text(ask, encoding="utf-8")
    code, output = pytest_(folder)
    assert code == 0, output


def test_whoever_does_not_ask_imports_nothing_of_torch(folder: Path) -> None:
    (folder / "test_plain.py").write_text('import sys\n\n\ndef test_plain():\n    assert "torch" not in sys.modules\n')
    code, output = pytest_(folder)
    assert code == 0, output

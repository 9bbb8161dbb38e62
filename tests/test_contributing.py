"""The claim that CONTRIBUTING.md shows is a real one: taken out of the page, loaded as a file, run on every rung."""

import importlib.util
import re
from pathlib import Path

import pytest

from tangency.proofs_checks import Claim, Rung, Suite, Verdict, verify
from tangency.proofs_checks.broken.zoo import find
from tangency.proofs_checks.subjects import PRODUCTION

PAGE = Path(__file__).parents[1] / "CONTRIBUTING.md"


@pytest.fixture(scope="module")
def claim(tmp_path_factory: pytest.TempPathFactory) -> Claim:
    (block,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    file = tmp_path_factory.mktemp("contributing") / "decay_length.py"
    file.write_text(block, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("decay_length", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    loaded: Claim = module.CLAIM
    return loaded


def test_every_rung_of_the_example_holds(claim: Claim) -> None:
    report = verify(suite=Suite((claim,), PRODUCTION), profile="quick")
    verdicts = {(result.rung, result.subject): result.verdict for result in report.results}
    held = {rung for (rung, _), verdict in verdicts.items() if verdict is Verdict.HOLDS}
    assert held == {Rung.ALGEBRA, Rung.EXACT, Rung.IMPLEMENTATION, Rung.NECESSITY}, report.results
    assert report.exit_code == 0


def test_the_example_kills_a_mutant(claim: Claim) -> None:
    halved = find("HalfStep").subject
    assert halved is not None
    report = verify(suite=Suite((claim,), (halved,)), rungs=["implementation"], profile="quick", shrink=False)
    assert [result.verdict for result in report.results] == [Verdict.FAILS]

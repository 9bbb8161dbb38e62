"""The package: what a wheel holds and adds to an environment, what each part needs, and which way imports point."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tangency.cli.start import NEEDED

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PARTS = ("common", "theory", "optim", "proofs_checks", "probe", "benchmarks", "cli")
# What a folder may import beside itself: arrows run one way, and the two sides of a check are written apart.
MAY_IMPORT = {
    "common": set(),
    "theory": set(),
    "optim": set(),
    "proofs_checks": {"common", "theory", "optim"},
    "benchmarks": {"common", "theory", "optim", "probe"},
    "probe": {"common", "theory"},
    "cli": {"common", "theory", "optim", "proofs_checks", "benchmarks", "probe"},
}
# The rooms of proofs_checks: each imports only those above it.
ROOMS = (
    *("options", "claim", "hyperparameters", "dialects", "algorithms", "subjects", "finding", "statement", "kernel"),
    *("errors", "generate", "measure", "proof", "authoring", "claims"),
    *("target", "broken", "fit", "checks", "report", "run", "kill_matrix", "plugin"),
)


def python(*arguments: str, folder: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run this interpreter in a folder, with another one first on its path if given."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def sources(part: str) -> list[Path]:
    return sorted(path for path in (ROOT / part).rglob("*.py") if "__pycache__" not in path.parts)


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(("tangency", *(parts[:-1] if parts[-1] == "__init__" else parts)))


MODULES = sorted(module_of(path) for part in PARTS for path in sources(part))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the installed wheel and nothing else, far from the repository; built without a network."""
    scratch = tmp_path_factory.mktemp("packaging")
    copy = scratch / "copy"  # the build writes beside its sources, and tests run in parallel
    for name in ("pyproject.toml", "README.md", "LICENSE", *PARTS):
        source = ROOT / name
        for path in [source] if source.is_file() else [*sources(name), source / "py.typed"]:
            target = copy / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    (copy / "tangency").mkdir()
    for part in PARTS:
        (copy / "tangency" / part).symlink_to(f"../{part}")
    offline = ("--no-deps", "--no-index", "--disable-pip-version-check", "--quiet")
    wheels = scratch / "wheels"
    python("-m", "pip", "wheel", *offline, "--no-build-isolation", "-w", str(wheels), str(copy), folder=scratch)
    (wheel,) = wheels.glob("*.whl")
    python("-m", "pip", "install", *offline, "--target", str(scratch / "site"), str(wheel), folder=scratch)
    return scratch / "site"


def test_nothing_but_tangency_is_added(installed: Path) -> None:
    version = PYPROJECT["project"]["version"]
    found = {path.name for path in installed.iterdir()}
    assert found == {"tangency", f"tangency-{version}.dist-info", "bin" if os.name == "posix" else "Scripts"}
    assert [path.stem for path in (installed / ("bin" if os.name == "posix" else "Scripts")).iterdir()] == ["tangency"]
    assert {path.name for path in (installed / "tangency").iterdir()} == set(PARTS)


def test_every_part_is_typed_and_nothing_is_missing(installed: Path) -> None:
    for part in PARTS:
        assert (installed / "tangency" / part / "py.typed").is_file()
        ours = {path.relative_to(ROOT) for path in sources(part)}
        theirs = (installed / "tangency" / part).rglob("*.py")
        assert ours == {path.relative_to(installed / "tangency") for path in theirs}


def test_every_module_of_the_installed_wheel_can_be_imported(installed: Path, tmp_path: Path) -> None:
    code = f"""
import importlib
for name in {MODULES}:
    module = importlib.import_module(name)
    assert module.__file__.startswith({str(installed)!r}), module.__file__
"""
    python("-c", code, folder=tmp_path, path=installed)


def test_the_console_script_answers(installed: Path, tmp_path: Path) -> None:
    (script,) = (installed / ("bin" if os.name == "posix" else "Scripts")).iterdir()
    done = python(str(script), "--version", folder=tmp_path, path=installed)
    assert done.stdout == f"tangency {PYPROJECT['project']['version']}\n"


def test_the_import_name_is_a_folder_of_links() -> None:
    """What resolves imports from a bare checkout, for an editor, a type checker and pytest alike."""
    links = {path.name: path.readlink().as_posix() for path in (ROOT / "tangency").iterdir()}
    assert links == {part: f"../{part}" for part in PARTS}
    assert set(PYPROJECT["tool"]["setuptools"]["package-data"]) == {f"tangency.{part}" for part in PARTS}


def test_the_tests_of_a_bare_checkout_import_the_checkout() -> None:
    code = f"""
import sys
sys.meta_path = [finder for finder in sys.meta_path if "Editable" not in getattr(finder, "__name__", "")]
sys.path.remove("")
import pytest
status = pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider", "tests/theory"])
from tangency import theory
sys.exit(status or theory.__file__ != {str(ROOT / "tangency" / "theory" / "__init__.py")!r})
"""
    python("-c", code, folder=ROOT)


@pytest.mark.parametrize(
    ("part", "blocked"),
    [
        ("optim", {"flint", "sympy", "mpmath", "hypothesis", "rich", "typer", "pytest", "adamp"}),
        ("probe", {"flint", "hypothesis", "typer", "pytest", "adamp"}),
        ("theory", {"torch", "hypothesis", "rich", "typer", "pytest", "adamp"}),
        ("proofs_checks", {"pytest", "adamp"}),
        ("cli.main", {"torch", "sympy", "hypothesis", "pytest", "flint", "msgspec"}),
    ],
)
def test_a_part_imports_without_what_it_does_not_need(part: str, blocked: set[str], tmp_path: Path) -> None:
    """Every module of the part, or the one module named, in a process that refuses some packages.

    torch itself imports sympy where it is there, and does without: refusing means "not installed" to torch as well.
    """
    # The plugin is pytest's alone to load.
    plugin = "tangency.proofs_checks.plugin"
    names = [name for name in MODULES if f"{name}.".startswith(f"tangency.{part}.") and name != plugin]
    code = f"""
import importlib, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked}:
            raise ModuleNotFoundError(f"refused: {{name}}", name=name)
sys.meta_path.insert(0, Refuse())
for name in {names}:
    importlib.import_module(name)
"""
    assert names
    python("-c", code, folder=tmp_path)


def imports(path: Path) -> set[str]:
    """The modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import; imports use the installed name"
            # ``from tangency import optim`` names its module only after the import.
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("part", PARTS)
def test_arrows_run_one_way(part: str) -> None:
    for path in sources(part):
        for name in imports(path):
            top, _, rest = name.partition(".")
            assert top not in {"tests", *PARTS}, f"{path} imports {name}; imports use the installed name"
            allowed = {part, *MAY_IMPORT[part]}
            assert top != "tangency" or rest.split(".")[0] in allowed, f"{path} imports {name}"


def test_the_rooms_of_proofs_checks_stand_on_each_other() -> None:
    """But for what is imported for its type alone."""
    for path in sources("proofs_checks"):
        room = path.relative_to(ROOT / "proofs_checks").parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        typed = "".join(re.findall(r"(?m)^if TYPE_CHECKING:\n(?:    .*\n|\n)+", path.read_text(encoding="utf-8")))
        for name in imports(path):
            if name.startswith("tangency.proofs_checks.") and name.rpartition(".")[0] not in typed:
                assert ROOMS.index(name.split(".")[2]) <= ROOMS.index(room), f"{path} imports {name}"


@pytest.mark.parametrize("blocked", ["torch", "pytest", "hypothesis"])
def test_the_mathematics_names_no_machinery(blocked: str) -> None:
    assert not [path for path in sources("theory") if blocked in {name.split(".")[0] for name in imports(path)}]


def third_party(part: str) -> set[str]:
    """The distributions that a part imports, by their names."""
    own = {"flint": "python-flint", "llvmlite": "numba", "PIL": "pillow", "sklearn": "scikit-learn"}
    loaded = {name.split(".")[0] for path in sources(part) for name in imports(path)}
    return {own.get(name, name) for name in loaded - set(sys.stdlib_module_names) - {"tangency"}}


def test_every_dependency_is_stated_and_every_stated_one_is_used() -> None:
    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[<>=\[ ]", requirement)[0] for requirement in requirements}

    project = PYPROJECT["project"]
    core = names(project["dependencies"])
    assert third_party("optim") - {"triton"} == core  # triton comes with torch for GPUs
    every = set[str]().union(*map(third_party, PARTS))
    # pytest: the benchmark harness and the plugin; jax and optax: who checks an optax target; IPython: notebooks.
    others = {"pytest", "jax", "optax", "triton", "IPython"}
    extras = project["optional-dependencies"]
    assert every - others == core | names(extras["verify"]) | names(extras["experiments"]) - {"tangency"}


def without(packages: set[str], code: str, folder: Path, first: str = "") -> subprocess.CompletedProcess[str]:
    """Run code where some packages are not installed; ``first`` runs where they are."""
    head = f"""
import sys
{first}
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {packages}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Refuse())
"""
    return subprocess.run([sys.executable, "-c", head + code], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("missing", "named"), [(set(NEEDED), "typer"), ({"hypothesis"}, "hypothesis"), ({"flint"}, "flint")]
)
def test_without_the_extra_the_command_says_what_to_install(missing: set[str], named: str, tmp_path: Path) -> None:
    done = without(missing, 'from tangency.cli.start import main; main(["verify", "eq-12", "--jobs=1"])', tmp_path)
    assert done.returncode == 4, done.stderr
    said = [line for line in done.stderr.splitlines() if not line.startswith("seed ")]
    what = "pip install 'tangency[verify]' brings what the commands need"
    assert said == [f"tangency: {named} is not installed: {what}"]


def test_without_the_extra_optimizers_step_and_pytest_starts(tmp_path: Path) -> None:
    code = """
import torch, tangency.proofs_checks.plugin
from tangency.optim import AdamP
p = torch.nn.Parameter(torch.ones(2, 3)); p.grad = torch.ones(2, 3)
AdamP([p]).step()
"""
    # torch needs sympy itself, and looks whether others are there in a way that a refusal disturbs.
    done = without(set(NEEDED), code, tmp_path, first="import torch._dynamo")
    assert done.returncode == 0, done.stderr


def test_pins_lie_within_the_stated_ranges() -> None:
    """Every requirement of the package and of its extras is pinned for CI, at a version that the range allows."""
    packaging = pytest.importorskip("packaging.requirements", reason="packaging comes with pytest")
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    project = PYPROJECT["project"]
    extras = [one for extra in project["optional-dependencies"].values() for one in extra]
    stated = [*project["dependencies"], *(one for one in extras if not one.startswith("tangency["))]
    for requirement in map(packaging.Requirement, (*stated, *PYPROJECT["build-system"]["requires"])):
        assert requirement.specifier.contains(pins[requirement.name]), requirement


def test_no_file_names_a_place_on_some_machine() -> None:
    private = re.compile(
        r"(?<![\w.])/(?:home|root|work|Users|mnt|opt)/|/tmp/|file://|--(?:extra-)?index-url|--find-links"
    )
    suffixes = {".py", ".toml", ".ini", ".txt", ".md", ".cfg", ".yml", ""}
    places = [
        *ROOT.glob("*.*"),
        *(ROOT / ".ci").iterdir(),
        *(p for d in (*PARTS, "docs", "tests") for p in (ROOT / d).rglob("*")),
    ]
    files = [p for p in places if p.is_file() and p.suffix in suffixes and p != Path(__file__)]
    assert len(files) > 50
    for path in files:
        found = private.search(path.read_text(encoding="utf-8"))
        assert not found, f"{path}: {found}"

"""What mkdocs builds the site from, beside the pages that stand in docs/: generated pages, and links out of docs/.

A page links as it stands in the repository: to a file, the README or a folder of code. On the site the first becomes a
copy of the file, the others the page that is made of them.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

import checks
import theorems
from latex2mathml.converter import convert
from markup import page
from mkdocs.structure.files import File, Files

from tangency import optim, probe, proofs_checks
from tangency.proofs_checks.run.registry import discover

ROOT = Path(__file__).parents[2]
# What is a page of the site, by where it stands in the repository.
MADE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "optim": "api/optim.md",
    "proofs_checks/claims": "theorems.md",
    **{f"proofs_checks/claims/{claim.kernel.file}.py": f"theorems/{claim.id}.md" for claim in discover()},
    "proofs_checks/checks": "checks/index.md",
}
OUTSIDE = [source for source in MADE if source.endswith(".md")]
LINK = re.compile(r"(?<=\]\()(?!https?:|#)([^)#\s]+)")
FORMULA = re.compile(r"^\$\$ (.*) \$\$$", re.MULTILINE)
FILES = "files/"


def api() -> dict[str, str]:
    """The pages of the reference."""
    # What a class of the optimizers shares with the other stands in a base that is not public.
    shared = "\n    options:\n      inherited_members: [step, load_state_dict]"
    optimizers = [f"::: tangency.optim.{name}{shared}" for name in optim.__all__]
    checked = [f"::: tangency.proofs_checks.{name}" for name in proofs_checks.__all__]
    probed = [f"::: tangency.probe.{name}" for name in probe.__all__]
    return {
        f"api/{name}.md": page(f"# tangency.{name}", (module.__doc__ or "").split("\n")[0], "\n\n".join(entries))
        for name, module, entries in (
            ("optim", optim, optimizers),
            ("probe", probe, probed),
            ("proofs_checks", proofs_checks, checked),
        )
    }


def on_files(files: Files, config: Any) -> Files:
    """Add what is generated, what stands outside of docs/, and the files that pages link to."""
    outside = {MADE[source]: (ROOT / source).read_text(encoding="utf-8") for source in OUTSIDE}
    made = {**outside, **api(), **dict(theorems.pages()), **dict(checks.pages())}
    for path, text in made.items():
        files.append(File.generated(config, path, content=text))
    for file in list(files.documentation_pages()):
        for target in LINK.findall(file.content_string):
            source = in_repository(file.src_uri, target)
            path = served(source)
            if path.startswith(FILES) and files.get_file_from_path(path) is None:
                files.append(File.generated(config, path, abs_src_path=str(ROOT / source)))
    return files


def in_repository(page: str, target: str) -> str:
    """What a link leads to in the repository.

    Args:
        page: the path of the page that links, on the site.
        target: as the page gives it.
    """
    source = next((source for source, site in MADE.items() if site == page and source in OUTSIDE), f"docs/{page}")
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), target))


def served(source: str) -> str:
    """Where that is on the site; no file of a site begins with a dot."""
    if source in MADE:
        return MADE[source]
    return source.removeprefix("docs/") if source.startswith("docs/") else FILES + source.lstrip(".")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links as they are on the site."""
    here = page.file.src_uri

    def relinked(found: re.Match[str]) -> str:
        return posixpath.relpath(served(in_repository(here, found[1])), posixpath.dirname(here) or ".")

    return FORMULA.sub(lambda found: convert(found[1], display="block"), LINK.sub(relinked, markdown))

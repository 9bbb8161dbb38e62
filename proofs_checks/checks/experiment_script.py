"""A failure as a stand-alone script: the experiment itself, with the source of all that it uses, and the target."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

from tangency.common.text import as_source, docstring
from tangency.proofs_checks.checks.tools import Make
from tangency.proofs_checks.target.target import Target

TEMPLATE = '''"""{title}: fails for {target}.

{why}

{found}
Needs torch and the optimizer alone. Exits with 1 while the failure is there.
"""

from __future__ import annotations

{imports}

{target_imports}

{sources}


OWN = {own}
FIXED = {fixed}


def arguments(hyper):
    """Hyper-parameters under the optimizer's own names."""
    found = dict(FIXED)
    for name, value in hyper.items():
        own = OWN.get(name)
        if isinstance(own, tuple):
            found.update(zip(own, value))
        elif own is not None and value is not None:
            found[own] = value
    return found


make = Make({expression}, arguments, OWN, {usual}, {momentum}, {defaults})
try:
    wrong = {name}(make{extra})
except Exception as error:
    wrong = Wrong("the optimizer raised", "no exception", f"{{type(error).__name__}}: {{error}}")
if isinstance(wrong, Wrong):
    print(wrong.detail)
    print("expected", wrong.expected)
    print("got     ", wrong.got)
    sys.exit(1)
print("holds")
'''
PACKAGE = f"{__name__.partition('.')[0]}."


def script(
    target: Target,
    make: Make,
    experiment: Callable[..., Any],
    *,
    title: str,
    why: str,
    found: str,
    needs: tuple[Any, ...],
    extra: Mapping[str, Any],
) -> str:
    """The source of a script that runs an experiment on a target without this project.

    Args:
        target: the optimizer.
        make: builds it.
        experiment: a function of ``Make`` and of ``extra``, whose source uses torch, the standard library and
            functions, classes and plain values of ours.
        title, why, found: for the docstring.
        needs: what the template itself uses: ``Make`` and ``Wrong``.
        extra: further keyword arguments of the experiment.
    """
    imports: dict[str, None] = {"import sys": None}
    sources: dict[str, str] = {}
    for thing in (*needs, experiment):
        _collect(thing, imports, sources)
    target_imports, expression = target.expression
    return TEMPLATE.format(
        title=docstring(title),
        target=docstring(target.spec.target),
        why=docstring(textwrap.fill(why, 116)),
        found=docstring(textwrap.fill(found, 116, break_long_words=False)[:1500]),
        imports="\n".join(sorted(imports)),
        target_imports=target_imports,
        sources="\n\n\n".join(sources.values()),
        own=as_source(dict(target.names)),
        fixed=as_source(target.arguments(make.usual)),
        expression=expression,
        usual=as_source(dict(make.usual)),
        momentum=make.momentum,
        defaults=as_source(dict(make.defaults)),
        name=experiment.__name__,
        extra="".join(f", {name}={as_source(value)}" for name, value in extra.items()),
    )


def _collect(thing: Any, imports: dict[str, None], sources: dict[str, str]) -> None:
    """Add the source of a function or class, after the sources of all that it uses."""
    if thing.__name__ in sources:
        return
    source = _source(thing)
    scope = vars(sys.modules[thing.__module__])
    for name in _names(ast.parse(source)):
        value = scope.get(name)
        if name == thing.__name__ or name not in scope:
            continue
        if isinstance(value, ModuleType):
            alias = "" if value.__name__ == name else f" as {name}"
            imports[f"import {value.__name__}{alias}"] = None
        elif isinstance(value, FunctionType | type):
            if value.__module__.startswith(PACKAGE):
                _collect(value, imports, sources)
            else:
                imports[f"from {value.__module__} import {name}"] = None
        elif getattr(value, "__module__", "").startswith(("typing", "collections")):
            imports[f"from {value.__module__} import {name}"] = None
        else:
            sources.setdefault(name, f"{name} = {value!r}")
    sources[thing.__name__] = source


@cache
def _source(thing: Any) -> str:
    """The source of a function or class without its decorators."""
    text = textwrap.dedent(inspect.getsource(thing))
    node = ast.parse(text).body[0]
    assert isinstance(node, ast.FunctionDef | ast.ClassDef)
    return "\n".join(text.splitlines()[node.lineno - 1 :])


def _names(tree: ast.AST) -> Iterator[str]:
    """The names that code reads, those in annotations left out."""
    for field, value in ast.iter_fields(tree):
        if field in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Load):
                yield child.id
            if isinstance(child, ast.AST):
                yield from _names(child)

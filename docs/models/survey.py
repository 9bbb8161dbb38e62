"""Which weights of today's models are scale-invariant: ``tox -e models`` writes ``docs/models.md``.

Every model of ``catalogue.py`` is scanned as a small random copy, which decides the view of each kind of weight: of all
that have one name but for the numbers of layers. The real model, made without values, says how many parameters of each
kind there are. What was found goes to ``views.json``, and the page is made of that file alone. A model that has not the
published number of parameters, and a weight of which the three ways disagree without a reason, end the run with 1.

    python docs/models/survey.py              # everything
    python docs/models/survey.py Qwen Gemma   # models whose name contains one of these; prints, and writes nothing
    python docs/models/survey.py --page       # the page anew, from views.json
"""

import json
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from textwrap import fill
from typing import Any

import torch
from catalogue import Surveyed, models

from tangency.common.numbers import percent
from tangency.common.text import line
from tangency.probe import Scan, scan
from tangency.probe.report import notes, pattern

HERE = Path(__file__).parent
PAGE, DATA = HERE.parent / "models.md", HERE / "views.json"
INVARIANT = ("channel", "head", "layer")
LIBRARIES = ("timm", "transformers")

INTRODUCTION = """\
# Scale-invariant weights of today's models

SGDP and AdamP were made for networks of which nearly all weights are scale-invariant (§1: 95.5 % of ResNet-18, 91.8 %
of ResNet-50). Which weights of the models that are trained today are? [`tangency scan`](scan.md) asks each model in
three ways; this page is written by one command, which needs no network but for the packages:

```text
tox -e models
```

A small random copy of each model decides the view of each kind of weight, and the real configuration, without values,
gives the counts. Nothing is downloaded, and nothing depends on training: scale invariance is a property of the
architecture, but for ε. Copies of language models but GPT-2 draw their weights ten times as large as usual (0.2 and not
0.02), since they are 36 to 128 times as narrow. Without that, what is normalised in them is so small that ε matters:
the views by rescaling are the same, but the gradients of Gemma 2, Gemma 3 and OLMo 2 reject most `layer` views, and
agree as ε → 0.
"""

FINDINGS = """\
**Convolutions before batch normalisation are scale-invariant, channel by channel, and hardly anything else of such
networks is.** {cnn_names}: {cnn_low} to {cnn_high} of all parameters. What is missing is the classifier, and
squeeze-and-excitation. (Where two layers follow each other without an activation between them, the scale of the norm
between them is invariant too, and its shift has no effect at all.)

**{none_names}: not one weight.** Their norms stand *before* the matrices of a branch, so what the branch adds to the
residual stream keeps its scale (§4.5), or behind a bias that they do not take out, as those of ConvNeXt do. A
projection for scale-invariant weights has nothing to do there: where Eq. 11 finds a weight orthogonal to its gradient,
it does so by chance.

**Normalised queries and keys (QK-norm) bring scale invariance back.** In {head_names} each head of the query and key
projections is invariant on its own (`head`); in {layer_qk_names} the norm spans all heads, and only the whole
projection is (`layer`). That is {qk_low} to {qk_high} of the parameters.

**A norm *behind* a branch does more.** In {post_names} what attention and the MLP add to the stream is normalised, so
value, output, up and down projections are invariant as a whole; the gate is not, for its activation function is not
homogeneous. With queries and keys, where those are, {post_low} to {post_high} of the parameters are scale-invariant.

**No matrix of a language model is invariant channel by channel.** That is the view which SGDP and AdamP try first; a
projection by it would remove more than the radial component.

**The gradient sees ε.** It says something else than the definition for weights of {eps_names}, and the reason that was
found is ε: w·g is not 0 as long as what is normalised is not much larger than √ε.
"""


def main(arguments: Sequence[str]) -> int:
    """Survey all models, or those whose names contain one of the arguments."""
    if list(arguments) == ["--page"]:
        PAGE.write_text(page(json.loads(DATA.read_text(encoding="utf-8"))), encoding="utf-8")
        return 0
    chosen = [one for one in models() if not arguments or any(text in one.name for text in arguments)]
    found = {"versions": {name: version(name) for name in LIBRARIES}, "models": [surveyed(one) for one in chosen]}
    if arguments:
        print("\n".join(_model(one) for one in found["models"]))
    else:
        DATA.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(page(found), encoding="utf-8")
    wrong = [f"{model['name']}: {text}" for model in found["models"] for text in model["wrong"]]
    print("\n".join(wrong) or "every answer agrees, or has its reason")
    return 1 if wrong else 0


def surveyed(model: Surveyed) -> dict[str, Any]:
    """Scan the small copy, count the real model; what ``views.json`` has of it."""
    torch.manual_seed(0)
    found = scan(model.small(), model.batch())
    with torch.device("meta"):
        real = {name: tuple(p.shape) for name, p in model.real().named_parameters()}
    total = sum(torch.Size(shape).numel() for shape in real.values())
    wrong = [f"{one.name}: {text}" for one in found.weights for text in one.unexplained]
    if total != model.published:
        wrong.append(f"it has {total:,} parameters, and {model.published:,} were published")
    print(f"{model.name}: scanned", file=sys.stderr)
    kinds, unknown = _kinds(found, real)
    return {
        "name": model.name,
        "library": model.library,
        "parameters": total,
        "kinds": kinds,
        "notes": _notes(found),
        "wrong": [*wrong, *unknown],
    }


def _kinds(found: Scan, real: dict[str, tuple[int, ...]]) -> tuple[list[dict[str, Any]], list[str]]:
    """The weights of the real model by kind, and what speaks against it: kinds that are not in the small copy, or have
    two views there."""
    views: dict[Any, set[str]] = {}
    ways: dict[Any, list[Any]] = {}
    for one in found.weights:
        views.setdefault(_key(one.name, one.shape), set()).add(one.view.kind)
        answers = ways.setdefault((_key(one.name, one.shape), one.view.kind), [one.owner, set(), set()])
        answers[1].add("undecided" if one.tested.view is None else one.tested.view.kind)
        answers[2].add("–" if one.traced.view is None else one.traced.view.kind)
    exact = {one.name: one.view.kind for one in found.weights}
    kinds: dict[Any, dict[str, Any]] = {}
    unknown = []
    for name, shape in real.items():
        key = _key(name, shape)
        own = {exact[name]} if exact.keys() == real.keys() else views.get(key, set())
        if len(own) != 1:
            unknown.append(f"{name}: {sorted(own) or 'no such weight'} in the small copy")
            continue
        (view,) = own
        owner, gradient, graph = ways[key, view]
        kind = kinds.setdefault(
            (key, view),
            {
                "weight": pattern(name),
                "module": owner,
                "view": view,
                "gradient": sorted(gradient),
                "graph": sorted(graph),
                "tensors": 0,
                "parameters": 0,
            },
        )
        kind["tensors"] += 1
        kind["parameters"] += torch.Size(shape).numel()
    return list(kinds.values()), list(dict.fromkeys(unknown))


def _key(name: str, shape: tuple[int, ...]) -> tuple[str, int]:
    """A kind of weight: its name, and its dimensions, which tell a convolution from the norm beside it."""
    return pattern(name), len(shape)


def _notes(found: Scan) -> list[str]:
    """The reasons why ways differ, each in the words of the first weight, and the kinds of weights."""
    said = notes(found.weights, "explained")
    return [f"{line(text)}: {', '.join(names[:3])}{' …' * (len(names) > 3)}" for text, names in said.items()]


def page(data: dict[str, Any]) -> str:
    """The page, of what ``views.json`` holds."""
    versions = ", ".join(f"{name} {number}" for name, number in data["versions"].items())
    facts = _facts(data["models"])
    findings = [
        fill(one, 120, initial_indent="- ", subsequent_indent="  ") for one in FINDINGS.format(**facts).split("\n\n")
    ]
    parts = [INTRODUCTION, "## In plain words\n", *findings, "\n## Shares\n", _summary(data["models"])]
    parts += [f"With {versions}.\n", "## Model by model\n", LEGEND, *map(_model, data["models"])]
    wrong = [f"- {model['name']}: {line(text)}" for model in data["models"] for text in model["wrong"]]
    return "\n".join([*parts, *(["## Open\n", *wrong, ""] if wrong else [])])


LEGEND = """\
Of each kind of weight, by its name with `*` for the number of a layer: the view by rescaling, which is the verdict;
what the gradients say, with the model's own ε; what the graph says (–: it gives no answer). Parameters are
those of the real model. Kinds without scale invariance on which all ways agree are left out.
"""


def share(model: dict[str, Any], *views: str) -> float:
    """The share of the parameters of a model whose weight has one of these views."""
    return sum(kind["parameters"] for kind in model["kinds"] if kind["view"] in views) / model["parameters"]


def _summary(found: Iterable[dict[str, Any]]) -> str:
    lines = [
        "| model | parameters | channel | head | layer | scale-invariant |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for model in found:
        cells = [percent(share(model, view), ".2%") if share(model, view) else "" for view in INVARIANT]
        total = percent(share(model, *INVARIANT), ".2%")
        lines.append(f"| {model['name']} | {model['parameters']:,} | {' | '.join(cells)} | **{total}** |")
    return "\n".join(lines) + "\n"


def _facts(found: Sequence[dict[str, Any]]) -> dict[str, str]:
    """What the findings in words name, from the views."""

    def having(test: Any) -> list[dict[str, Any]]:
        return [model for model in found if test(model)]

    def qk(model: dict[str, Any]) -> list[dict[str, Any]]:
        ends = ("q_proj.weight", "k_proj.weight")
        return [k for k in model["kinds"] if k["weight"].endswith(ends) and k["view"] in INVARIANT]

    def names(some: Iterable[dict[str, Any]]) -> str:
        return ", ".join(model["name"] for model in some)

    def span(shares: list[float]) -> tuple[str, str]:
        return percent(min(shares), ".1%"), percent(max(shares), ".1%")

    cnn = having(lambda m: share(m, "channel") > 0)
    none = having(lambda m: share(m, *INVARIANT) == 0)
    normed = having(qk)
    post = having(lambda m: any(k["weight"].endswith("down_proj.weight") and k["view"] == "layer" for k in m["kinds"]))
    spans = {
        "cnn": span([share(m, *INVARIANT) for m in cnn]),
        "qk": span([sum(k["parameters"] for k in qk(m)) / m["parameters"] for m in normed]),
        "post": span([share(m, *INVARIANT) for m in post]),
    }
    return {
        "cnn_names": names(cnn),
        "none_names": names(none),
        "head_names": names(m for m in normed if qk(m)[0]["view"] == "head"),
        "layer_qk_names": names(m for m in normed if qk(m)[0]["view"] == "layer"),
        "post_names": names(post),
        "eps_names": names(having(lambda m: any("ε is not negligible" in note for note in m["notes"]))) or "no model",
        **{
            f"{name}_{end}": text
            for name, pair in spans.items()
            for end, text in zip(("low", "high"), pair, strict=True)
        },
    }


def _model(model: dict[str, Any]) -> str:
    shown = [kind for kind in model["kinds"] if not _dull(kind)]
    lines = [f"### {model['name']}\n"]
    if shown:
        lines += [
            "| weight | module | rescaled | gradient | graph | tensors | parameters |",
            "| --- " * 5 + "| ---: | ---: |",
        ]
    for kind in shown:
        ways = (kind["view"], " / ".join(kind["gradient"]), " / ".join(kind["graph"]))
        counts = f"{kind['tensors']} | {kind['parameters']:,}"
        lines.append(f"| `{kind['weight']}` | {kind['module']} | {' | '.join(ways)} | {counts} |")
    rest = sum(kind["parameters"] for kind in model["kinds"] if _dull(kind))
    lines += ["", f"Not scale-invariant, as every way that answers says: {rest:,} parameters.", ""]
    lines += [f"- {note}" for note in map(_marked, model["notes"])]
    return "\n".join(lines) + "\n"


def _dull(kind: dict[str, Any]) -> bool:
    return kind["view"] == "none" and kind["gradient"] == ["none"] and set(kind["graph"]) <= {"none", "–"}


def _marked(note: str) -> str:
    """A note in Markdown: the names of weights have stars and underscores."""
    text, _, names = note.rpartition(": ")
    quoted = ", ".join(
        f"`{name}`" if " …" not in name else f"`{name.removesuffix(' …')}` …" for name in names.split(", ")
    )
    return f"{text.replace('|', chr(92) + '|').replace('_', chr(92) + '_').replace('*', chr(92) + '*')}: {quoted}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

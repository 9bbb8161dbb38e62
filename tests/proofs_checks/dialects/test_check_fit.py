"""The fit finds every choice again, one at a time and together, and says so when it finds nothing."""

import numpy as np
import pytest

from tangency.proofs_checks.broken.speaker import speaker
from tangency.proofs_checks.broken.zoo import find
from tangency.proofs_checks.dialects.choices import PAPER, PUBLISHED, choices, matters
from tangency.proofs_checks.dialects.fit import fit
from tangency.proofs_checks.dialects.probes import Played, play, probes
from tangency.proofs_checks.finding import Judgement
from tangency.proofs_checks.target.target import TargetSpec, load

FAMILIES = {"adamp": "adam", "sgdp": "sgd", "adam": "adam", "sgd": "sgd"}
CASES = [
    pytest.param(algorithm, choice.name, value, id=f"{algorithm}-{choice.name}-{value}")
    for algorithm, family in FAMILIES.items()
    for choice in choices(family, algorithm in ("adamp", "sgdp"))
    for value in choice.values
    # Without projection the choices that remain are those of adamp and sgdp; once is enough.
    if value != PAPER[algorithm][choice.name] and (algorithm.endswith("p") or choice.name == "decay")
]


@pytest.mark.parametrize(("algorithm", "choice", "value"), CASES)
def test_every_departure_is_found(algorithm: str, choice: str, value: str) -> None:
    spoken = {**PAPER[algorithm], choice: value}
    if value == "decayed gradient":
        spoken["decay"] = "coupled"
    found = fit(speaker(algorithm, spoken))
    assert found.explained, found.leaves_at
    differs = {name for name in spoken if found.dialect[name] != spoken[name] and matters(name, spoken)}
    if not matters(choice, spoken):
        return
    assert differs == set(), {name: (found.dialect[name], found.open.get(name)) for name in differs}
    assert choice in {departure.choice for departure in found.departures}
    assert choice not in found.open


def test_many_departures_at_once_are_found() -> None:
    spoken = {
        **PAPER["adamp"],
        "rank": "any",
        "views": "layer",
        "cosine": "signed",
        "cosine_of": "decayed gradient",
        "cosine_epsilon": "clamped at 1e-8",
        "norm_epsilon": "added",
        "decay": "coupled",
        "epsilon": "before correction",
    }
    found = fit(speaker("adamp", spoken))
    assert found.explained
    assert {name: found.dialect[name] for name in spoken if matters(name, spoken)} == {
        name: value for name, value in spoken.items() if matters(name, spoken)
    }


@pytest.mark.parametrize("algorithm", sorted(PUBLISHED))
def test_the_published_dialects_are_found(algorithm: str) -> None:
    found = fit(speaker(algorithm, PUBLISHED[algorithm]))
    assert found.explained
    assert dict(found.dialect) == dict(PUBLISHED[algorithm])
    assert {d.choice for d in found.departures} == {
        name for name in PAPER[algorithm] if PAPER[algorithm][name] != PUBLISHED[algorithm][name]
    }


@pytest.mark.parametrize("name", ["SGDP", "AdamP"])
def test_our_optimizers_speak_the_papers_dialect(name: str) -> None:
    found = fit(load(TargetSpec(f"tangency.optim:{name}")))
    assert found.explained
    assert dict(found.dialect) == dict(PAPER[name.lower()])
    assert all(departure.judgement is None for departure in found.departures)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_torchs_optimizers_speak_their_published_dialects(name: str) -> None:
    found = fit(load(TargetSpec(f"torch.optim:{name}")))
    assert found.explained
    published = PUBLISHED[name.lower()]
    assert all(published[choice] == value or choice in found.open for choice, value in found.dialect.items())


def test_the_published_package_keeps_the_projected_buffer() -> None:
    found = fit(load(TargetSpec("adamp:SGDP")))
    assert found.explained
    (buffer,) = [d for d in found.departures if d.choice == "buffer"]
    assert (buffer.value, buffer.judgement) == ("projected", Judgement.THEOREM)
    assert "differ by" in buffer.effect


@pytest.mark.parametrize("name", ["SinglePrecision", "HalfStep"])
def test_what_no_dialect_explains_is_shown_where_it_leaves_the_nearest(name: str) -> None:
    found = fit(load(find(name).target))
    assert not found.explained
    assert "step 0, w[" in found.leaves_at
    assert "expected" in found.leaves_at


def test_probes_do_not_depend_on_the_machine() -> None:
    first, second = (list(probes("adam", True)) for _ in range(2))
    assert [probe.name for probe in first] == [probe.name for probe in second]
    assert all(np.array_equal(a.w, b.w) for a, b in zip(first, second, strict=True))


def test_a_probe_that_the_target_does_not_offer_is_left_out() -> None:
    target = load(TargetSpec("torch.optim:Adam"))
    played = {probe.name: play(target, probe) for probe in probes("adam", False)}
    assert played["nesterov"] is None
    assert isinstance(played["plain"], Played)

"""The fit finds every choice again, one at a time and together, and says so when it finds nothing."""

import numpy as np
import pytest

from tangency.proofs_checks.algorithms import ALGORITHMS
from tangency.proofs_checks.broken.zoo import find
from tangency.proofs_checks.dialects.choice import Choice, Dialect, Option
from tangency.proofs_checks.finding import Judgement
from tangency.proofs_checks.fit.fit import fit
from tangency.proofs_checks.fit.probes import Played, play, probes
from tangency.proofs_checks.fit.reference import speaker
from tangency.proofs_checks.target.spec import TargetSpec
from tangency.proofs_checks.target.target import load

CASES = [
    pytest.param(algorithm.paper, choice, option, id=f"{algorithm.name}-{choice.name}-{option.value}")
    for algorithm in map(ALGORITHMS.get, ("adamp", "sgdp", "adam", "sgd"))
    if algorithm is not None
    for choice in algorithm.choices.values()
    for option in choice.options
    # Without projection the choices that remain are those of adamp and sgdp; once is enough.
    if option.value != algorithm.paper[choice.name] and (algorithm.projects or choice.name == "decay")
]


@pytest.mark.parametrize(("paper", "choice", "option"), CASES)
def test_every_departure_is_found(paper: Dialect, choice: Choice, option: Option) -> None:
    spoken = paper.but(**{choice.name: option.value}, **option.requires)
    found = fit(speaker(spoken))
    assert found.explained, found.leaves_at
    differs = {
        name
        for name, one in paper.algorithm.choices.items()
        if found.dialect[name] != spoken[name] and one.matters(spoken)
    }
    if not choice.matters(spoken):
        return
    assert differs == set(), {name: (found.dialect[name], found.open.get(name)) for name in differs}
    assert choice.name in {departure.choice for departure in found.departures}
    assert choice.name not in found.open


def test_many_departures_at_once_are_found() -> None:
    algorithm = ALGORITHMS["adamp"]
    spoken = algorithm.paper.but(
        rank="any",
        views="layer",
        cosine="signed",
        cosine_of="decayed gradient",
        cosine_epsilon="clamped at 1e-8",
        norm_epsilon="added",
        decay="coupled",
        epsilon="before correction",
    )
    found = fit(speaker(spoken))
    assert found.explained
    for name, choice in algorithm.choices.items():
        assert found.dialect[name] == spoken[name] or not choice.matters(spoken), name


@pytest.mark.parametrize("name", ["adam", "adamp", "adamw", "sgd", "sgdp"])
def test_the_published_dialects_are_found(name: str) -> None:
    paper, published = ALGORITHMS[name].paper, ALGORITHMS[name].published
    found = fit(speaker(published))
    assert found.explained
    assert dict(found.dialect) == published
    assert {d.choice for d in found.departures} == {choice for choice in paper if paper[choice] != published[choice]}


@pytest.mark.parametrize("name", ["SGDP", "AdamP"])
def test_our_optimizers_speak_the_papers_dialect(name: str) -> None:
    found = fit(load(TargetSpec(f"tangency.optim:{name}")))
    assert found.explained
    assert dict(found.dialect) == ALGORITHMS[name.lower()].paper
    assert all(departure.judgement is None for departure in found.departures)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_torchs_optimizers_speak_their_published_dialects(name: str) -> None:
    found = fit(load(TargetSpec(f"torch.optim:{name}")))
    assert found.explained
    published = ALGORITHMS[name.lower()].published
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
    first, second = (list(probes(ALGORITHMS["adamp"])) for _ in range(2))
    assert [probe.name for probe in first] == [probe.name for probe in second]
    assert all(np.array_equal(a.w, b.w) for a, b in zip(first, second, strict=True))


def test_a_probe_that_the_target_does_not_offer_is_left_out() -> None:
    target = load(TargetSpec("torch.optim:Adam"))
    played = {probe.name: play(target, probe) for probe in probes(ALGORITHMS["adam"])}
    assert played["nesterov"] is None
    assert isinstance(played["plain"], Played)

"""The ledger of the monitor: it closes for every known optimizer, equals the lemmas, and names what is wrong."""

import pytest
import torch
from optim_paths import PATHS
from small_runs import pass_backward, seeded

from tangency.optim import SGDP, AdamP, Monitor
from tangency.proofs_checks.broken import decay, projection, sound
from tangency.theory import ledger as ledgers_of_theory
from tangency.theory.algorithms import ALGORITHMS, START
from tangency.theory.fields import FLOAT64
from tangency.theory.projection import turned

SOUND = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1),
    "SGD, coupled decay": lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.1),
    "SGD, momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "SGD, dampening": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.5, weight_decay=0.1),
    "SGD, Nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1, foreach=True),
    "SGD, maximize": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, maximize=True, fused=True),
    "Adam": lambda p: torch.optim.Adam(p, lr=1e-2),
    "Adam, coupled decay": lambda p: torch.optim.Adam(p, lr=1e-2, weight_decay=0.1, amsgrad=True),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=torch.tensor(1e-2), weight_decay=0.1),
    "AdamW, fused": lambda p: torch.optim.AdamW(p, lr=1e-2, weight_decay=0.1, fused=True),
    "zoo's SGDP": lambda p: sound.SGDP(p, lr=0.1, momentum=0.9, weight_decay=0.1),
    "zoo's AdamP": lambda p: sound.AdamP(p, lr=1e-2, weight_decay=0.1),
    **{
        f"SGDP, {name}": lambda p, path=path: SGDP(
            p, lr=0.1, momentum=0.9, dampening=0.25, nesterov=True, weight_decay=0.1, **path
        )
        for name, path in PATHS.items()
    },
    **{
        f"AdamP, {name}": lambda p, path=path: AdamP(p, lr=1e-2, weight_decay=0.1, **path)
        for name, path in PATHS.items()
    },
}


def watched(make, steps=3, net=None, **options):
    """The last record of a run of which every step is sampled, after a check of every other one."""
    net = net or seeded()
    generator = torch.Generator().manual_seed(0)
    optimizer = make(net.parameters())
    records = []
    with Monitor(optimizer, every=1, names=net.named_parameters(), out=records.append, **options) as monitor:
        for _ in range(steps):
            pass_backward(net, generator)
            optimizer.step()
    assert monitor.failure is None
    return records


def pages(records):
    return [(record.step, name, weight.page) for record in records for name, weight in record.weights.items()]


@pytest.mark.parametrize("name", SOUND)
def test_the_ledger_of_a_sound_optimizer_closes_to_rounding(name):
    records = watched(SOUND[name])
    assert {name for _, name, _ in pages(records)} == {"0.weight", "3.weight", "7.weight"}
    for step, weight, page in pages(records):
        assert page.closes, (step, weight, page.departure)
        for terms in page.terms:
            assert abs(terms.left_over) <= terms.bound
            assert terms.bound < 1e-4 * terms.norm**2


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ["SGD, momentum", "AdamW", "SGDP, loop", "AdamP, loop", "AdamP, fused"])
def test_it_closes_in_other_dtypes(name, dtype):
    """But the second moments of float16 underflow: what the update was made of is gone, and it says so."""
    lost = dtype is torch.float16 and name.startswith("Adam")
    found = pages(watched(SOUND[name], net=seeded(dtype)))
    assert {page.closes for _, _, page in found} == {None if lost else True}


def test_a_projected_step_has_no_fresh_and_no_memory_term():
    for make in (SOUND["SGDP, loop"], SOUND["AdamP, loop"]):
        for _, name, page in pages(watched(make))[:-1]:
            if name != "7.weight":
                assert page.verdict == page.projected == "channel"
                assert page.terms[0].fresh == page.terms[0].memory == 0
                assert page.terms[0].own > 0


def test_the_memory_term_is_that_of_lemma_2_2():
    """With a step size that changes: memory = 2η_t Σ_{k<t} β^{t−k} η_k ‖p_k‖², and fresh = 0, up to ε of the norms."""
    net = seeded()
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    past, monitor = 0.0, Monitor(optimizer, every=1, names=net.named_parameters())
    for t in range(4):
        pass_backward(net, generator)
        optimizer.param_groups[0]["lr"] = lr = 0.1 / (t + 1)
        optimizer.step()
        terms = monitor.last.weights["3.weight"].page.terms[0]
        square = optimizer.state[net[3].weight]["momentum_buffer"].double().square().sum().item()
        # The buffer and the gradient are float32; batch normalisation's ε leaves a radial part of 1e-5.
        room = 2 * lr * terms.norm * square**0.5 * 1e-4
        assert abs(terms.memory - 2 * lr * past) <= room
        assert abs(terms.fresh) <= room
        assert terms.own == pytest.approx(lr * lr * square, rel=1e-12)
        past = 0.9 * (past + lr * square)


BROKEN = [
    (projection.AddsTheRadialPart, "projection with the wrong sign"),
    (decay.CoupledDecay, "coupled weight decay"),
    (decay.DecayIgnoresProjection, "projection without wd_ratio"),
    (decay.DecaysAfterTheUpdate, "weight decay after the step"),
    (projection.ProjectedBuffer, "momentum buffer projected"),
]


@pytest.mark.parametrize(("make", "named"), BROKEN, ids=lambda one: getattr(one, "__name__", None))
def test_a_defect_shows_up_under_its_name(make, named):
    options = {"lr": 0.1, "weight_decay": 0.5, "momentum": 0.9}
    found = {page.departure for _, _, page in pages(watched(lambda p: make(p, **options), steps=4)) if not page.closes}
    assert any(one.startswith(named) for one in found), found
    assert all(one.startswith(named) for one in found), found


def test_an_optimizer_that_is_not_known_has_a_ledger_with_a_rest():
    for _, _, page in pages(watched(lambda p: torch.optim.RMSprop(p, lr=1e-3))):
        (terms,) = page.terms
        assert page.closes is None
        assert terms.fresh is terms.memory is None
        assert terms.growth == pytest.approx(terms.own + terms.other, abs=1e-12)


def test_slices_add_up_to_the_tensor():
    for make in (SOUND["SGD, momentum"], SOUND["AdamP, loop"]):
        whole, slices = watched(make), watched(make, per={"0.weight": "channel", "3.weight": 4})
        for (_, name, one), (_, _, parts) in zip(pages(whole), pages(slices), strict=True):
            assert len(parts.terms) == {"0.weight": 6, "3.weight": 4, "7.weight": 1}[name]
            for term in ("growth", "own", "fresh", "memory", "decay", "avoided"):
                total = sum(getattr(part, term) for part in parts.terms)
                assert total == pytest.approx(getattr(one.terms[0], term), rel=1e-9, abs=1e-12)


def test_a_layer_that_is_projected_as_a_whole_has_slices_that_close():
    """Rows with large opposite radial parts: only the layer view passes, and a slice keeps a component of its own."""
    w = torch.nn.Parameter(torch.tensor([[3.0, 4.0], [4.0, 3.0]], dtype=torch.float64))
    optimizer = SGDP([w], lr=0.1, momentum=0.9)
    monitor = Monitor(optimizer, every=1, per="channel")
    for g in ([[3.0, 4.0], [-4.0, -3.0]], [[1.0, 2.0], [3.0, 1.0]]):
        w.grad = torch.tensor(g, dtype=torch.float64)
        optimizer.step()
        page = monitor.last.weights["group0.0"].page
        if page.projected == "layer":
            first = page
        for terms in page.terms:
            assert abs(terms.left_over) <= terms.bound
    assert first.terms[0].fresh == -first.terms[1].fresh != 0


@pytest.mark.parametrize("per", [1, "channel", 2], ids=str)
def test_heads_have_a_ledger_of_their_own(per):
    """Each head turns on its own: projected head by head there is no memory term, but in parts of a head."""
    w = torch.nn.Parameter(torch.tensor([[3.0, 4.0], [4.0, 3.0], [1.0, 2.0], [-1.0, 2.0]], dtype=torch.float64))
    optimizer = SGDP([w], lr=0.1, momentum=0.9, weight_decay=0.125, views=("channel", 2, "layer"))
    monitor = Monitor(optimizer, every=1, per=per)
    for across in (False, True, True):
        rows = w.detach().numpy().reshape(2, -1)
        w.grad = torch.from_numpy((turned(rows, 2) if across else 2 * rows).reshape(4, 2))
        optimizer.step()
        page = monitor.last.weights["group0.0"].page
        assert page.closes, page.departure
        assert (page.verdict, page.projected) == (("head", "head") if across else ("none", "none"))
        for terms in page.terms:
            assert abs(terms.left_over) <= terms.bound
    assert page.head == 0 < page.channel
    memory = [abs(terms.memory) for terms in page.terms]
    assert max(memory) > 0.01 if per == "channel" else max(memory) <= page.terms[0].bound


SPECIFIED = {
    "SGD": ("momentum", lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), {"momentum": 0.9}, 0),
    "SGD, coupled decay": (
        "momentum",
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.25, nesterov=True),
        {"momentum": 0.9, "nesterov": True},
        0.25,
    ),
    "SGDP": (
        "sgdp",
        lambda p: SGDP(p, lr=0.1, momentum=0.5, dampening=0.25, weight_decay=0.25, nesterov=True),
        {"momentum": 0.5, "dampening": 0.25, "weight_decay": 0.25, "nesterov": True},
        0,
    ),
    "Adam": ("adam", lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.25), {}, 0.25),
    "AdamW": ("adamw", lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.25), {"weight_decay": 0.25}, 0),
    "AdamP": ("adamp", lambda p: AdamP(p, lr=0.1, weight_decay=0.25), {"weight_decay": 0.25}, 0),
}


@pytest.mark.parametrize("across", [True, False], ids=["projected", "not projected"])
@pytest.mark.parametrize("name", SPECIFIED)
def test_the_terms_are_those_of_the_theory(name, across):
    """The executable spec, and its ledger, on the same gradients: all four entries, at every step.

    Both are float64; an entry is a sum of at most 8 products, behind a few steps of rounding.
    """
    algorithm, make, hyper, coupled = SPECIFIED[name]
    hyper = {"lr": 0.1, **hyper}
    moment = ledgers_of_theory.ADAM if name.startswith("Adam") else ledgers_of_theory.MOMENTUM
    p = torch.nn.Parameter(torch.tensor([[3.0, 4.0, 1.0, -2.0], [1.0, -1.0, 2.0, 0.5]], dtype=torch.float64))
    optimizer = make([p])
    monitor = Monitor(optimizer, every=1)
    state = START
    for t in range(3):
        w = FLOAT64.array(p.detach().numpy())
        g = turned(w) + (0 if across else FLOAT64.array([[t, 1, 0, 3], [2, 0, 1, -1]]))
        step = ALGORITHMS[algorithm](FLOAT64, w, g + coupled * w, state, **hyper)
        state = step.state
        p.grad = torch.tensor(g.astype(float))
        optimizer.step()
        (terms,) = monitor.last.weights["group0.0"].page.terms
        parts = ledgers_of_theory.parts_of(FLOAT64, moment, w, g, step, hyper, coupled)
        wanted = ledgers_of_theory.ledger(FLOAT64, w, step, parts)
        room = 256 * 2.0**-53 * (terms.norm + abs(step.lr) * float((step.p * step.p).sum()) ** 0.5) ** 2
        for entry in ("own", "fresh", "memory", "decay"):
            assert abs(getattr(terms, entry) - getattr(wanted, entry)) <= room, entry

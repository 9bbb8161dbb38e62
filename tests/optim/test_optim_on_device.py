"""No host synchronisation: a step has no control flow that depends on values, and is one graph."""

import shutil

import pytest
import torch
from optim_paths import PATHS, every_path
from optim_reference import assert_same_steps
from torch._subclasses.fake_tensor import FakeTensorMode

from tangency.optim import SGDP, AdamP

OPTIMIZERS = {
    "SGDP": lambda p, **more: SGDP(p, **{"lr": 0.125, "momentum": 0.75, "weight_decay": 0.25, **more}),
    "SGDP without momentum": lambda p, **more: SGDP(p, **{"lr": 0.125, **more}),
    "AdamP": lambda p, **more: AdamP(p, **{"lr": 0.125, "weight_decay": 0.25, "nesterov": True, **more}),
}
every = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)

W = torch.tensor([[1.0, 2.0, 2.0, -1.0], [3.0, -1.0, 0.5, 2.0]])
G = torch.tensor([[2.0, 1.0, -2.0, 0.0], [1.0, 1.0, 4.0, -2.0]])


def parameters():
    """One projected by channel, one by layer, one not, a vector, a scalar, a short and an empty one, in this order."""
    layer = torch.zeros_like(W)
    layer[0, 0], layer[1, 1] = 1.0, 1.0
    pairs = [(W, G), (W, layer), (W, W), (W[0], G[0]), (W[0, 1], G[0, 1]), (W.bfloat16(), G.bfloat16())]
    pairs.append((W[:, :0], G[:, :0]))
    out = []
    for w, g in pairs:
        p = torch.nn.Parameter(w.clone())
        p.grad = g.clone()
        out.append(p)
    return out


@every
def test_a_step_reads_no_value(make):
    # A fake tensor has no values: a Python branch on one, or .item(), raises DataDependentOutputException.
    with FakeTensorMode():
        p = torch.nn.Parameter(torch.empty(4, 3, 2))
        p.grad = torch.empty(4, 3, 2)
        optimizer = make([p], lr=0.5)
        for _ in range(2):
            optimizer.step()
        assert p.shape == (4, 3, 2)


@every
@pytest.mark.parametrize("path", ["loop", "foreach"])
@pytest.mark.parametrize("capturable", [False, True])
@pytest.mark.parametrize(
    "lr", [0.5, torch.tensor(0.5), torch.tensor(0.5, device="meta")], ids=["number", "cpu", "meta"]
)
def test_a_step_on_a_device_without_values(make, path, capturable, lr):
    p = torch.nn.Parameter(torch.empty(4, 3, device="meta"))
    p.grad = torch.empty(4, 3, device="meta")
    optimizer = make([p], lr=lr, capturable=capturable, **PATHS[path])
    for _ in range(2):
        optimizer.step()
    state = optimizer.state.get(p, {})
    assert all(value.is_meta for name, value in state.items() if name != "step" or capturable)


def compiled_agrees(make, backend, **more):
    eager, twins = parameters(), parameters()
    optimizer, reference = make(twins, **more), make(eager, **more)

    @torch.compile(fullgraph=True, backend=backend)
    def step():
        optimizer.step()

    torch.compiler.reset()
    for _ in range(3):
        step()
        reference.step()
        for p, twin in zip(eager, twins, strict=True):
            if backend == "inductor":  # a compiler may contract a product and a sum into one rounding
                assert_same_steps(p.detach(), twin.detach(), 3)
            else:
                assert torch.equal(p, twin)


@every
@every_path
# torch's profiler cannot trace its own record function, and says so.
@pytest.mark.filterwarnings("ignore:Profiler record function")
def test_a_step_compiles_into_one_graph(make, path):
    compiled_agrees(make, "aot_eager", **path)


@every
@every_path
def test_a_step_with_a_tensor_learning_rate_compiles_once(make, path):
    p = torch.nn.Parameter(W.clone())
    p.grad = G.clone()
    twin = torch.nn.Parameter(W.clone())
    twin.grad = G.clone()
    lr = torch.tensor(0.125)
    optimizer, reference = make([p], lr=lr, **path), make([twin], lr=lr, **path)
    graphs = []

    def count(graph, inputs):
        graphs.append(graph)
        return graph

    torch.compiler.reset()
    step = torch.compile(optimizer.step, fullgraph=True, backend=count)
    for t in range(4):
        lr.fill_(0.125 / (t + 1))
        step()
        reference.step()
        assert torch.equal(p, twin)
    # State is made outside the graph, and a learning rate that moves is an input of it.
    assert len(graphs) == 1


@pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="inductor needs a C++ compiler")
@every_path
def test_a_step_compiles_with_inductor(path):
    compiled_agrees(OPTIMIZERS["AdamP"], "inductor", **path)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@every
@every_path
def test_a_step_never_waits_for_the_gpu(make, path):
    p = torch.nn.Parameter(W.cuda())
    p.grad = G.cuda()
    optimizer = make([p], **path)
    optimizer.step()
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        optimizer.step()
    finally:
        torch.cuda.set_sync_debug_mode(before)
    twin = torch.nn.Parameter(W.clone())
    twin.grad = G.clone()
    reference = make([twin])
    reference.step()
    reference.step()
    assert_same_steps(p.detach().cpu(), twin.detach(), 2)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@every
@every_path
def test_a_step_is_captured_in_a_graph(make, path):
    p = torch.nn.Parameter(W.cuda())
    p.grad = G.cuda()
    optimizer = make([p], capturable=True, **path)
    twin = torch.nn.Parameter(W.clone())
    twin.grad = G.clone()
    reference = make([twin])
    optimizer.step()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        optimizer.step()
    for _ in range(2):
        graph.replay()
    for _ in range(3):
        reference.step()
    assert_same_steps(p.detach().cpu(), twin.detach(), 3)

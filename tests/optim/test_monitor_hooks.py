"""The monitor beside a training loop: it changes nothing, sees what trains, and never ends a run."""

import csv
import json
import warnings

import pytest
import torch
from small_runs import pass_backward, seeded, train
from torch.optim import lr_scheduler

from tangency.optim import SGDP, AdamP, Monitor
from tangency.optim.monitor import Lines, Table, tensorboard, wandb

MAKERS = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=1e-2),
    "SGDP": lambda p: SGDP(p, lr=0.1, momentum=0.9),
    "AdamP, fused": lambda p: AdamP(p, lr=1e-2, fused=True),
}


@pytest.mark.parametrize("name", MAKERS)
def test_a_watched_run_is_bit_for_bit_the_run_without(name, tmp_path):
    states = []
    for watch in (False, True):
        net = seeded()
        optimizer = MAKERS[name](net.parameters())
        if watch:
            Monitor(optimizer, every=2, names=net.named_parameters(), out=tmp_path / "run.jsonl", per="channel")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            train(net, optimizer, 5)
            random = torch.get_rng_state()
        grads = [p.grad.clone() for p in net.parameters()]
        kept = [x.clone() for p in net.parameters() for x in optimizer.state[p].values() if isinstance(x, torch.Tensor)]
        states.append([*(p.detach().clone() for p in net.parameters()), *grads, *kept, *net.buffers(), random])
    assert len(states[0]) == len(states[1])
    assert all(torch.equal(one, other) for one, other in zip(*states, strict=True))
    assert len((tmp_path / "run.jsonl").read_text().splitlines()) == 3


def test_samples_are_every_so_many_steps_and_go_on_after_a_pause():
    net = seeded()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    seen = []
    with Monitor(optimizer, every=3, out=lambda record: seen.append(record.step)):
        train(net, optimizer, 7)
    train(net, optimizer, 3)
    assert seen == [0, 3, 6]
    with Monitor(optimizer, every=3, steps=10, out=lambda record: seen.append(record.step)):
        train(net, optimizer, 3)
    assert seen == [0, 3, 6, 12]


def test_names_come_from_the_caller_or_the_optimizer():
    net = seeded()
    for optimizer, names, wanted in (
        (torch.optim.SGD(net.named_parameters(), lr=0.1), None, "3.weight"),
        (torch.optim.SGD(net.parameters(), lr=0.1), net.named_parameters(), "3.weight"),
        (torch.optim.SGD(net.parameters(), lr=0.1), None, "group0.3"),
    ):
        monitor = Monitor(optimizer, names=names)
        train(net, optimizer, 1)
        assert wanted in monitor.last.weights


def test_frozen_unused_and_late_parameters():
    net = seeded()
    net[0].weight.requires_grad_(False)
    optimizer = torch.optim.SGD([{"params": list(net[:4].parameters())}], lr=0.1)
    unused = torch.nn.Parameter(torch.ones(3, 3))
    optimizer.add_param_group({"params": [unused]})
    monitor = Monitor(optimizer, every=1)
    train(net, optimizer, 1)
    assert set(monitor.last.weights) == {"group0.3"}
    optimizer.add_param_group({"params": list(net[4:].parameters()), "lr": 0.5})
    net[0].weight.requires_grad_(True)
    train(net, optimizer, 1)
    assert set(monitor.last.weights) == {"group0.0", "group0.3", "group2.2"}
    assert monitor.last.weights["group2.2"].lr == 0.5
    assert monitor.failure is None


def test_closures_schedules_and_accumulation():
    net = seeded()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    schedule = lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (t + 1))
    records = []
    Monitor(optimizer, every=1, names=net.named_parameters(), out=records.append)
    generator = torch.Generator().manual_seed(0)

    def closure():
        loss = pass_backward(net, generator)
        (net(torch.randn(4, 2, 6, 6, generator=generator)).square().mean()).backward()  # gradients of two batches
        return loss

    for _ in range(3):
        optimizer.step(closure)
        schedule.step()
    assert [record.weights["0.weight"].lr for record in records] == [0.1, 0.05, pytest.approx(0.1 / 3)]
    assert all(weight.page.closes for record in records for weight in record.weights.values())


@pytest.mark.parametrize("make", [lambda p: AdamP(p, lr=0.01, fused=True), lambda p: torch.optim.AdamW(p, fused=True)])
def test_gradients_that_a_scaler_left_scaled(make):
    net = seeded()
    optimizer = make(net.parameters())
    monitor = Monitor(optimizer, every=1, names=net.named_parameters())
    generator = torch.Generator().manual_seed(0)
    for scale in (1024.0, 64.0):
        pass_backward(net, generator)
        for p in net.parameters():
            p.grad *= scale
        # As torch.amp.GradScaler.step calls it.
        optimizer.grad_scale, optimizer.found_inf = torch.tensor(scale), torch.tensor(0.0)
        optimizer.step()
        del optimizer.grad_scale, optimizer.found_inf
        assert all(weight.page.closes for weight in monitor.last.weights.values())


@pytest.mark.parametrize("make", [lambda p: AdamP(p, lr=0.01, fused=True), lambda p: torch.optim.AdamW(p, fused=True)])
def test_a_step_that_a_scaler_leaves_out_is_no_sample(make):
    net, seen = seeded(), []
    optimizer = make(net.parameters())
    monitor = Monitor(optimizer, every=1, out=lambda record: seen.append(record.step))
    for found_inf in (1.0, 0.0, 1.0):
        pass_backward(net, torch.Generator().manual_seed(0))
        optimizer.grad_scale, optimizer.found_inf = torch.tensor(1.0), torch.tensor(found_inf)
        optimizer.step()
        del optimizer.grad_scale, optimizer.found_inf
    assert monitor.failure is None
    assert seen == [1]
    assert all(weight.page.closes for weight in monitor.last.weights.values())


OTHERS = [
    getattr(torch.optim, name)
    for name in torch.optim.__all__
    if isinstance(getattr(torch.optim, name), type) and name not in ("Optimizer", "SparseAdam")
]


@pytest.mark.parametrize("kind", OTHERS, ids=lambda kind: kind.__name__)
def test_every_optimizer_of_torch_is_watched(kind):
    w = torch.nn.Parameter(torch.tensor([[3.0, 4.0, 1.0], [1.0, -2.0, 2.0]]))
    optimizer = kind([w], lr=0.01)
    monitor = Monitor(optimizer, every=1)

    def closure():
        optimizer.zero_grad()
        loss = (w / w.norm()).sum()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    assert monitor.failure is None
    page = monitor.last.weights["group0.0"].page
    assert page.closes is (True if kind.__name__ in ("SGD", "Adam", "AdamW") else None)
    assert page.terms[0].growth != 0


def test_sparse_gradients_are_watched():
    table = torch.nn.Embedding(5, 3, sparse=True)
    optimizer = torch.optim.SparseAdam(table.parameters(), lr=0.1)
    monitor = Monitor(optimizer, every=1)
    table(torch.tensor([1, 3])).sum().backward()
    optimizer.step()
    assert monitor.failure is None
    assert monitor.last.weights["group0.0"].page.terms[0].own > 0


def test_a_compiled_step_is_watched():
    net = seeded()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    monitor = Monitor(optimizer, every=1)
    step = torch.compile(optimizer.step, backend="eager")
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        pass_backward(net, generator)
        step()
    assert monitor.failure is None
    assert monitor.last.step == 2
    assert all(weight.page.closes for weight in monitor.last.weights.values())


def test_numbers_that_are_not_finite_are_told_and_nothing_else_is():
    net = seeded()
    optimizer = torch.optim.SGD(net.named_parameters(), lr=0.1, momentum=0.9)
    lines = []
    monitor = Monitor(optimizer, every=1, out=lambda record: lines.extend(record.rows()))
    pass_backward(net, torch.Generator().manual_seed(0))
    net[0].weight.grad[0] = float("nan")
    optimizer.step()
    assert monitor.failure is None
    assert {row["weight"]: row["departure"] for row in lines} == {
        "0.weight": "a weight or gradient is not finite",
        "3.weight": "",
        "7.weight": "",
    }
    assert lines[0]["norm"] == "nan"
    json.dumps(lines, allow_nan=False)


def test_complex_strided_and_small_tensors():
    made = [
        torch.ones(3, 2, dtype=torch.complex64),
        torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(0)).to(memory_format=torch.channels_last),
        torch.ones(5, 4).t(),
        torch.zeros(2, 3),
        torch.ones(7),
        torch.ones(()),
        torch.ones(0, 3),
    ]
    ps = [torch.nn.Parameter(x) for x in made]
    optimizer = SGDP(ps, lr=0.1, momentum=0.9, weight_decay=0.1)
    monitor = Monitor(optimizer, every=1, watch=lambda name, p: True)
    generator = torch.Generator().manual_seed(1)
    for _ in range(2):
        for p in ps:
            p.grad = torch.randn(p.shape, generator=generator).to(p.dtype)
        optimizer.step()
    assert monitor.failure is None
    assert len(monitor.last.weights) == 6
    assert all(weight.page.closes for weight in monitor.last.weights.values())


def test_an_error_inside_is_told_once_and_the_run_goes_on():
    net, twin = seeded(), seeded()
    optimizer, other = (torch.optim.SGD(one.parameters(), lr=0.1) for one in (net, twin))

    def fails(record):
        raise OSError("disk full")

    monitor = Monitor(optimizer, every=1, out=fails)
    with pytest.warns(UserWarning, match="the monitor stops at step 1: OSError: disk full"):
        train(net, optimizer, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(net, optimizer, 2, seed=1)
    train(twin, other, 1)
    train(twin, other, 2, seed=1)
    assert monitor.failure == "OSError: disk full"
    assert all(torch.equal(p, q) for p, q in zip(net.parameters(), twin.parameters(), strict=True))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"every": 0}, ValueError, "every must be a whole number >= 1, got 0"),
        ({"every": 2.0}, ValueError, r"every must be a whole number >= 1, got 2\.0"),
        ({"steps": -1}, ValueError, "steps must be a whole number >= 0, got -1"),
        ({"per": "head"}, ValueError, r'per must be "channel" or a number of slices >= 1, or a dict'),
        ({"delta": float("nan")}, ValueError, "delta must be >= 0, got nan"),
        ({"out": 3}, TypeError, "out must be a path, or writers that are called with a record, got 3"),
    ],
)
def test_wrong_arguments(options, error, message):
    with pytest.raises(error, match=message):
        Monitor(torch.optim.SGD([torch.nn.Parameter(torch.ones(2, 2))], lr=0.1), **options)
    with pytest.raises(TypeError, match=r"optimizer must be a torch.optim.Optimizer, got int"):
        Monitor(3)


def test_slices_that_do_not_fit_are_told_in_the_warning():
    net = seeded()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    Monitor(optimizer, per={"group0.0": 4})
    with pytest.warns(UserWarning, match="per: group0.0 has 6 rows, which are not 4 equal slices"):
        train(net, optimizer, 1)


class Logger:
    """Takes what TensorBoard and Weights & Biases take."""

    def __init__(self):
        self.scalars, self.logged = {}, []

    def add_scalar(self, name, value, step):
        self.scalars[name, step] = value

    def log(self, values):
        self.logged.append(values)


def test_every_writer_has_the_same_numbers(tmp_path):
    net, logger = seeded(), Logger()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    outs = [Lines(tmp_path / "run.jsonl"), Table(tmp_path / "run.csv"), tensorboard(logger), wandb(logger)]
    with Monitor(optimizer, every=1, names=net.named_parameters(), out=outs, per={"0.weight": 2}):
        train(net, optimizer, 2)
    lines = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 1]
    rows = [{"step": line["step"], **row} for line in lines for row in line["weights"]]
    with (tmp_path / "run.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert len(table) == len(rows) == 8
    for row, cells in zip(rows, table, strict=True):
        assert float(cells["growth"]) == row["growth"]
        name = row["weight"] if row["slice"] is None else f"{row['weight']}.{row['slice']}"
        assert logger.scalars[f"{name}/growth", row["step"]] == row["growth"]
        assert logger.logged[row["step"]][f"{name}/growth"] == row["growth"]
        assert logger.logged[row["step"]]["monitor/step"] == row["step"]


def test_a_distributed_tensor_is_gathered(tmp_path):
    from torch import distributed
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Shard, distribute_tensor

    store = distributed.FileStore(str(tmp_path / "store"), 1)
    distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        mesh = init_device_mesh("cpu", (1,))
        p = torch.nn.Parameter(distribute_tensor(torch.arange(1.0, 7.0).reshape(2, 3), mesh, [Shard(0)]))
        optimizer = torch.optim.SGD([p], lr=0.1, momentum=0.9)
        monitor = Monitor(optimizer, every=1)
        for _ in range(2):
            p.grad = distribute_tensor(torch.ones(2, 3), mesh, [Shard(0)])
            optimizer.step()
        assert monitor.failure is None
        assert monitor.last.weights["group0.0"].page.closes
    finally:
        distributed.destroy_process_group()

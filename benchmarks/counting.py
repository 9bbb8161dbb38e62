"""What a step does, counted exactly: operations, memory traffic, tensors made, and waits for the device.

Counts are the same on every machine and in every run, so they can be held to numbers where time cannot. They are taken
from what torch dispatches. Our kernels are not dispatched: of them only the memory from torch is counted and that from
numpy measured (`host_peak`); their traffic is the estimate of :mod:`.cost_model`.
"""

import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.optim import Optimizer
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

# They read a number back to the host, or a shape that depends on numbers.
_WAITS = frozenset({"_local_scalar_dense", "nonzero", "masked_select", "equal", "is_nonzero", "_unique2"})
_NO_READ = frozenset({"copy_", "zero_", "fill_"})  # of what they write over
_EMPTY = frozenset({"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided"})  # they write nothing
_SHAPE_ALONE = frozenset({"new_full", "new_zeros", "new_ones", "zeros_like", "ones_like", "full_like", *_EMPTY})


@dataclass(frozen=True)
class Counts:
    """What one step does.

    Attributes:
        operations: what torch dispatches, views aside; on a GPU each launches one kernel or more.
        reads, writes: bytes of the tensors that operations are given and that they fill, each once an operation.
        allocations: tensors made with memory of their own.
        peak: most bytes that such tensors hold at one time.
        synchronisations: operations that wait for the device.
    """

    operations: int
    reads: int
    writes: int
    allocations: int
    peak: int
    synchronisations: int

    @property
    def traffic(self) -> int:
        """Bytes moved."""
        return self.reads + self.writes


class Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts while it is entered.

    Args:
        counted: which tensors count as traffic; all, if not given.
    """

    def __init__(self, counted: Callable[[Tensor], bool] = lambda x: True) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._counted = counted
        self._live: list[tuple[StorageWeakRef, int]] = []
        self.operations = self.reads = self.writes = self.allocations = self.peak = self.synchronisations = 0

    @property
    def counts(self) -> Counts:
        """What has been counted so far."""
        return Counts(self.operations, self.reads, self.writes, self.allocations, self.peak, self.synchronisations)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        given = {x.untyped_storage().data_ptr() for x in _tensors((args, kwargs))}
        result = func(*args, **kwargs)
        name = func.overloadpacket.__name__
        if func.is_view or name == "detach" or func.namespace == "profiler":
            return result
        self.operations += 1
        self.synchronisations += name in _WAITS or _to_host(name, args, result)
        written = self._written(func, args, kwargs)
        read: tuple[Any, ...] = (args, kwargs)
        if name in _NO_READ:
            read = (args[1:], kwargs)
        elif name in _SHAPE_ALONE:
            read = ()
        self.reads += self._bytes(_tensors(read))
        fresh = [x for x in _tensors(result) if x.untyped_storage().data_ptr() not in given]
        self.writes += self._bytes([*written, *([] if name in _EMPTY else fresh)])
        self._keep(fresh)
        return result

    def _written(self, func: Any, args: Any, kwargs: Any) -> list[Tensor]:
        """The arguments that the schema says are written to."""
        found = []
        for i, argument in enumerate(func._schema.arguments):
            # torch's fused optimizers write to gradients where a scaler is to be divided out, and nowhere else.
            unscaled = argument.name == "grads" and kwargs.get("grad_scale") is None
            if argument.alias_info is not None and argument.alias_info.is_write and not unscaled:
                found += _tensors(args[i] if i < len(args) else kwargs.get(argument.name))
        return found

    def _bytes(self, tensors: Sequence[Tensor]) -> int:
        """Bytes of the tensors that count, each place in memory once."""
        once = {(x.data_ptr(), x.numel()): x for x in tensors if self._counted(x)}
        return sum(x.numel() * x.element_size() for x in once.values())

    def _keep(self, fresh: Sequence[Tensor]) -> None:
        self._live = [(ref, size) for ref, size in self._live if not ref.expired()]  # type: ignore[no-untyped-call]
        for x in fresh:
            storage = x.untyped_storage()
            self._live.append((StorageWeakRef(storage), storage.nbytes()))  # type: ignore[no-untyped-call]
        self.allocations += len(fresh)
        self.peak = max(self.peak, sum(size for _, size in self._live))


def count(step: Callable[[], Any]) -> Counts:
    """Count one step."""
    counter = Counter()
    with counter:
        step()
    return counter.counts


def host_peak(step: Callable[[], Any]) -> int:
    """Most bytes that Python and numpy hold at one time for a step: unlike counts, only about the same in each run."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        step()
        return max(0, tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()


def state_bytes(optimizer: Optimizer) -> int:
    """Bytes of the state that an optimizer keeps between steps."""
    return sum(x.numel() * x.element_size() for x in _tensors(dict(optimizer.state)))


def _tensors(tree: Any) -> list[Tensor]:
    return [x for x in tree_leaves(tree) if isinstance(x, Tensor)]


def _to_host(name: str, args: Any, result: Any) -> bool:
    """A copy from a device to the host waits for it."""
    into, source = (args[0], args[1:2]) if name == "copy_" else (result, args[:1])
    return (
        name in ("copy_", "_to_copy")
        and isinstance(into, Tensor)
        and into.device.type == "cpu"
        and any(isinstance(x, Tensor) and x.device.type != "cpu" for x in source)
    )

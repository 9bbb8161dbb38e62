"""The kernels for GPUs, compiled ahead of time for cards that need not be present, and what their machine code does.

``python -m tangency.benchmarks.aot`` compiles each kernel for each dtype and target as a step would launch it, and
reads registers, spills, shared memory and the width of loads and stores from the binary. It exits with 1 where a kernel
spills, uses more registers than its ceiling, or does not move each of its streams in vectors of 128 bits.

Bytes a parameter are counted from those instructions. A thread holds one vector of each tile, so a stream of a tile is
one instruction; a kernel has such a place for every row length, and `KERNELS` says how many. The elements at the edges
of rows that do not fill their vectors move one by one, in instructions of their own, and are not counted. The model:

==========  =========================  ===================================================
kernel      passes of AdamP (SGDP)     when
==========  =========================  ===================================================
statistics  2 + 0 (2 + 0)              the weight has two dimensions, δ > 0
update      4 + 3 (3 + 2)              always; without its writes where `finish` follows
finish      4 + 3 (3 + 2)              the layer view, or rows of more than 8,192 elements
==========  =========================  ===================================================

The times are *estimates*: bytes over the bandwidth on the data sheet, or float64 instructions over their rate if that
is longer. Nothing is run on a card.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from tangency.benchmarks.optimizers import OPTIMIZERS
from tangency.optim.gpu import decide, launch, update

TARGETS = {
    "sm_80": GPUTarget("cuda", 80, 32),
    "sm_90": GPUTarget("cuda", 90, 32),
    "sm_100": GPUTarget("cuda", 100, 32),
    "gfx942": GPUTarget("hip", "gfx942", 64),
}
DTYPES = {str(dtype).removeprefix("torch."): dtype for dtype in launch.DTYPES}
# Adaptive, with momentum, without Nesterov's look ahead, descending.
RULES = {name: (one.adaptive, True, False, False) for name, one in OPTIMIZERS.items()}


@dataclass(frozen=True)
class Kernel:
    """The requirements of a kernel.

    Attributes:
        loads, stores: places in its code where a tile is read, or written; 0 where it moves no tiles.
    """

    loads: int
    stores: int


# Four row lengths. Of the longest, `update` reads tiles in three places (for w·x, the one that stays, all others), and
# writes them in two.
KERNELS = {"statistics": Kernel(4, 0), "decide": Kernel(0, 0), "update": Kernel(6, 5), "finish": Kernel(4, 4)}


@dataclass(frozen=True)
class Card:
    """A card by its data sheet: its target, bandwidth in bytes a second, float64 operations (FMA as 2) a second."""

    target: str
    bandwidth: float
    float64: float


CARDS = {
    "A100 80GB": Card("sm_80", 2.039e12, 9.7e12),
    "H100 SXM": Card("sm_90", 3.35e12, 34e12),
    "B200": Card("sm_100", 8.0e12, 37e12),
    "MI300X": Card("gfx942", 5.3e12, 81.7e12),
}


@dataclass(frozen=True)
class Variant:
    """A kernel as one step launches it."""

    kernel: str
    rule: str
    dtype: str
    target: str

    @property
    def itemsize(self) -> int:
        return DTYPES[self.dtype].itemsize

    @property
    def launched(self) -> torch.dtype:
        """Whose options the kernel is launched with: sums of pieces are float64, whatever the dtype."""
        return torch.float32 if self.kernel == "decide" else DTYPES[self.dtype]

    @property
    def registers(self) -> int:
        """The most that a thread may use."""
        return launch.REGISTERS[self.launched.itemsize]

    @property
    def streams(self) -> tuple[int, int]:
        """Tensors as large as the weight that it reads and writes."""
        state = OPTIMIZERS[self.rule].moments
        return {"statistics": (2, 0), "decide": (0, 0)}.get(self.kernel, (2 + state, 1 + state))


@dataclass(frozen=True)
class Code:
    """Facts read from a binary.

    Attributes:
        registers, shared: of a thread, and bytes of a block.
        local: bytes of a thread, and instructions, that go to local memory.
        loads, stores: memory instructions of 128 bits.
        doubles: float64 instructions.
        threads: of a block.
    """

    registers: int
    shared: int
    local: int
    loads: int
    stores: int
    doubles: int
    threads: int


def variants(rules: list[str], dtypes: list[str], targets: list[str]) -> Iterator[Variant]:
    """Every kernel that differs: statistics know no rule, decisions no dtype but float64."""
    for target in targets:
        for dtype in dtypes:
            yield Variant("statistics", rules[0], dtype, target)
            yield from (Variant(kernel, rule, dtype, target) for rule in rules for kernel in ("update", "finish"))
        # Sums are scaled in float64, and are not for the other dtypes.
        for dtype in {"float64", dtypes[0]} & set(dtypes):
            yield from (Variant("decide", rule, dtype, target) for rule in rules)


def arguments(variant: Variant, vector: int) -> tuple[Any, dict[str, Any]]:
    """The function of a kernel, and the arguments that it is compiled for."""
    dtype = launch.DTYPES[DTYPES[variant.dtype]]
    kind = {"DTYPE": dtype, "VECTOR": vector}
    if variant.kernel == "statistics":
        return decide.statistics, {"grad_scale": None, **kind}
    if variant.kernel == "decide":
        flags: dict[str, Any] = {"ADAPTIVE": RULES[variant.rule][0], "SCALED": variant.dtype == "float64"}
        return decide.decide, {"lr_at": None, "found_inf": None, **flags}
    flags = {"FINISH": variant.kernel == "finish", "RULE": RULES[variant.rule]}
    return update.update, {"grad_scale": None, **flags, **kind}


def built(variant: Variant, *, aligned: bool = True, **options: Any) -> Any:
    """Triton's binary of a kernel, by default with the options of a real step."""
    target = TARGETS[variant.target]
    function, constants = arguments(variant, launch.vector(DTYPES[variant.dtype]) if aligned else 1)
    pointers = {"table": "*i64", "owners": "*i64", "found": "*fp64", "decided": "*fp64"}
    names = function.arg_names
    source = ASTSource(
        function,
        signature={name: "constexpr" if name in constants else pointers.get(name, "fp64") for name in names},
        constexprs=constants,
        # A launch infers this itself: tables begin at multiples of 16 bytes.
        attrs={(names.index(name),): [["tt.divisibility", 16]] for name in names if name in pointers},
    )
    hip = target.backend == "hip"
    return triton.compile(source, target=target, options={**launch.options(variant.launched, hip=hip), **options})


def compiled(variant: Variant, *, aligned: bool = True, **options: Any) -> Code:
    """Compile a kernel, by default with the options of a real step, and read its code."""
    binary = built(variant, aligned=aligned, **options)
    target, shape = TARGETS[variant.target], binary.metadata
    read = _read_amdgcn if target.backend == "hip" else _read_sass
    return Code(**read(binary), shared=shape.shared, threads=shape.num_warps * target.warp_size)


def _read_sass(binary: Any) -> dict[str, int]:
    """From what the disassembler prints; local memory is stack, spilled registers, and instructions that use it."""
    with tempfile.TemporaryDirectory() as folder:
        cubin = Path(folder, "kernel.cubin")
        cubin.write_bytes(binary.asm["cubin"])
        usage, sass = (
            subprocess.run(
                [triton.knobs.nvidia.cuobjdump.path, option, cubin], capture_output=True, text=True, check=True
            ).stdout
            for option in ("-res-usage", "-sass")
        )
    used = dict(re.findall(r"(REG|STACK|LOCAL):(\d+)", usage))
    operations = Counter(re.findall(r"^\s*/\*\w+\*/\s+(?:@!?\w+\s+)?([A-Z0-9_.]+)", sass, re.M))

    def count(pattern: str) -> int:
        return sum(n for name, n in operations.items() if re.fullmatch(pattern, name))

    return {
        "registers": int(used["REG"]),
        "local": int(used["STACK"]) + int(used["LOCAL"]) + count(r"(LDL|STL)(\..*)?"),
        "loads": count(r"LDG\..*\b128\b.*"),
        "stores": count(r"STG\..*\b128\b.*"),
        "doubles": count(r"D(ADD|MUL|FMA|SETP|MNMX)(\..*)?|F2F\..*F64.*"),
    }


def _read_amdgcn(binary: Any) -> dict[str, int]:
    """From the assembly and its metadata."""
    text = binary.asm["amdgcn"]

    def field(name: str) -> int:
        return int(re.search(rf"\.{name}:\s+(\d+)", text)[1])  # type: ignore[index]

    spilled = sum(field(name) for name in ("vgpr_spill_count", "sgpr_spill_count", "private_segment_fixed_size"))
    return {
        "registers": field("vgpr_count"),
        "local": spilled + len(re.findall(r"^\s*scratch_\w+", text, re.M)),
        # Tiles are found by addresses in vector registers, "off"; tables by scalar ones.
        "loads": len(re.findall(r"^\s*global_load_dwordx4 .*, off\b", text, re.M)),
        "stores": len(re.findall(r"^\s*global_store_dwordx4 .*, off\b", text, re.M)),
        "doubles": len(re.findall(r"^\s*v_\w*f64", text, re.M)),
    }


def moved(variant: Variant, code: Code) -> tuple[float, float]:
    """Bytes a parameter that a kernel moves in 128-bit vectors: counted from its instructions, and by the model."""
    kernel = KERNELS[variant.kernel]
    share = 16 * code.threads / launch.TILE
    counted = sum(
        share * n / places for n, places in ((code.loads, kernel.loads), (code.stores, kernel.stores)) if places
    )
    return counted, variant.itemsize * sum(variant.streams)


def violations(variant: Variant, code: Code) -> list[str]:
    """The requirements that a kernel violates, a line each."""
    kernel, (reads, writes), found = KERNELS[variant.kernel], variant.streams, []
    if code.local:
        found.append(f"{code.local} bytes or instructions of local memory")
    if code.registers > variant.registers:
        found.append(f"{code.registers} registers, more than {variant.registers}")
    per_stream = launch.TILE * variant.itemsize // (16 * code.threads)
    for what, n, expected in (
        ("loads", code.loads, kernel.loads * reads * per_stream),
        ("stores", code.stores, kernel.stores * writes * per_stream),
    ):
        if n != expected:
            found.append(f"{n} {what} of 128 bits, not {expected}")
    return found


def estimate(card: Card, codes: dict[Variant, Code], rule: str, dtype: str) -> float:
    """The least time of a step whose weights pass in the channel view, in seconds a parameter: an *estimate*."""
    total = 0.0
    for variant, code in codes.items():
        if variant.target == card.target and variant.dtype == dtype and variant.kernel in ("statistics", "update"):
            if variant.kernel == "update" and variant.rule != rule:
                continue
            doubles = code.doubles * code.threads / launch.TILE / KERNELS[variant.kernel].loads
            total += max(moved(variant, code)[1] / card.bandwidth, doubles / (card.float64 / 2))
    return total


def main(argv: list[str] | None = None) -> int:
    """Print a line for every kernel, then the estimates; 1 if a kernel does what it must not."""
    parser = argparse.ArgumentParser(prog="python -m tangency.benchmarks.aot", description=__doc__.split("\n")[0])
    for name, known in (("rules", RULES), ("dtypes", DTYPES), ("targets", TARGETS)):
        parser.add_argument(f"--{name}", nargs="+", choices=list(known), default=list(known))
    chosen = parser.parse_args(argv)
    todo = list(variants(chosen.rules, chosen.dtypes, chosen.targets))
    print(f"{'kernel':10}  {'rule':5}  {'dtype':8}  {'target':6}  regs  ceiling  local  shared  128-bit   bytes  model")
    codes, failed = {}, 0
    with ProcessPoolExecutor() as pool:
        for variant, code in zip(todo, pool.map(compiled, todo), strict=True):
            codes[variant] = code
            counted, model = moved(variant, code)
            wrong = violations(variant, code)
            failed += bool(wrong)
            rule = "any" if variant.kernel == "statistics" else variant.rule
            print(
                f"{variant.kernel:10}  {rule:5}  {variant.dtype:8}  {variant.target:6}  {code.registers:4}"
                f"  {variant.registers:7}  {code.local:5}  {code.shared:6}"
                f"  {code.loads:3}+{code.stores:2}  {counted:7.1f}  {model:5}  {'; '.join(wrong)}",
                flush=True,
            )
    print("\nestimate, channel view: microseconds for a million parameters (bytes a parameter)")
    for name, card in CARDS.items():
        for rule in chosen.rules if card.target in chosen.targets else ():
            # Eq. 11 reads w and g once more than a step that never projects.
            passes = 5 + 2 * OPTIMIZERS[rule].moments
            times = (
                f"{dtype} {1e12 * estimate(card, codes, rule, dtype):6.2f} ({passes * DTYPES[dtype].itemsize})"
                for dtype in chosen.dtypes
            )
            print(f"{name:10}  {rule:5}  estimate  {'  '.join(times)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

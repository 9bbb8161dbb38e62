"""The same projection in numpy, in JAX, in C by way of ctypes, and in Triton; and projections that are wrong."""

import ctypes
import math
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

NDArray = np.ndarray[Any, np.dtype[Any]]


def _views(w: Any) -> tuple[int, ...]:
    return (len(w), 1) if len(w.shape) > 1 and math.prod(w.shape) else ()


def in_numpy(w: NDArray, g: NDArray, update: NDArray, delta: float) -> tuple[NDArray, bool]:
    for rows in _views(w):
        a, b, x = (t.reshape(rows, -1) for t in (w, g, update))
        a, b = (t / np.maximum(np.abs(t).max(1, keepdims=True), np.finfo(t.dtype).tiny) for t in (a, b))
        dot, ww = (a * b).sum(1), (a * a).sum(1, keepdims=True)
        norms = np.sqrt(ww[:, 0] * (b * b).sum(1))
        if delta and ((np.abs(dot) * math.sqrt(a.shape[1]) < delta * norms) | (dot == 0)).all():
            return (x - (a * x).sum(1, keepdims=True) / np.where(ww == 0, 1, ww) * a).reshape(update.shape), True
    return update, False


def in_jax(w: Any, g: Any, update: Any, delta: float) -> tuple[Any, Any]:
    import jax.numpy as jnp

    q, decided = update, jnp.asarray(False)
    for rows in reversed(_views(w)):  # the last that passes wins
        a, b, x = (t.reshape(rows, -1) for t in (w, g, update))
        sizes = (jnp.abs(t).max(1, keepdims=True) for t in (a, b))
        a, b = (t / jnp.where(size == 0, 1, size) for t, size in zip((a, b), sizes, strict=True))
        dot, ww = (a * b).sum(1), (a * a).sum(1, keepdims=True)
        norms = jnp.sqrt(ww[:, 0] * (b * b).sum(1))
        passes = ((jnp.abs(dot) * math.sqrt(a.shape[1]) < delta * norms) | ((dot == 0) & (delta > 0))).all()
        projected = (x - (a * x).sum(1, keepdims=True) / jnp.where(ww == 0, 1, ww) * a).reshape(update.shape)
        q, decided = jnp.where(passes, projected, q), passes | decided
    return q, decided


C = """
#include <math.h>
static double NAME_size(const T *x, long n) {
    double most = 0;
    for (long i = 0; i < n; i++) most = fmax(most, fabs((double)x[i]));
    return most == 0 ? 1 : most;
}
int NAME(const T *w, const T *g, T *x, long rows, long dim, double delta) {
    for (long r = 0; r < rows; r++) {
        const T *a = w + r * dim, *b = g + r * dim;
        double wa = NAME_size(a, dim), gb = NAME_size(b, dim), ww = 0, gg = 0, wg = 0;
        for (long i = 0; i < dim; i++) {
            ww += a[i] / wa * (a[i] / wa); gg += b[i] / gb * (b[i] / gb); wg += a[i] / wa * (b[i] / gb);
        }
        if (!(delta > 0 && (fabs(wg) * sqrt(dim) < delta * sqrt(ww * gg) || wg == 0))) return 0;
    }
    for (long r = 0; r < rows; r++) {
        const T *a = w + r * dim;
        double wa = NAME_size(a, dim), ww = 0, wx = 0;
        for (long i = 0; i < dim; i++) { ww += a[i] / wa * (a[i] / wa); wx += a[i] / wa * x[r * dim + i]; }
        for (long i = 0; i < dim && ww > 0; i++) x[r * dim + i] -= wx / ww * (a[i] / wa);
    }
    return 1;
}
"""
COMPILED: dict[str, Any] = {}


def _library() -> Any:
    """The C functions for float and double, compiled once a process."""
    if "library" not in COMPILED:
        with tempfile.TemporaryDirectory() as folder:
            source, built = Path(folder) / "projection.c", Path(folder) / "projection.so"
            source.write_text(
                "".join(C.replace("T ", f"{t} ").replace("NAME", f"project_{t}") for t in ("float", "double"))
            )
            compiler = os.environ.get("CC", "cc")
            subprocess.run([compiler, "-O2", "-shared", "-fPIC", source, "-o", built, "-lm"], check=True)
            COMPILED["library"] = ctypes.CDLL(str(built))
    return COMPILED["library"]


def in_c(w: NDArray, g: NDArray, update: NDArray, delta: float) -> tuple[NDArray, bool]:
    name = {"float32": "project_float", "float64": "project_double"}.get(w.dtype.name)
    if name is None:
        q, decided = in_c(*(t.astype(np.float32) for t in (w, g, update)), delta)
        return q.astype(w.dtype), decided
    a, b, x = (np.ascontiguousarray(t) for t in (w, g, update))
    x = x.copy()
    project = getattr(_library(), name)
    project.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_long] * 2 + [ctypes.c_double]
    for rows in _views(w):
        if project(a.ctypes.data, b.ctypes.data, x.ctypes.data, rows, w.size // rows, delta):
            return x, True
    return update, False


try:
    import triton
    import triton.language as tl
except ImportError:
    triton = None
else:

    @triton.jit
    def _row(w, g, x, sums, scaled, dim, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
        """The inner products of one row, and the row of w over its largest entry."""
        row, i = tl.program_id(0), tl.arange(0, BLOCK)
        a = tl.load(w + row * dim + i, mask=i < dim, other=0.0)
        b = tl.load(g + row * dim + i, mask=i < dim, other=0.0)
        p = tl.load(x + row * dim + i, mask=i < dim, other=0.0)
        most, least = tl.max(tl.abs(a), 0), tl.max(tl.abs(b), 0)
        a = a / tl.where(most == 0, 1.0, most).to(a.dtype)
        b = b / tl.where(least == 0, 1.0, least).to(b.dtype)
        tl.store(scaled + row * dim + i, a, mask=i < dim)
        tl.store(sums + row * 4, tl.sum(a * a, 0))
        tl.store(sums + row * 4 + 1, tl.sum(b * b, 0))
        tl.store(sums + row * 4 + 2, tl.sum(a * b, 0))
        tl.store(sums + row * 4 + 3, tl.sum(a * p, 0))


def in_triton(w: Tensor, g: Tensor, update: Tensor, delta: float) -> tuple[Tensor, bool]:
    wide = torch.promote_types(w.dtype, torch.float32)
    for rows in _views(w):
        a, b, x = (t.reshape(rows, -1).to(wide).contiguous() for t in (w, g, update))
        sums, unit = a.new_empty(rows, 4), torch.empty_like(a)
        _row[(rows,)](a, b, x, sums, unit, a.shape[1], BLOCK=triton.next_power_of_2(a.shape[1]))
        ww, gg, wg, wx = sums.unbind(1)
        passes = (wg.abs() * math.sqrt(a.shape[1]) < delta * ww.sqrt() * gg.sqrt()) | (wg == 0)
        if delta and bool(passes.all()):
            radial = (wx / ww.masked_fill(ww == 0, 1)).unsqueeze(1) * unit
            return (x - radial).reshape(update.shape).to(update.dtype), True
    return update, False


def returns_one(w: Tensor, g: Tensor, update: Tensor, delta: float) -> Tensor:
    return update


def widens(w: Tensor, g: Tensor, update: Tensor, delta: float) -> tuple[Tensor, bool]:
    return update.double(), False


def flattens(w: Tensor, g: Tensor, update: Tensor, delta: float) -> tuple[Tensor, bool]:
    return update.flatten(), False


def takes_nothing(w, g, update, delta):  # type: ignore[no-untyped-def]
    raise TypeError("no arrays, please")


def asks_for_contiguous(w: Tensor, g: Tensor, update: Tensor, delta: float) -> tuple[Tensor, bool]:
    """Wrong where a tensor is not contiguous: it looks at memory, as a kernel does that gets a pointer."""
    flat = w.as_strided((w.numel(),), (1,)).reshape(w.shape)
    q, decided = in_numpy(flat.numpy(), g.contiguous().numpy(), update.contiguous().numpy(), delta)
    return torch.from_numpy(q), decided

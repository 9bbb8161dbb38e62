"""The kernels for GPUs in tests: compiled if there is a GPU, else in Triton's interpreter on the CPU."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch

from tangency.optim import fused as path
from tangency.proofs_checks.subjects import LARGE, SHIPPED, Subject

COMPILED = torch.cuda.is_available()
DEVICE = "cuda" if COMPILED else "cpu"
needs_gpu = pytest.mark.skipif(not COMPILED, reason="no GPU: torch.cuda.is_available() is false")

if not COMPILED and "triton" not in sys.modules:
    # Triton reads this where a function is decorated, its own functions while they are imported.
    with patch.dict(os.environ, {"TRITON_INTERPRET": "1"}):
        pytest.importorskip("triton", reason="triton is not installed: it has no wheel for this platform")
        import triton.experimental.gluon

        import tangency.optim.gpu.launch  # noqa: F401

import triton  # noqa: E402
import triton.language as tl  # noqa: E402

from tangency.optim.gpu import launch, update  # noqa: E402

if not COMPILED:
    if isinstance(update.update, triton.JITFunction):
        pytest.skip("triton was imported before these tests, and not for its interpreter", allow_module_level=True)
    from triton.runtime import interpreter

    _cast = interpreter.InterpreterBuilder.cast_impl

    def _cast_bfloat16(self: Any, value: Any, wanted: Any) -> Any:
        """To nearest, as GPUs and torch do; the interpreter truncates, and gets subnormal numbers wrong."""
        source, target = value.dtype.scalar, wanted.scalar
        if (source, target) == (tl.float32, tl.bfloat16):
            rounded = torch.from_numpy(np.array(value.data)).bfloat16().view(torch.int16).numpy()
            return interpreter.TensorHandle(rounded.view(np.uint16), target)
        if (source, target) == (tl.bfloat16, tl.float32):
            return interpreter.TensorHandle((value.data.astype(np.uint32) << np.uint32(16)).view(np.float32), target)
        return _cast(self, value, wanted)

    for _name in ("cast_impl", "create_fp_ext", "create_fp_trunc"):
        setattr(interpreter.InterpreterBuilder, _name, _cast_bfloat16)


@contextmanager
def kernels() -> Iterator[None]:
    """A context in which fused steps use the GPU's kernels on every device."""
    # Lanes that no row uses may compute 0/0, of which the interpreter warns.
    with patch.dict(path.MODULES, {"cpu": launch.__name__}), np.errstate(all="ignore"):
        yield


def fused(subject: Subject) -> Subject:
    """The fused path of a production optimizer, on the device; the interpreter is too slow for large parameters."""
    offered = subject.capabilities if COMPILED else subject.capabilities - {LARGE}
    return replace(
        subject, name=f"{subject.name}(fused=True)", options={"fused": True}, device=DEVICE, capabilities=offered
    )


SGDP, ADAMP = (fused(subject) for subject in SHIPPED)


def interpreted(function: Callable[..., Any]) -> Any:
    """A function in the form of the interpreter, even where Triton would compile it."""
    with patch.dict(os.environ, {"TRITON_INTERPRET": "1"}):
        return triton.jit(function)

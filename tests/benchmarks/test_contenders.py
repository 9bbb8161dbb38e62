"""Nothing is timed that does not compute what it should, and who is left out says why."""

from typing import Any

import pytest
import torch

from tangency.benchmarks import contenders as module
from tangency.benchmarks.contenders import Contender, LeftOut, WrongStep, contenders, ready, verified
from tangency.benchmarks.optimizers import OPTIMIZERS
from tangency.optim import SGDP, AdamP


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_who_competes(name: str) -> None:
    base = OPTIMIZERS[name].base.__name__
    alone = [contender.name for contender in contenders(name)]
    assert alone[:3] == [f"torch {base} {path}" for path in ("fused", "foreach", "loop")]
    assert alone[3:] == ["tangency loop", "tangency foreach", "tangency fused", "tangency fused, δ = 0"]
    everybody = [contender.name for contender in contenders(name, peers=True, compiled=True)]
    assert everybody[:7] == alone
    assert everybody[7:] == ["tangency compiled", "adamp", "timm", "pytorch_optimizer", "pytorch_optimizer foreach"]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_torch_and_the_readable_path_are_ready(name: str) -> None:
    assert [ready(contender) for contender in contenders(name)[:4]] == [None] * 4


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_published_package_is_ready(name: str) -> None:
    pytest.importorskip("adamp", reason="a peer that is not installed is left out")
    (published,) = (contender for contender in contenders(name, peers=True) if contender.name == "adamp")
    verified(published)


WRONG = [
    (SGDP, OPTIMIZERS["SGDP"].options, "sgdp", {"delta": 0.0}),
    (SGDP, OPTIMIZERS["SGDP"].options, "sgdp", {"delta": 100.0}),
    (SGDP, OPTIMIZERS["SGDP"].options, "sgdp", {"wd_ratio": 0.125}),
    (SGDP, OPTIMIZERS["SGDP"].options, "sgdp", {"nesterov": True}),
    (AdamP, OPTIMIZERS["AdamP"].options, "adamp", {"delta": 0.0}),
    (AdamP, OPTIMIZERS["AdamP"].options, "adamp", {"delta": 100.0}),
    (AdamP, OPTIMIZERS["AdamP"].options, "adamp", {"maximize": True}),
]


@pytest.mark.parametrize(("kind", "options", "algorithm", "wrong"), WRONG)
def test_a_wrong_optimizer_is_never_timed(kind: Any, options: Any, algorithm: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(WrongStep, match="times the bound"):
        verified(Contender("wrong", lambda: kind, options, algorithm, wrong))


class ChannelAlone(SGDP):
    """Takes what would be projected in the layer view as it is."""

    def _update(self, group: Any, lr: Any, ndim: int, w: Any, g: Any, state: Any) -> Any:
        angles = torch.nn.functional.cosine_similarity(w, g, dim=1).abs().max()
        return super()._update(group, lr, ndim if angles < 0.01 else 1, w, g, state)


def test_each_mode_is_verified() -> None:
    with pytest.raises(WrongStep, match="layer view"):
        verified(Contender("no layer view", lambda: ChannelAlone, OPTIMIZERS["SGDP"].options, "sgdp"))


def test_a_wrong_peer_is_left_out_and_one_of_ours_is_an_error() -> None:
    kind, options, algorithm, wrong = WRONG[0]
    left = ready(Contender("theirs", lambda: kind, options, algorithm, wrong))
    assert left is not None
    assert "times the bound" in left.reason
    with pytest.raises(WrongStep, match="ours: "):
        ready(Contender("ours", lambda: kind, options, algorithm, wrong, ours=True))


def test_whoever_cannot_step_in_a_dtype_is_left_out() -> None:
    class Single(torch.optim.SGD):
        def step(self, closure: Any = None) -> Any:
            if self.param_groups[0]["params"][0].dtype is not torch.float32:
                raise ValueError("float32 alone")
            return super().step(closure)

    one = Contender("x", lambda: Single, {})
    assert ready(one) is None
    assert ready(one, dtypes=["float32", "bfloat16"]) == LeftOut("x", "float32 alone")


def test_a_path_that_refuses_is_left_out_with_its_reason() -> None:
    def refuse() -> Any:
        raise RuntimeError("fused=True: there is\n  no fused path here")

    assert ready(Contender("x", refuse, {})) == LeftOut("x", "fused=True: there is no fused path here")


def test_a_broken_path_of_ours_is_not_left_out() -> None:
    def broken() -> Any:
        raise TypeError("unexpected")

    assert ready(Contender("theirs", broken, {})) == LeftOut("theirs", "unexpected")
    with pytest.raises(TypeError, match="unexpected"):
        ready(Contender("ours", broken, {}, ours=True))


@pytest.mark.parametrize("name", ["adamp", "timm", "pytorch_optimizer"])
def test_a_peer_that_is_not_installed_is_left_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda package: None)
    (peer,) = (contender for contender in contenders("AdamP", peers=True) if contender.name == name)
    assert ready(peer) == LeftOut(name, f"{name} is not installed: pip install 'tangency[peers]'")

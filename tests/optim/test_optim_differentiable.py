"""differentiable=True: derivatives of the step agree with central differences; the decision counts as constant."""

import pytest
import torch

from tangency.optim import SGDP, AdamP

W = torch.tensor([[1.0, 2.0, 2.0, -1.0], [3.0, -1.0, 0.5, 2.0]], dtype=torch.float64)
PROJECTED = torch.tensor([[2.0, 1.0, -2.0, 0.5], [1.0, 1.0, 4.0, -2.0]], dtype=torch.float64)
NOT_PROJECTED = W + 0.25
OTHER = torch.tensor([[0.5, -1.0, 1.5, 2.0], [-0.25, 1.0, 0.75, 1.0]], dtype=torch.float64)

OPTIONS = {
    "SGDP": (SGDP, {"momentum": 0.75, "weight_decay": 0.25, "nesterov": True}),
    "SGDP without momentum": (SGDP, {}),
    "AdamP": (AdamP, {"weight_decay": 0.25}),
    "AdamP, Nesterov": (AdamP, {"betas": (0.5, 0.75), "nesterov": True}),
}


def run(cls, options, w, grads, lr, **more):
    """The weights after one differentiable step for each gradient."""
    p = w.clone()
    optimizer = cls([p], lr=lr, differentiable=True, **options, **more)
    for g in grads:
        p.grad = g
        optimizer.step()
    return p


@pytest.mark.parametrize(("cls", "options"), OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("g", [PROJECTED, NOT_PROJECTED], ids=["projected", "not projected"])
def test_derivatives_in_weights_gradients_and_learning_rate(cls, options, g):
    inputs = [x.clone().requires_grad_() for x in (W, OTHER, g, torch.tensor(0.125, dtype=torch.float64))]

    def weights(w, first, second, lr):
        return run(cls, options, w, [first, second], lr)

    # Two steps, so that derivatives pass through the state too. Central differences at h are off by h² f‴/6 and by the
    # rounding of f over h: at h = u^{1/3} both are of order u^{2/3}; 2^10 is for f‴ and for the roundings of the steps.
    h, u = (2.0**-53) ** (1 / 3), 2.0**-53
    assert torch.autograd.gradcheck(weights, inputs, eps=h, atol=2**10 * u ** (2 / 3), rtol=0.0)


@pytest.mark.parametrize(("cls", "options"), OPTIONS.values(), ids=OPTIONS)
def test_values_are_those_of_an_ordinary_step(cls, options):
    p = torch.nn.Parameter(W.clone())
    optimizer = cls([p], lr=0.125, **options)
    for g in (PROJECTED, NOT_PROJECTED, OTHER):
        p.grad = g.clone()
        optimizer.step()
    assert torch.equal(p, run(cls, options, W.requires_grad_(False), [PROJECTED, NOT_PROJECTED, OTHER], 0.125))


@pytest.mark.parametrize("zeros", [slice(None), slice(0, 1)], ids=["all", "one row"])
def test_derivatives_are_finite_where_the_gradient_is_zero(zeros):
    g = PROJECTED.clone()
    g[zeros] = 0.0
    g.requires_grad_()
    w = run(AdamP, {}, W, [g], 0.125)
    (derivative,) = torch.autograd.grad(w.sum(), g)
    assert derivative.isfinite().all()
    # There p = g/(√(g²) + ε) has slope 1/ε, and Π keeps what is orthogonal to w.
    assert derivative[0].abs().max() > 1e6


def test_a_learning_rate_that_asks_for_its_derivative_does_not_need_differentiable_to_step():
    lr = torch.tensor(0.125, requires_grad=True)
    p = torch.nn.Parameter(W.float())
    p.grad = PROJECTED.float()
    for cls in (SGDP, AdamP):
        cls([p], lr=lr).step()
    assert p.grad_fn is None


def test_a_complex_parameter_is_differentiable():
    g = torch.complex(PROJECTED, OTHER).requires_grad_()
    w = run(SGDP, {"momentum": 0.5}, torch.complex(W, OTHER), [g], 0.125)
    (derivative,) = torch.autograd.grad(torch.view_as_real(w).sum(), g)
    assert derivative.isfinite().all()

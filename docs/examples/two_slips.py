"""An AdamP as many people would write it, and the same with two slips that no ordinary training run shows."""

import math

import torch


class Fixed(torch.optim.Optimizer):
    """AdamP; as in the published package, ε is added to the norm of Eq. 10."""

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, delta=0.1, wd_ratio=0.1, nesterov=False
    ):
        if lr < 0 or eps < 0 or weight_decay < 0 or delta < 0 or wd_ratio < 0:
            raise ValueError("lr, eps, weight_decay, delta and wd_ratio must not be negative")
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"betas is {betas}; both must be in [0, 1)")
        names = ("lr", "betas", "eps", "weight_decay", "delta", "wd_ratio", "nesterov")
        values = (lr, betas, eps, weight_decay, delta, wd_ratio, nesterov)
        super().__init__(params, dict(zip(names, values, strict=True)))

    @torch.no_grad()
    def step(self, closure=None):
        """One step of every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.move(p, p.grad, self.state[p], group)
        return loss

    def move(self, p, g, state, group):
        """One step of one parameter."""
        if g.is_sparse:
            raise RuntimeError("sparse gradients are not supported")
        if p.is_complex():
            p, g = torch.view_as_real(p), torch.view_as_real(g)
        if not state:
            state["step"], state["exp_avg"], state["exp_avg_sq"] = 0, torch.zeros_like(p), torch.zeros_like(p)
        state["step"] += 1
        (b1, b2), m, v = group["betas"], state["exp_avg"], state["exp_avg_sq"]
        m.mul_(b1).add_(g, alpha=1 - b1)
        v.mul_(b2).addcmul_(g, g, value=1 - b2)
        denominator = (v.sqrt() / math.sqrt(1 - b2 ** state["step"])).add_(group["eps"])
        update = (b1 * m + (1 - b1) * g if group["nesterov"] else m) / denominator
        ratio = 1.0
        if p.ndim > 1 and p.numel():
            update, ratio = self.project(p, g, update, group)
        decay = 1 - group["lr"] * group["weight_decay"] * ratio
        self.update(p, decay, update * (group["lr"] / (1 - b1 ** state["step"])))

    def project(self, p, g, update, group):
        """Eq. 11, then Eq. 10; the update, and what weight decay is multiplied with."""
        for shape in ((p.shape[0], -1), (1, -1)):
            w, x = p.reshape(shape), update.reshape(shape)
            cosines = torch.nn.functional.cosine_similarity(w, g.reshape(shape), dim=1, eps=group["eps"]).abs()
            if cosines.max() < self.threshold(group["delta"], w):
                unit = w / (w.norm(dim=1, keepdim=True) + group["eps"])
                return (x - unit * (unit * x).sum(dim=1, keepdim=True)).reshape(p.shape), group["wd_ratio"]
        return update, 1.0

    def threshold(self, delta, w):
        """δ/√dim."""
        return delta / math.sqrt(w.shape[1])

    def update(self, p, decay, move):
        """Weight decay, then the step."""
        p.mul_(decay).sub_(move)


class AdamP(Fixed):
    """The same with two slips."""

    def threshold(self, delta, w):
        return delta / math.sqrt(w.shape[0])

    def update(self, p, decay, move):
        p.sub_(move).mul_(decay)

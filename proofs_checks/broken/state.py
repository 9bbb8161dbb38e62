"""Broken in options and state: parameter groups, schedulers, checkpoints, copies, hooks."""

from typing import Any

from tangency.proofs_checks.broken.sound import SGDP
from tangency.proofs_checks.broken.zoo import broken
from tangency.proofs_checks.target.contract import Options


@broken("algorithm-1", "group-options")
class ConstructorsRatio(SGDP):
    """``wd_ratio`` is the constructor's, whatever the group says."""

    def options(self, group: Options) -> Options:
        return {**group, "wd_ratio": self.defaults["wd_ratio"]}


@broken("options-changed-later")
class KeepsTheDecay(SGDP):
    """The weight decay stays what it was when the optimizer was made."""

    def options(self, group: Options) -> Options:
        return {**group, "weight_decay": self.defaults["weight_decay"]}


@broken("learning-rate-scheduler")
class KeepsTheStepSize(SGDP):
    """The step size stays what it was when the optimizer was made."""

    def options(self, group: Options) -> Options:
        return {**group, "lr": self.defaults["lr"]}


@broken("add-param-group")
class NoNewGroups(SGDP):
    """Groups that are added later are dropped."""

    def add_param_group(self, param_group: Options) -> None:
        if not getattr(self, "param_groups", None):
            super().add_param_group(param_group)


@broken("state-dict")
class ForgetsItsState(SGDP):
    """A checkpoint is loaded without the state."""

    def load_state_dict(self, state_dict: Options) -> None:
        super().load_state_dict({**state_dict, "state": {}})


class Note:
    """No tensor and no plain value."""


@broken("state-dict-through-a-file")
class NoteInState(SGDP):
    """The state holds an object that a checkpoint cannot be read with."""

    def finish(self) -> None:
        for state in self.state.values():
            state["note"] = Note()


@broken("deepcopy")
class SharesItsCopies(SGDP):
    """A copy is the optimizer itself."""

    def __deepcopy__(self, memo: Any) -> "SharesItsCopies":
        return self


@broken("pickle")
class FunctionInGroup(SGDP):
    """A parameter group holds a function, which cannot be pickled."""

    def finish(self) -> None:
        for group in self.param_groups:
            group["schedule"] = lambda: 1.0


@broken("step-hooks")
class DeafToHooks(SGDP):
    """A hook before the step is taken and not run."""

    def register_step_pre_hook(self, hook: Any) -> Any:
        return super().register_step_pre_hook(lambda *_: None)


@broken("gradient-scaler")
class ScalesItself(SGDP):
    """It says that it unscales gradients, and does not."""

    _step_supports_amp_scaling = True

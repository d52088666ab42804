"""The optimisers of our own loop: AdamW that loses no update in bfloat16, and Muon for the matrices.

torch does the arithmetic. What is ours: the fp32 master of a bfloat16 weight as value and rest, and the groups
of parameters with rates of their own.
"""

from collections.abc import Iterable
from itertools import chain
from typing import Any

import torch
from torch.distributed.tensor import DTensor
from torch.optim.adamw import adamw

from scriptorium.train.precision import join, split
from scriptorium.train.sharding import like

Group = dict[str, Any]
"""Parameters that share options: `params`, `weight_decay`, and `scale`, their share of the learning rate."""


class AdamW(torch.optim.Optimizer):
    """torch's AdamW, with an exact fp32 master for bfloat16 parameters: two bytes more for each of their weights.

    `moments`: the dtype of the two running means; bfloat16 halves their memory and is not exact.
    """

    def __init__(
        self,
        groups: Iterable[Group],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        moments: torch.dtype = torch.float32,
    ) -> None:
        self.moments = moments
        super().__init__(groups, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": 0.0, "scale": 1.0})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, self.state[parameter] or self._begin(parameter), group)

    def _begin(self, parameter: torch.Tensor) -> dict[str, torch.Tensor]:
        state = self.state[parameter]
        state["step"] = torch.zeros((), dtype=torch.float32)
        for name in ("exp_avg", "exp_avg_sq"):
            state[name] = torch.zeros_like(parameter, dtype=self.moments)
        if parameter.dtype == torch.bfloat16:
            state["rest"] = torch.zeros_like(parameter, dtype=torch.int16)
        return state

    def _move(self, parameter: torch.Tensor, state: dict[str, torch.Tensor], group: Group) -> None:
        """One parameter at a time: its fp32 master exists only here. Of a sharded one, this process's part."""
        gradient = local(parameter.grad)  # type: ignore[arg-type]
        parameter, state = local(parameter), {name: local(value) for name, value in state.items()}
        exact = "rest" in state
        master = join(parameter, state["rest"]) if exact else parameter
        means = [state["exp_avg"].to(master.dtype), state["exp_avg_sq"].to(master.dtype)]
        adamw(
            [master],
            [gradient.to(master.dtype)],
            means[:1],
            means[1:],
            [],
            [state["step"]],
            foreach=False,
            amsgrad=False,
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=False,
        )
        if means[0] is not state["exp_avg"]:
            state["exp_avg"].copy_(means[0])
            state["exp_avg_sq"].copy_(means[1])
        if exact:
            value, rest = split(master)
            parameter.copy_(value)
            state["rest"].copy_(rest)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take whole tensors, each in its own dtype: torch's would cast rest and moments to the parameter's."""
        super().load_state_dict({"state": {}, "param_groups": state_dict["param_groups"]})
        parameters = chain.from_iterable(group["params"] for group in self.param_groups)
        for index, parameter in enumerate(parameters):
            for name, value in state_dict["state"].get(index, {}).items():
                self.state[parameter][name] = value.clone() if name == "step" else like(value, parameter)


def local(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor, or this process's part of one that is spread over several; it shares its memory."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


class MuonAndAdamW(torch.optim.Optimizer):
    """torch's Muon for matrices inside the network, AdamW for everything else; one optimiser to the loop.

    A group says by `muon: True` that its parameters are Muon's. Its rate is matched to AdamW's (`match_rms_adamw`).
    """

    def __init__(self, groups: Iterable[Group], lr: float, **adamw_options: Any) -> None:
        made = list(groups)
        super().__init__(made, {"lr": lr, "weight_decay": 0.0, "scale": 1.0, "muon": False})
        matrices = [group for group in self.param_groups if group["muon"]]
        rest = [group for group in self.param_groups if not group["muon"]]
        self.parts: list[torch.optim.Optimizer] = []
        if matrices:
            self.parts.append(torch.optim.Muon(matrices, lr=lr, adjust_lr_fn="match_rms_adamw"))
        if rest:
            self.parts.append(AdamW(rest, lr, **adamw_options))
        self.param_groups = [group for part in self.parts for group in part.param_groups]

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient."""
        for part in self.parts:
            part.step()

    def state_dict(self) -> dict[str, Any]:
        """The states of both."""
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The states of both."""
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self.param_groups = [group for part in self.parts for group in part.param_groups]

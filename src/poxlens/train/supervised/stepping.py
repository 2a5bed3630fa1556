"""One step of training: augment, mix, forward, backward, update; in smaller parts where memory does not suffice."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from poxlens.errors import TrainingError
from poxlens.train.allocation import lacks_memory
from poxlens.train.supervised.augmenting import augment
from poxlens.train.supervised.losses import Mixer, criterion
from poxlens.train.supervised.parallel import Ranks
from poxlens.train.supervised.settings import Settings
from poxlens.train.torchvision_compat import import_torchvision

if TYPE_CHECKING:
    from poxlens.train.finetuning import FinetunedNetwork
    from poxlens.train.supervised.training import Labelled

_SMALLEST = 2  # images in a part: batch normalisation has no variance of one


class DivergedError(Exception):
    """A loss that is no number; the message says where."""


class Stepper:
    """Network, optimiser and averaged weights.

    Args:
        network: on its device; it is changed.
        train: what is learnt from.
        settings: the recipe.
        ranks: the processes that train together.
        say: told of a batch that was halved.
    """

    def __init__(
        self,
        network: FinetunedNetwork,
        train: Labelled,
        settings: Settings,
        ranks: Ranks,
        say: Callable[[str], None],
    ) -> None:
        self.network, self.train, self.settings, self.ranks, self.say = network, train, settings, ranks, say
        for module in network.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.momentum = settings.norm_momentum
        self.wrapped = ranks.wrapped(network)
        classes = int(network.head[-1].out_features)  # type: ignore[arg-type]
        self.mixer = Mixer(settings, classes)
        self.criterion = criterion(train.truth, classes, settings).to(ranks.device)
        self.optimizer = _optimizer(network, settings)
        self.scaler = torch.amp.GradScaler(enabled=settings.precision == "fp16")
        self.ema: Any = _averaged(network, settings) if settings.ema else None
        self.part = settings.batch  # images at once; halved when memory does not suffice
        self.steps = 0

    @property
    def tested(self) -> nn.Module:
        """The network whose weights count: the averaged one where there is one."""
        return self.ema.module if self.ema is not None else self.network

    @property
    def tested_state(self) -> dict[str, torch.Tensor]:
        """A copy of its weights, on the CPU."""
        return {name: value.detach().cpu().clone() for name, value in self.tested.state_dict().items()}

    def step(self, rows: NDArray[np.int64], rate: float, seed: int) -> tuple[float, float, float]:
        """Learn from some images; sum of their losses, how many were told right, how many there were.

        Args:
            rows: places in the images learnt from.
            rate: learning rate.
            seed: of everything random in this step.

        Raises:
            DivergedError: the loss is no number; weights are as they were.
            TrainingError: two images at once are too many for the memory.
        """
        self.wrapped.train()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        while True:
            try:
                with torch.random.fork_rng(devices=self._gpus()):
                    torch.manual_seed(seed)
                    loss, right = self._gradients(rows, seed)
                break
            except (MemoryError, RuntimeError) as fault:
                if not lacks_memory(fault):
                    raise
                self._halve(len(rows), fault)
        loss, right, count = self.ranks.mean([loss, right, float(len(rows))])
        if not np.isfinite(loss):
            self.optimizer.zero_grad(set_to_none=True)
            raise DivergedError(f"the loss is no number in step {self.steps + 1}")
        self._update()
        return loss, right, count

    def snapshot(self) -> dict[str, Any]:
        """A copy of everything a step changes."""
        return copy.deepcopy(self.state())

    def state(self) -> dict[str, Any]:
        """Everything a step changes, as it is."""
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "ema": self.ema.module.state_dict() if self.ema is not None else {},
            "part": self.part,
            "steps": self.steps,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Back to a state."""
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        if state["scaler"]:
            self.scaler.load_state_dict(state["scaler"])
        if self.ema is not None:
            self.ema.module.load_state_dict(state["ema"])
        self.part, self.steps = int(state["part"]), int(state["steps"])

    def _gradients(self, rows: NDArray[np.int64], seed: int) -> tuple[float, float]:
        """Gradients of a whole batch, summed over its parts."""
        self.optimizer.zero_grad(set_to_none=True)
        device = self.ranks.device
        pixels = torch.from_numpy(self.train.images[rows]).to(device).permute(0, 3, 1, 2)
        draws = torch.Generator().manual_seed(seed)
        planes = augment(pixels, self.settings.augment, draws)
        planes, targets = self.mixer(planes, torch.from_numpy(self.train.truth[rows]).to(device))
        planes = planes.contiguous(memory_format=torch.channels_last)  # twice as fast on a CPU
        loss_sum = right = 0.0
        parts = _parts(len(rows), self.part)
        for number, chosen in enumerate(parts):
            held = self.wrapped.no_sync() if self._held(number, parts) else nullcontext()  # type: ignore[operator]
            with held:
                with self._precision():
                    logits = self.wrapped(planes[chosen].permute(0, 2, 3, 1))
                loss = self.criterion(logits.float(), targets[chosen])
                share = (chosen.stop - chosen.start) / len(rows)
                self.scaler.scale(loss * share).backward()
            loss_sum += float(loss.detach()) * (chosen.stop - chosen.start)
            right += float((logits.detach().argmax(1) == targets[chosen].argmax(1)).sum())
        return loss_sum, right

    def _held(self, number: int, parts: list[slice]) -> bool:
        """Whether gradients wait to be averaged over processes until the last part."""
        return self.ranks.count > 1 and number < len(parts) - 1

    def _update(self) -> None:
        if self.settings.clip:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.steps += 1
        if self.ema is not None:
            self.ema.update(self.network, step=self.steps)

    def _precision(self) -> Any:
        if self.settings.precision == "fp32":
            return nullcontext()
        kind = torch.bfloat16 if self.settings.precision == "bf16" else torch.float16
        return torch.autocast(torch.device(self.ranks.device).type, kind)

    def _halve(self, count: int, fault: BaseException) -> None:
        part = min(self.part, count)
        if part <= _SMALLEST or self.ranks.count > 1:  # the other processes would wait for ever
            raise TrainingError(
                f"{part} images at once are too many for the memory: take a smaller side, batch or network"
            ) from fault
        self.part = max(_SMALLEST, part // 2)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        self.say(
            f"memory does not suffice for {part} images at once: {self.part} from here on, gradients summed"
        )

    def _gpus(self) -> list[int]:
        device = torch.device(self.ranks.device)
        return [device.index or 0] if device.type == "cuda" else []


def _optimizer(network: nn.Module, settings: Settings) -> torch.optim.Optimizer:
    """Biases and normalisation do not decay, as is usual with AdamW."""
    decaying = [one for one in network.parameters() if one.ndim > 1]
    others = [one for one in network.parameters() if one.ndim <= 1]
    groups = [
        {"params": decaying, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, settings.rate, momentum=settings.momentum)
    return torch.optim.AdamW(groups, settings.rate)


def _averaged(network: nn.Module, settings: Settings) -> Any:
    import_torchvision()  # timm imports it, and a plain import can fail
    from timm.utils import ModelEmaV3

    return ModelEmaV3(network, decay=settings.ema, use_warmup=True, warmup_power=0.75)


def _parts(count: int, size: int) -> list[slice]:
    """Slices of at most `size`, none of a single image."""
    starts = list(range(0, count, size))
    if len(starts) > 1 and count - starts[-1] < _SMALLEST:
        starts.pop()
    return [slice(start, stop) for start, stop in zip(starts, [*starts[1:], count], strict=True)]

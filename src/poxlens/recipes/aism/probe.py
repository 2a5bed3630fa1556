"""A new classifier on frozen features: what a start is worth before any of its layers learn (Chen et al. 2020, 4.1).

Features are the mean over an image and its mirror image; the classifier is logistic regression whose strength is chosen
on the validation part. It costs a thousandth of training every layer, so all folds and shares can be had.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from poxlens.recipes.compare.folds import Fold
from poxlens.recipes.compare.heads import run_head
from poxlens.recipes.compare.study import Tuning
from poxlens.train.finetuning import FinetunedNetwork
from poxlens.train.tuning import Part

Floats = NDArray[np.float32]
_AT_ONCE = 64  # images
_SETTLED = 512  # images that statistics are taken from


def frozen_features(network: FinetunedNetwork, images: NDArray[np.uint8], device: str) -> Floats:
    """Embeddings [N, D] of images [N, S, S, 3] uint8, each averaged with its mirror image's; nothing learns."""
    network.to(device).eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(images), _AT_ONCE):
            some = torch.from_numpy(np.ascontiguousarray(images[start : start + _AT_ONCE])).to(device)
            both = [network.backbone.both(one)[1] for one in (some, some.flip(2))]
            parts.append(((both[0] + both[1]) / 2).float().cpu().numpy())
    found: Floats = np.concatenate(parts)
    return found


def settle(network: FinetunedNetwork, images: NDArray[np.uint8], device: str) -> None:
    """Give a network of random weights the statistics that its batch normalisation would have on these images.

    Without them its maps shrink from layer to layer until all images look alike: the comparison would be with nothing.

    Args:
        network: changed.
        images: [N, S, S, 3] uint8 of the training part.
        device: PyTorch's name of it.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    for module in norms:
        module.reset_running_stats()
        module.momentum = None  # the plain mean over batches
    network.to(device).train()
    with torch.inference_mode():
        for start in range(0, min(len(images), _SETTLED), _AT_ONCE):
            some = np.ascontiguousarray(images[start : start + _AT_ONCE])
            network.backbone.both(torch.from_numpy(some).to(device))


def probe(features: Floats, truth: NDArray[np.int64], fold: Fold, classes: int, seed: int) -> Floats:
    """Calibrated probabilities [T, C] of a fold's test part.

    Args:
        features: [N, D] of all images.
        truth: [N], class numbers.
        fold: what is learnt from, chosen on and tested.
        classes: how many.
        seed: of everything random.
    """
    train, validation = (Part(features[rows], truth[rows]) for rows in (fold.train, fold.validation))
    name = f"fold {fold.number}"
    told = run_head(
        "logistic", train, validation, features[fold.test], classes, Tuning(), seed=seed, name=name
    )
    return told.probabilities

"""Detectors of novelty: each learns from known images and scores others, higher = less like the known."""

from poxlens.train.novelty.gate import Gate as Gate
from poxlens.train.novelty.subspace import Subspace as Subspace

Novelty = Subspace | Gate
"""What a bundle's graph can compute beside its logits."""

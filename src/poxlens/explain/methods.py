"""Five ways to ask what in a photo spoke for a class, for any network: one map a photo, 0 or more.

Grad-CAM, Grad-CAM++ and LayerCAM are the grad-cam library's, Integrated Gradients and occlusion are Captum's. Both are
called for the map as it is: the library's own scaling to 0..1 would hide how much there was to show.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, cast, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from poxlens.errors import MissingExtraError
from poxlens.explain.network import Explainable, ExplanationError
from poxlens.train.torchvision_compat import import_torchvision

Method = Literal["gradcam", "gradcam++", "layercam", "integrated-gradients", "occlusion"]
METHODS: tuple[Method, ...] = get_args(Method)
CITED = {
    "gradcam": "Selvaraju et al. 2017",
    "gradcam++": "Chattopadhay et al. 2018",
    "layercam": "Jiang et al. 2021",
    "integrated-gradients": "Sundararajan et al. 2017",
    "occlusion": "Zeiler and Fergus 2014",
}
STEPS = 32  # of the path that gradients are integrated along
WINDOW, STRIDE = 32, 16  # px of 224 that occlusion hides, and by which it moves
_COARSE = 7  # squares a side to which a photo is reduced to say nothing: see `plain`

Maps = NDArray[np.float32]


def explain(
    network: Explainable, images: NDArray[np.uint8], targets: int | Sequence[int], method: Method = "gradcam"
) -> Maps:
    """Maps [N, h, w] >= 0 of what spoke for the target: of the layer's size for the CAMs, else [N, S, S].

    Args:
        network: with its head.
        images: [N, S, S, 3] uint8 RGB.
        targets: class number of every image, or one for all.
        method: one of METHODS.

    Raises:
        ExplanationError: unknown method, class or shape of images, or a map that is not of numbers.
        MissingExtraError: the libraries are not installed.
    """
    if method not in METHODS:
        raise ExplanationError(f"no method {method!r}: choose from {', '.join(METHODS)}")
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3 or not len(images):
        raise ExplanationError(f"images must be uint8 [N, S, S, 3], not {images.dtype} {images.shape}")
    wanted = [targets] * len(images) if isinstance(targets, int) else list(targets)
    if len(wanted) != len(images):
        raise ExplanationError(f"{len(wanted)} targets for {len(images)} images")
    planes = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).to(torch.float32)
    chosen = torch.tensor(wanted)
    with torch.no_grad():
        classes = network(planes[:1]).shape[1]
    if min(wanted) < 0 or max(wanted) >= classes:
        raise ExplanationError(
            f"class numbers must be 0 to {classes - 1}, not {min(wanted)} to {max(wanted)}"
        )
    found = _WAYS[method](network, planes, chosen, method)
    if not np.isfinite(found).all():
        raise ExplanationError(f"{method}: the map holds values that are not numbers")
    return found


def plain(planes: torch.Tensor) -> torch.Tensor:
    """The photo that says nothing: its colours in 7 x 7 soft squares.

    Black, the usual choice, lies close to dark skin and far from light skin, so that the same lesion would get less on
    dark skin; a photo's own blurred colours favour none (Sturmfels et al. 2020, "Visualizing the impact of feature
    attribution baselines").
    """
    small = functional.adaptive_avg_pool2d(planes, (_COARSE, _COARSE))
    return functional.interpolate(small, planes.shape[-2:], mode="bilinear", align_corners=False)


def _library(name: str) -> Any:
    import_torchvision()  # grad-cam imports it, and a plain import can fail
    try:
        if name == "captum":
            import captum.attr

            return captum.attr
        import pytorch_grad_cam
    except ModuleNotFoundError as fault:
        raise MissingExtraError("explain", "poxlens explain") from fault
    return pytorch_grad_cam


def _cam(network: Explainable, planes: torch.Tensor, targets: torch.Tensor, method: Method) -> Maps:
    library = _library("grad-cam")
    kinds = {"gradcam": library.GradCAM, "gradcam++": library.GradCAMPlusPlus, "layercam": library.LayerCAM}
    cam = kinds[method](network, [network.layer], reshape_transform=network.reshape)
    try:
        planes = planes.requires_grad_(True)  # the weights are frozen: without this nothing has a gradient
        logits = cam.activations_and_grads(planes)
        logits.gather(1, targets[:, None]).sum().backward()
        activations = cam.activations_and_grads.activations[0].numpy()
        gradients = cam.activations_and_grads.gradients[0].numpy()
        raw = cam.get_cam_image(planes, network.layer, None, activations, gradients, eigen_smooth=False)
    finally:
        cam.activations_and_grads.release()
    return np.maximum(np.asarray(raw, np.float32), 0.0)


def _gradients(network: Explainable, planes: torch.Tensor, targets: torch.Tensor, method: Method) -> Maps:
    del method
    way = _library("captum").IntegratedGradients(network, multiply_by_inputs=True)
    found = way.attribute(
        planes, baselines=plain(planes), target=targets, n_steps=STEPS, internal_batch_size=8
    )
    return _spoke_for(found)


def _occlusion(network: Explainable, planes: torch.Tensor, targets: torch.Tensor, method: Method) -> Maps:
    del method
    way = _library("captum").Occlusion(network)
    unit = planes.shape[-1] / 224
    window, stride = max(1, round(WINDOW * unit)), max(1, round(STRIDE * unit))
    with torch.no_grad():
        found = way.attribute(
            planes,
            sliding_window_shapes=(3, window, window),
            strides=(3, stride, stride),
            baselines=plain(planes),
            target=targets,
            perturbations_per_eval=8,
        )
    # Captum gives each pixel of a window the fall of the logit, in all three colours alike.
    return _spoke_for(found / 3)


def _spoke_for(attributions: torch.Tensor) -> Maps:
    """What spoke for the class of [N, 3, S, S]: the positive part of the sum over colours."""
    return cast(Maps, attributions.detach().sum(1).clamp(min=0).numpy().astype(np.float32))


_WAYS: dict[str, Callable[[Explainable, torch.Tensor, torch.Tensor, Method], Maps]] = {
    "gradcam": _cam,
    "gradcam++": _cam,
    "layercam": _cam,
    "integrated-gradients": _gradients,
    "occlusion": _occlusion,
}

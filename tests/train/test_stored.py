"""The stored backbone against torch, and its rounding against what rounding can be."""

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx import TensorProto

from poxlens.train.features import Extractor
from poxlens.train.stored import FEATURES, eight_bits, relative_error, store_backbone

SIDE = 128


def run(model, images):
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run([FEATURES], {"image": images})[0]


@pytest.fixture(scope="module")
def expected(lite0, images):
    with torch.inference_mode():
        return lite0(torch.from_numpy(images)).numpy()


def test_outputs_are_those_of_torch(stored, images, expected):
    found = run(stored.model, images)
    assert found.shape == expected.shape == (8, 4, 4, 1280)
    error = np.sqrt(((found - expected) ** 2).mean() / (expected**2).mean())
    assert error < 0.005  # half precision has a step of 0.001, over fifty layers


def test_eight_bits_lose_little_and_only_where_the_size_asks(lite0, stored, images, expected):
    assert stored.eight_bit == ()
    small = store_backbone(lite0, side=SIDE, most_bytes=5_500_000)
    assert small.eight_bit
    assert len(small.model) < 1.02 * 5_500_000 < len(stored.model)
    names = {t.name for t in onnx.load_from_string(small.model).graph.initializer}
    assert {f"{name}.steps" for name in small.eight_bit} <= names
    model = onnx.load_from_string(small.model)
    large = [t for t in model.graph.initializer if t.data_type in (TensorProto.FLOAT16, TensorProto.INT8)]
    size = sum(int(np.prod(list(t.dims))) * (2 if t.data_type == TensorProto.FLOAT16 else 1) for t in large)
    assert size <= 5_500_000
    found = run(small.model, images)
    assert np.sqrt(((found - expected) ** 2).mean() / (expected**2).mean()) < 0.1
    a, b = found.mean((1, 2)), expected.mean((1, 2))
    cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    assert cosine.min() > 0.995


def test_what_goes_to_eight_bits_is_pointwise_and_least_sensitive(lite0, stored):
    small = store_backbone(lite0, side=SIDE, most_bytes=5_500_000)
    model = onnx.load_from_string(stored.model)
    half = {t.name.removesuffix(".half"): onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    pointwise = {
        name: values.astype(np.float32)
        for name, values in half.items()
        if values.ndim == 4 and values.shape[2:] == (1, 1) and values.size >= 1024
    }
    chosen = set(small.eight_bit)
    assert chosen < set(pointwise)
    error = {name: relative_error(values) for name, values in pointwise.items()}
    assert max(error[name] for name in chosen) <= min(error[name] for name in set(pointwise) - chosen) + 1e-4
    assert max(error[name] for name in chosen) < 0.021


def test_the_same_bytes_every_time(lite0, stored):
    assert store_backbone(lite0, side=SIDE).model == stored.model


def test_no_large_weight_is_stored_in_full(stored):
    for tensor in onnx.load_from_string(stored.model).graph.initializer:
        entries = int(np.prod(list(tensor.dims)))
        assert tensor.data_type != TensorProto.FLOAT or len(tensor.dims) < 2 or entries < 1024, tensor.name


def test_the_input_is_uint8_of_any_count(stored):
    (node,) = onnx.load_from_string(stored.model).graph.input
    shape = [d.dim_param or d.dim_value for d in node.type.tensor_type.shape.dim]
    assert (node.name, node.type.tensor_type.elem_type) == ("image", TensorProto.UINT8)
    assert shape == ["N", SIDE, SIDE, 3]


def test_an_image_does_not_depend_on_its_neighbours(stored, images):
    extractor = Extractor(stored)
    together = extractor.pooled(images)
    alone = np.concatenate([extractor.pooled(image[None]) for image in images])
    assert np.abs(together - alone).max() < 1e-5


weights = arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.integers(1, 7), st.just(1), st.just(1)),
    elements=st.floats(-1e3, 1e3, width=32).filter(lambda v: v == 0 or abs(v) > 1e-6),
)


@settings(max_examples=200, deadline=None)
@given(weights)
def test_eight_bits_are_within_half_a_step(values):
    steps, scale = eight_bits(values)
    assert steps.dtype == np.int8
    assert scale.dtype == np.float32
    assert scale.shape == (len(values),)
    assert steps.min() >= -127
    back = steps.astype(np.float64) * scale.astype(np.float64).reshape(-1, 1, 1, 1)
    bound = scale.reshape(-1, 1, 1, 1).astype(np.float64) * (0.5 + 1e-4)
    assert (np.abs(back - values) <= bound).all()
    largest = np.abs(values).reshape(len(values), -1).max(1)
    assert np.abs(steps.reshape(len(values), -1)).max(1) == pytest.approx(np.where(largest > 0, 127, 0))


def test_relative_error_by_hand():
    values = np.array([[127.0, 0.5, 0.0, 0.25]], np.float32).reshape(1, 4, 1, 1)
    # One step is 1: 0.5 goes to 0 (to even), 0.25 to 0.
    assert relative_error(values) == pytest.approx(
        np.sqrt((0.25 + 0.0625) / (127**2 + 0.25 + 0.0625)), rel=1e-5
    )
    assert relative_error(np.zeros((2, 3, 1, 1), np.float32)) == 0.0

"""Networks: layers, their parameters, and the plan and image that a device obeys."""

from __future__ import annotations

from shoal.nn.arrays import Arrays
from shoal.nn.layers import (
    LSTM,
    SVDF,
    Activation,
    AveragePool2D,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dequantize,
    Flatten,
    GlobalAveragePool2D,
    GroupNorm,
    Layer,
    LeakyReLU,
    MaxPool2D,
    Pad2D,
    Quantize,
    ReLU,
    ReLU6,
    Reshape,
    Residual,
    ResizeNearest,
    Sigmoid,
    Softmax,
    Standardize,
    Tanh,
)
from shoal.nn.loader import load
from shoal.nn.network import Network
from shoal.nn.plan import Operation, Plan, Tensor
from shoal.nn.quantization import Quantization

__all__ = [
    "Activation",
    "Arrays",
    "AveragePool2D",
    "Conv2D",
    "Dense",
    "DepthwiseConv2D",
    "Dequantize",
    "Flatten",
    "GlobalAveragePool2D",
    "GroupNorm",
    "LSTM",
    "Layer",
    "LeakyReLU",
    "MaxPool2D",
    "Network",
    "Operation",
    "Pad2D",
    "Plan",
    "Quantization",
    "Quantize",
    "ReLU",
    "ReLU6",
    "Reshape",
    "Residual",
    "ResizeNearest",
    "SVDF",
    "Sigmoid",
    "Softmax",
    "Standardize",
    "Tanh",
    "Tensor",
    "load",
]

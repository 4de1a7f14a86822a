"""Layers, one operator family per file."""

from __future__ import annotations

from shoal.nn.layers.activation import Activation, LeakyReLU, ReLU, ReLU6, Sigmoid, Softmax, Tanh
from shoal.nn.layers.base import Layer
from shoal.nn.layers.conv import Conv2D, DepthwiseConv2D
from shoal.nn.layers.dense import Dense
from shoal.nn.layers.lstm import LSTM
from shoal.nn.layers.normalization import GroupNorm, Standardize
from shoal.nn.layers.padding import Pad2D, ResizeNearest
from shoal.nn.layers.pool import AveragePool2D, GlobalAveragePool2D, MaxPool2D
from shoal.nn.layers.quantize import Dequantize, Quantize
from shoal.nn.layers.reshape import Flatten, Reshape
from shoal.nn.layers.residual import Residual
from shoal.nn.layers.svdf import SVDF

__all__ = [
    "Activation",
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
    "Pad2D",
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
]

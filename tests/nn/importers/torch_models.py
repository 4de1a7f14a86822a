"""Modules of PyTorch that the importers read, and how far a network is from each."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from tests.nn.importers.onnx_models import answer, distance, hwc


class Residual(nn.Module):
    """A block of a residual network, with a projection where the shape changes."""

    def __init__(self, channels, filters, stride=1):
        super().__init__()
        self.first = nn.Conv2d(channels, filters, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(filters)
        self.second = nn.Conv2d(filters, filters, 3, 1, 1)
        self.short = nn.Identity() if channels == filters else nn.Conv2d(channels, filters, 1, stride)

    def forward(self, x):
        return functional.relu(self.second(functional.relu(self.norm(self.first(x)))) + self.short(x))


class Before(nn.Module):
    """A block that normalizes before it convolves."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return x + self.conv(functional.relu(self.norm(x)))


class View(nn.Module):
    """All values in one row, in the way of older code."""

    def forward(self, x):
        return x.view(x.size(0), -1)


def convolutional():
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, stride=2),
        nn.ReLU6(),
        nn.MaxPool2d(3, 2, 1),
        nn.Conv2d(6, 12, 3, padding=1, groups=6),
        nn.BatchNorm2d(12),
        nn.LeakyReLU(0.2),
        nn.AvgPool2d(2, ceil_mode=True),
        View(),
        nn.Dropout(),
        nn.Linear(48, 4),
    )


MODULES = {
    "mlp": lambda: (
        nn.Sequential(nn.BatchNorm1d(7), nn.Linear(7, 9), nn.Tanh(), nn.Linear(9, 3), nn.Softmax(1)),
        (7,),
    ),
    "convolutional": lambda: (convolutional(), (3, 15, 14)),
    "residual": lambda: (
        nn.Sequential(
            Residual(3, 8),
            Residual(8, 8),
            Residual(8, 12, 2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(12, 4),
        ),
        (3, 9, 8),
    ),
    "before": lambda: (
        nn.Sequential(nn.Conv2d(2, 4, 3), Before(4), Before(4), nn.Flatten(), nn.Linear(120, 3)),
        (2, 8, 7),
    ),
    "row": lambda: (
        nn.Sequential(
            nn.Conv1d(3, 8, 5, padding=2),
            nn.BatchNorm1d(8),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Conv1d(8, 8, 3, groups=8),
            nn.AdaptiveAvgPool1d(1),
            nn.Flatten(),
            nn.Linear(8, 4),
        ),
        (3, 20),
    ),
    "groups": lambda: (
        nn.Sequential(nn.Conv2d(2, 6, 3), nn.GroupNorm(3, 6), nn.PReLU(), nn.Flatten(), nn.Linear(72, 3)),
        (2, 5, 6),
    ),
    "image": lambda: (
        nn.Sequential(
            nn.ZeroPad2d((0, 1, 2, 1)),
            nn.Conv2d(2, 4, (2, 3)),
            nn.Sigmoid(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(4, 1, 1),
        ),
        (2, 6, 5),
    ),
}


def build(name, batch=1):
    """Return a module with statistics as after training, and an input."""
    torch.manual_seed(len(name))
    module, shape = MODULES[name]()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.3)
            part.running_var.uniform_(0.5, 2)
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.normal_(part.bias, 0, 0.3)
    return module.eval(), torch.randn(batch, *shape)


def distance_of(module, network, x):
    """Return how far the network's answers are from the module's, relative to the largest."""
    with torch.no_grad():
        expected = module(x).numpy()
    assert np.ptp(expected) > 0
    return max(
        distance(answer(network, hwc(sample)), hwc(wanted))
        for sample, wanted in zip(x.numpy(), expected, strict=True)
    )

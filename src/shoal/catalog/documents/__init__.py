"""The documents of the catalog: models, devices, boards and what happens to them."""

from __future__ import annotations

from shoal.catalog.documents.amount import Capacity, Need
from shoal.catalog.documents.board import Board, Hardware, Runtime
from shoal.catalog.documents.device import Device
from shoal.catalog.documents.document import Document, Part
from shoal.catalog.documents.hardware import board_document, board_hardware, board_of, hardware_of
from shoal.catalog.documents.limits import parse
from shoal.catalog.documents.model import Input, Lineage, Metric, Model, Operator, Quantization, Tensor
from shoal.catalog.documents.records import Alias, Deployment, LearningState, Measurement, Query, Run
from shoal.catalog.documents.schemas import KINDS, kind_of, schema
from shoal.catalog.documents.sensor import Sensor, SensorNeed
from shoal.catalog.documents.thing import Thing

__all__ = [
    "Alias",
    "Board",
    "Capacity",
    "Deployment",
    "Device",
    "Document",
    "Hardware",
    "Input",
    "KINDS",
    "LearningState",
    "Lineage",
    "Measurement",
    "Metric",
    "Model",
    "Need",
    "Operator",
    "Part",
    "Quantization",
    "Query",
    "Run",
    "Runtime",
    "Sensor",
    "SensorNeed",
    "Tensor",
    "Thing",
    "board_document",
    "board_hardware",
    "board_of",
    "hardware_of",
    "kind_of",
    "parse",
    "schema",
]

"""Adds metadata to a TensorFlow Lite file, as TensorFlow's own tools do: a buffer, an entry, a zip behind."""

from __future__ import annotations

import io
import zipfile

import flatbuffers
import numpy as np

from tests.nn.importers.tflite_writer import Writer
from tests.nn.importers.tflite_writer import table as tflite_table


def metadata(**said):
    """Return the buffer: name, description, version, author, license; mean and std; labels."""
    b = flatbuffers.Builder(256)
    units = []
    if "mean" in said:
        mean, std = (b.CreateNumpyVector(np.array(said[name], np.float32)) for name in ("mean", "std"))
        options = table(b, {0: offset(mean), 1: offset(std)})
        units = [table(b, {0: byte(1), 1: offset(options)})]
    names = said.get("labels", ())
    strings = [b.CreateString(one) for one in names]
    files = [table(b, {0: offset(one), 2: byte(2)}) for one in strings]
    description = b.CreateString(said.get("input", "samples"))
    inputs = [table(b, {1: offset(description), 4: offset(vector(b, units))})]
    outputs = [table(b, {6: offset(vector(b, files))})]
    graph = table(b, {2: offset(vector(b, inputs)), 3: offset(vector(b, outputs))})
    texts = {
        place: offset(b.CreateString(said[name]))
        for place, name in ((0, "name"), (1, "description"), (4, "author"), (5, "license"))
        if name in said
    }
    root = table(b, texts | {3: offset(vector(b, [graph]))})
    b.Finish(root, said.get("identifier", b"M001"))
    return bytes(b.Output())


def offset(value):
    return lambda b, slot: b.PrependUOffsetTRelativeSlot(slot, value, 0)


def byte(value):
    return lambda b, slot: b.PrependUint8Slot(slot, value, 0)


def table(b, fields):
    """Add a table whose fields are written by functions."""
    b.StartObject(max(fields, default=0) + 1)
    for slot, write in fields.items():
        write(b, slot)
    return b.EndObject()


def vector(b, offsets):
    """Add a vector of tables."""
    b.StartVector(4, len(offsets), 4)
    for one in reversed(offsets):
        b.PrependUOffsetTRelative(one)
    return b.EndVector()


class Described(Writer):
    """A writer of models with metadata."""

    def described(self, inputs, outputs, said, files=()):
        """Return the file with metadata and a zip of files: names and contents, or a ready zip."""
        b = flatbuffers.Builder(1024)
        names = sorted({name for name, *_ in self.operators})
        codes = [self._code(b, name, both=True) for name in names]
        self.datas.append(np.frombuffer(said, np.uint8))
        buffers = [self._buffer(b, data) for data in self.datas]
        tensors = [self._tensor(b, *tensor) for tensor in self.tensors]
        operators = [self._operator(b, names, *operator) for operator in self.operators]
        graph = tflite_table(
            b,
            "SubGraph",
            Tensors=vector(b, tensors),
            Inputs=b.CreateNumpyVector(np.array(inputs, np.int32)),
            Outputs=b.CreateNumpyVector(np.array(outputs, np.int32)),
            Operators=vector(b, operators),
        )
        entry = tflite_table(b, "Metadata", Name=b.CreateString("TFLITE_METADATA"), Buffer=len(buffers) - 1)
        fields = {
            "OperatorCodes": vector(b, codes),
            "Subgraphs": vector(b, [graph]),
            "Buffers": vector(b, buffers),
            "Metadata": vector(b, [entry]),
        }
        b.Finish(tflite_table(b, "Model", Version=3, **fields), b"TFL3")
        return bytes(b.Output()) + (files if isinstance(files, bytes) else zipped(files))


def zipped(files):
    """Return a zip."""
    if not files:
        return b""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, text in files:
            opened.writestr(name, text)
    return archive.getvalue()

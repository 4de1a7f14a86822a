"""Writes small TensorFlow Lite models, sound or broken."""

from __future__ import annotations

import flatbuffers
import numpy as np
import tflite

OPTIONS = {
    "ADD": "AddOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "EXPAND_DIMS": "ExpandDimsOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "LEAKY_RELU": "LeakyReluOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "MEAN": "ReducerOptions",
    "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighborOptions",
    "SOFTMAX": "SoftmaxOptions",
    "SQUEEZE": "SqueezeOptions",
    "SVDF": "SVDFOptions",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTMOptions",
}


class Writer:
    """Tensors and operators in the order in which they are added."""

    def __init__(self):
        self.tensors, self.operators, self.datas = [], [], [None]

    def value(self, shape, scale=None, zero=0, dtype="FLOAT32", **more):
        """Add what an operator computes, or the input; the number of its tensor."""
        self.tensors.append((shape, dtype, 0, None if scale is None else ([scale], [zero], 0), more))
        return len(self.tensors) - 1

    def constant(self, data, scales=None, zeros=(0,), axis=0, **more):
        """Add a constant."""
        data = np.asarray(data)
        self.datas.append(data)
        quantized = None if scales is None else (scales, zeros, axis)
        self.tensors.append((data.shape, data.dtype.name.upper(), len(self.datas) - 1, quantized, more))
        return len(self.tensors) - 1

    def add(self, name, inputs, outputs, intermediates=(), **options):
        """Add an operator; `options` by the schema's names, none at all where `options` is empty."""
        self.operators.append((name, list(inputs), list(outputs), list(intermediates), options))

    def bytes(self, inputs, outputs, subgraphs=1, version=3, *, both=True):
        """Return the file, with the codes of operators in both fields or in the new one alone."""
        b = flatbuffers.Builder(1024)
        names = sorted({name for name, *_ in self.operators})
        codes = [self._code(b, name, both=both) for name in names]
        buffers = [self._buffer(b, data) for data in self.datas]
        tensors = [self._tensor(b, *tensor) for tensor in self.tensors]
        operators = [self._operator(b, names, *operator) for operator in self.operators]
        parts = {
            "Tensors": tables(b, tensors),
            "Inputs": b.CreateNumpyVector(np.array(inputs, np.int32)),
            "Outputs": b.CreateNumpyVector(np.array(outputs, np.int32)),
            "Operators": tables(b, operators),
        }
        graph = table(b, "SubGraph", **parts)
        fields = {"Version": version, "OperatorCodes": tables(b, codes)}
        fields |= {"Subgraphs": tables(b, [graph] * subgraphs), "Buffers": tables(b, buffers)}
        b.Finish(table(b, "Model", **fields), b"TFL3")
        return bytes(b.Output())

    @staticmethod
    def _code(b, name, *, both):
        if name.startswith("CUSTOM"):
            text = b.CreateString(name[7:])
            return table(b, "OperatorCode", BuiltinCode=32, DeprecatedBuiltinCode=32, CustomCode=text)
        code = getattr(tflite.BuiltinOperator, name)
        return table(b, "OperatorCode", BuiltinCode=code, DeprecatedBuiltinCode=both * min(code, 127))

    @staticmethod
    def _buffer(b, data):
        if data is None:
            return table(b, "Buffer")
        return table(b, "Buffer", Data=b.CreateByteVector(data.tobytes()))

    @staticmethod
    def _tensor(b, shape, dtype, buffer, quantized, more):
        fields = {"Shape": b.CreateNumpyVector(np.array(shape, np.int32)), "Buffer": buffer}
        fields["Type"] = getattr(tflite.TensorType, dtype)
        if quantized is not None:
            scales = b.CreateNumpyVector(np.array(quantized[0], np.float32))
            zeros = b.CreateNumpyVector(np.array(quantized[1], np.int64))
            parts = {"Scale": scales, "ZeroPoint": zeros, "QuantizedDimension": quantized[2]}
            fields["Quantization"] = table(b, "QuantizationParameters", **parts)
        if more.pop("sparse", False):
            fields["Sparsity"] = table(b, "SparsityParameters")
        return table(b, "Tensor", **fields, **more)

    @staticmethod
    def _operator(b, names, name, inputs, outputs, intermediates, options):
        fields = {"OpcodeIndex": names.index(name)}
        fields["Inputs"] = b.CreateNumpyVector(np.array(inputs, np.int32))
        fields["Outputs"] = b.CreateNumpyVector(np.array(outputs, np.int32))
        if intermediates:
            fields["Intermediates"] = b.CreateNumpyVector(np.array(intermediates, np.int32))
        if name in OPTIONS and options:
            fields["BuiltinOptions"] = table(b, OPTIONS[name], **options)
            fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, OPTIONS[name])
        return table(b, "Operator", **fields)


def table(b, kind, **fields):
    """Add a table."""
    getattr(tflite, f"{kind}Start")(b)
    for name, value in fields.items():
        getattr(tflite, f"{kind}Add{name}")(b, value)
    return getattr(tflite, f"{kind}End")(b)


def tables(b, offsets):
    """Add a vector of tables."""
    b.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        b.PrependUOffsetTRelative(offset)
    return b.EndVector()

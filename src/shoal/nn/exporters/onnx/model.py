"""Networks as ONNX models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.errors import MissingExtraError
from shoal.nn.exporters.onnx.graph import Graph, Tensor
from shoal.nn.exporters.onnx.layers import write

if TYPE_CHECKING:
    from shoal.nn.network import Network
    from shoal.nn.shapes import Shape

__all__ = ["to_onnx"]

OPERATOR_SET = 17
# Operators that can say what a layer does only from a newer set on.
OPERATOR_SETS = {"GroupNormalization": 21, "Resize": 18}


def to_onnx(network: Network) -> bytes:
    """Return a network as an ONNX model that answers as it does.

    Parameters
    ----------
    network
        Of float32 layers; without Standardize, whose statistics belong to a device.

    Returns
    -------
    bytes
        Of a model from ``sample`` (N, ...) to ``answer`` (N, ...), both in the network's shapes; images are
        (N, height, width, channels). Classes in reserve are left out. Nodes are named for their layers.

    Raises
    ------
    MissingExtraError
        Where the package onnx is not installed.
    ConfigError
        Where a layer has no operator in ONNX.

    Examples
    --------
    >>> from shoal import nn
    >>> content = to_onnx(nn.Network([nn.Dense(8, "relu"), nn.Dense(2)], input_shape=(4,)))
    >>> from shoal.nn.importers import onnx
    >>> onnx.decode(content, "net.onnx").output_shape
    (2,)
    """
    try:
        import onnx
    except ImportError:
        raise MissingExtraError("onnx", "onnx") from None
    graph = Graph(network, onnx.helper.make_node)
    answer = graph.last(write(graph, network.layers, Tensor("sample", network.input_shape)))
    # The last node gives the answer, whatever its layer is called.
    graph.nodes[-1].output[0] = "answer"
    shape = (*answer.shape[:-1], network.active)
    newest = max(OPERATOR_SETS.get(node.op_type, OPERATOR_SET) for node in graph.nodes)
    operators = [onnx.helper.make_opsetid("", newest)]
    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            graph.nodes,
            "network",
            [value_info(onnx, "sample", network.input_shape)],
            [value_info(onnx, "answer", shape)],
            [onnx.numpy_helper.from_array(array, name) for name, array in graph.constants.items()],
        ),
        producer_name="shoal",
        ir_version=onnx.helper.find_min_ir_version_for(operators),
        opset_imports=operators,
    )
    content: bytes = model.SerializeToString()
    return content


def value_info(onnx: Any, name: str, shape: Shape) -> Any:
    """Return the description of the input or output."""
    return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", *shape])

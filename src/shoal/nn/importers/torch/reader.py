"""Reads a ``.pt2`` archive as PyTorch's exporter writes it, without PyTorch and without running code from it.

The archive holds the graph as JSON and each parameter as plain bytes. What it holds pickled is never opened.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.nn.importers.archive import Archive, described
from shoal.nn.importers.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Program"]

SCHEMA = 8
LARGEST = 1 << 26
# The numbers of ScalarType in the schema.
DTYPES = {1: "u1", 2: "i1", 3: "<i2", 4: "<i4", 5: "<i8", 6: "<f2", 7: "<f4", 8: "<f8", 12: "?"}
FLOAT = 7
STORES = {"weights": ("parameter", "buffer"), "constants": ("tensor_constant",)}


class Program:
    """A graph and its constants.

    Parameters
    ----------
    content
        The archive's bytes.

    Attributes
    ----------
    nodes : list
        As in the file.
    input, output : str
        Names of the sample and of the answer.
    modules : dict
        Name of a constant in the graph to its name in the model.

    Raises
    ------
    ModelError
        Where it is damaged, of another version, or has several inputs or outputs.
    """

    def __init__(self, content: bytes) -> None:
        self._archive = Archive(content)
        roots = [name[: -len("models/model.json")] for name in self._archive.names if is_model(name)]
        if len(roots) != 1:
            raise ModelError(
                f"an archive with {len(roots)} exported programs",
                hint="torch.export.save of PyTorch 2.9 or newer",
            )
        self._root = roots[0]
        model = self._archive.json(self._root + "models/model.json")
        if described(model, "schema_version", "major") != SCHEMA:
            raise ModelError(
                f"not version {SCHEMA} of the format", hint="torch.export.save of PyTorch 2.9 or newer"
            )
        if f"{self._root}byteorder" in self._archive.names and self._read("byteorder") != b"little":
            raise ModelError("the bytes of the parameters are in another order")
        graph = described(model, "graph_module", "graph")
        signature = described(model, "graph_module", "signature")
        self.nodes = list(objects(graph, "nodes"))
        self._tensors = described(graph, "tensor_values")
        self._places: dict[str, tuple[str, str]] = {}
        self.input = self._inputs(signature)
        outputs = [
            described(spec, "user_output", "arg", "as_tensor", "name")
            for spec in objects(signature, "output_specs")
        ]
        if len(outputs) != 1 or not isinstance(outputs[0], str):
            raise ModelError(
                f"the program has {len(outputs)} outputs or changes its state", hint="one output, eval()"
            )
        self.output = outputs[0]
        self._payloads = {
            store: described(
                self._archive.json(f"{self._root}data/{store}/model_{store}_config.json"), "config"
            )
            for store in STORES
        }

    @property
    def modules(self) -> dict[str, str]:
        """Name of each constant in the graph to its name in the model."""
        return {name: place[1] for name, place in self._places.items()}

    def input_shape(self) -> tuple[int | None, ...]:
        """Return the shape of the sample, None for an open batch.

        Raises
        ------
        ModelError
            Where a size other than the first is open, or the numbers are not float32.
        """
        meta = described(self._tensors, self.input)
        if described(meta, "dtype") != FLOAT:
            raise ModelError(f"the input {self.input!r} is not float32", hint="float32")
        sizes = described(meta, "sizes")
        found = [described(size, "as_int") for size in sizes] if isinstance(sizes, list) else [None, None]
        shape = [size if type(size) is int and size > 0 else None for size in found]
        if len(shape) > 8 or None in shape[1:]:
            raise ModelError(
                f"the shape of the input {self.input!r} is open", hint="only the batch may be dynamic"
            )
        return tuple(shape)

    def constant(self, name: str) -> NDArray[Any]:
        """Return a parameter, buffer or constant by its name in the graph.

        Raises
        ------
        ModelError
            Where there is none, or it lies outside its bytes.
        """
        store, inside = self._places.get(name, ("", ""))
        payload = described(self._payloads.get(store), inside)
        if not isinstance(payload, dict):
            raise ModelError(f"nothing gives {name!r}")
        path, meta = payload.get("path_name"), payload.get("tensor_meta")
        if payload.get("use_pickle") is not False or not isinstance(path, str):
            raise ModelError(f"{inside!r} is pickled, which could run code", hint="a plain float32 parameter")
        code = described(meta, "dtype")
        if type(code) is not int or code not in DTYPES:
            raise ModelError(f"{inside!r} has values of type number {code}", hint="float32")
        shape, strides = integers(meta, "sizes"), integers(meta, "strides")
        start = described(meta, "storage_offset", "as_int")
        buffer = np.frombuffer(trimmed(self._read(f"data/{store}/{path}"), DTYPES[code]), DTYPES[code])
        if len(shape) != len(strides) or type(start) is not int or min((start, *shape, *strides)) < 0:
            raise ModelError(f"{inside!r} has the shape {shape}")
        last = start + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
        if math.prod(shape) > LARGEST or (0 not in shape and last >= buffer.size):
            raise ModelError(f"{inside!r} lies outside its bytes")
        if 0 in shape:
            return np.zeros(shape, buffer.dtype)
        steps = tuple(stride * buffer.itemsize for stride in strides)
        return np.lib.stride_tricks.as_strided(buffer[start:], shape, steps, writeable=False)

    def _read(self, name: str) -> bytes:
        return self._archive.read(self._root + name)

    def _inputs(self, signature: object) -> str:
        """Return the name of the sample, and remember where everything else is stored."""
        samples: list[str] = []
        for spec in objects(signature, "input_specs"):
            sample = described(spec, "user_input", "arg", "as_tensor", "name")
            if isinstance(sample, str):
                samples.append(sample)
            for store, kinds in STORES.items():
                for kind in kinds:
                    name, inside = described(spec, kind, "arg", "name"), described(spec, kind, f"{kind}_name")
                    # A buffer that the model does not save lies among the constants.
                    here = "constants" if described(spec, kind, "persistent") is False else store
                    if isinstance(name, str) and isinstance(inside, str):
                        self._places[name] = (here, inside)
        if len(samples) != 1:
            raise ModelError(f"the program has {len(samples)} inputs", hint="a model with one input")
        return samples[0]


def is_model(name: str) -> bool:
    """Tell whether a file in the archive is a graph."""
    return name.endswith("models/model.json") and name.count("/") <= 2


def trimmed(content: bytes, dtype: str) -> bytes:
    """Return whole values only."""
    return content[: len(content) - len(content) % np.dtype(dtype).itemsize]


def objects(value: object, key: str) -> Iterator[dict[str, Any]]:
    """Yield the objects in a list, which has to be there."""
    entries = described(value, key)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ModelError(f"the program has no sound {key}")
    yield from entries


def integers(meta: object, key: str) -> tuple[int, ...]:
    """Return the sizes or strides of a tensor."""
    values = described(meta, key)
    sizes = [described(value, "as_int") for value in values] if isinstance(values, list) else [None]
    if len(sizes) > 8 or any(type(size) is not int or abs(size) > 1 << 48 for size in sizes):
        raise ModelError(f"a tensor has no sound {key}")
    return tuple(int(size) for size in sizes if size is not None)

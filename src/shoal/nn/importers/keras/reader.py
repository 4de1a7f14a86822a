"""Reads the weights of a Keras model, which lie in an HDF5 file."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import MissingExtraError
from shoal.nn.importers.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Weights"]

LARGEST = 1 << 26
BROKEN = (OSError, KeyError, RuntimeError, TypeError, ValueError, OverflowError)


class Weights:
    """The arrays in an HDF5 file by path.

    Parameters
    ----------
    content
        The file's bytes.

    Raises
    ------
    MissingExtraError
        Where the package h5py is not installed.
    ModelError
        Where it is no HDF5 file.
    """

    def __init__(self, content: bytes) -> None:
        try:
            import h5py
        except ImportError:
            raise MissingExtraError("h5py", "keras") from None
        self._h5py: Any = h5py
        try:
            self._file = h5py.File(BytesIO(content), "r")
        except BROKEN:
            raise ModelError("the weights are no HDF5 file, or damaged") from None

    def arrays(self, path: Sequence[str], layer: str) -> list[NDArray[np.float32]]:
        """Return the arrays of one layer in order.

        Parameters
        ----------
        path
            Groups from the root to that of the layer.
        layer
            Its name, as the file has to have it where it has one.

        Raises
        ------
        ModelError
            Where there are none, they belong to another layer, or lie outside this file.
        """
        try:
            group = self._inside(self._file, [*path, "vars"])
            name = group.attrs.get("name", layer)
            if name != layer:
                raise ModelError(f"the weights of {layer!r} are those of {name!r}")
            return [self._array(self._inside(group, [str(number)])) for number in range(len(group))]
        except BROKEN as error:
            if isinstance(error, ModelError):
                raise
            raise ModelError(f"the weights of {layer!r} are missing or damaged") from None

    def _inside(self, group: Any, path: Sequence[str]) -> Any:
        """Return what lies at a path, which may not lead to another file."""
        for name in path:
            if not isinstance(group.get(name, getlink=True), self._h5py.HardLink):
                raise ModelError(f"{name!r} in the weights is missing, or lies in another file")
            group = group[name]
        return group

    def _array(self, dataset: Any) -> NDArray[np.float32]:
        """Return the values of one array."""
        if not isinstance(dataset, self._h5py.Dataset) or dataset.is_virtual or dataset.external:
            raise ModelError("an array in the weights lies in another file")
        if dataset.dtype.kind not in "fiu" or dataset.size is None or dataset.size > LARGEST:
            raise ModelError(
                f"an array in the weights has the type {dataset.dtype} and shape {dataset.shape}"
            )
        return np.asarray(dataset[()], np.float32)

"""The list of operators of Shoal's runtime is that of its importers."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from shoal.catalog.matching.operators import DTYPES, VERSIONS, Operation, shoal_operators
from shoal.catalog.matching.running import Engine, RuntimeNeed, operators
from shoal.nn.importers.onnx.operators import OPERATORS
from shoal.nn.importers.tflite import load
from shoal.nn.importers.tflite.operators import MAKERS
from tests.nn.architectures import FIXED

SHOAL = (Engine("shoal", "", None, training=True),)


def test_every_operator_that_is_read_has_a_version():
    assert VERSIONS.keys() == MAKERS.keys()
    assert all(len(versions) == len(DTYPES) for versions in VERSIONS.values())
    assert {name for name, _ in shoal_operators() if name.startswith("onnx:")} >= {
        f"onnx:{name}" for name in OPERATORS
    }


@pytest.mark.parametrize("name", sorted(FIXED))
def test_every_layer_is_in_the_list(name):
    used = {f"shoal:{type(step.layer).__name__}" for step in FIXED[name]().trace.steps}
    assert used <= {name for name, _ in shoal_operators()}


def test_what_the_importer_reads_has_all_its_operators(seloc):
    """And what lacks an operator is not read; what has them may still have an option that is refused."""
    from shoal.catalog.describe.tflite import read
    from shoal.errors import ModelError

    judged = []
    files = sorted(seloc.glob("collected_models/*.tflite")) + sorted(seloc.parent.glob("*/models/*.tflite"))
    for path in files:
        described = read(path.read_bytes())["operators"]
        asked = tuple(Operation(one["name"], one["version"], one["dtype"]) for one in described)
        listed = operators(RuntimeNeed(operators=asked), SHOAL).fits
        try:
            load(path)
        except ModelError:
            imported = False
        else:
            imported = True
        judged.append((listed, imported))
        assert listed or not imported, path.name
    assert judged.count((True, True)) >= 30
    assert judged.count((False, False)) >= 1


def test_the_newest_operator_set_is_that_of_the_package():
    if find_spec("onnx") is None:
        pytest.skip("onnx is not installed: pip install 'shoal[onnx]'")
    from onnx.defs import onnx_opset_version

    from shoal.catalog.matching.operators import ONNX_OPERATORS

    # An older package is fine; a newer one wants a look at what changed, and the number raised.
    assert onnx_opset_version() <= ONNX_OPERATORS

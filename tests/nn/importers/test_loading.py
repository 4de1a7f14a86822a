"""Every real model loads with a loss and learns on: what the commands begin with."""

import numpy as np
import pytest

from shoal import learn, nn
from tests.nn.importers.reference import DATA

MODELS = sorted((DATA / "seloc" / "collected_models").glob("*.tflite"))

if not MODELS:
    pytest.skip("SHOAL_DATA is not set and ../shared/data does not exist", allow_module_level=True)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_model_loads_and_its_last_layer_learns(path):
    network = nn.load(path).train_last(1)
    x = np.zeros(network.input_shape, network.plan(None).input_type)
    y = 0 if network.loss == "cross_entropy" else np.zeros(network.output_shape, np.float32)
    learner = learn.Learner(network, learn.SGD(0.001))
    before, after = (learner.learn_one(x, y) for _ in range(2))
    assert after <= before

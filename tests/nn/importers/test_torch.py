"""PyTorch: modules, programs and files answer as the module does; files are read without PyTorch."""

from __future__ import annotations

import io
import json
import random
import re
import sys
import warnings

import numpy as np
import pytest

from shoal.errors import ConfigError, MissingExtraError, StorageError
from shoal.nn.importers.errors import ModelError
from shoal.nn.importers.torch import decode, load

torch = pytest.importorskip("torch", reason="pip install --group reference")
pytest.importorskip("onnx", reason="pip install 'shoal[onnx]'")
from tests.nn.importers.archives import damaged, edited  # noqa: E402
from tests.nn.importers.torch_models import MODULES, build, distance_of  # noqa: E402

TOLERANCE = 1e-5


def program(module, x, *, dynamic=False, decomposed=False):
    """Return an exported program; PyTorch warns of its own plans."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shapes = ({0: torch.export.Dim("N")},) if dynamic else None
        made = torch.export.export(module, (x,), dynamic_shapes=shapes)
        return made.run_decompositions() if decomposed else made


def saved(module, x, **options):
    """Return the bytes of a .pt2 file."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(program(module, x, **options), file)
    return file.getvalue()


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("batch", [1, 2])
def test_a_module_becomes_a_network_with_the_same_answers(name, batch):
    module, x = build(name, batch)
    assert distance_of(module, load(module, x), x) <= TOLERANCE


@pytest.mark.parametrize("name", ["convolutional", "residual", "row", "image"])
def test_a_program_with_an_open_batch(name):
    module, x = build(name, 2)
    assert distance_of(module, load(program(module, x, dynamic=True)), x) <= TOLERANCE


@pytest.mark.parametrize("name", ["mlp", "residual", "before", "row"])
def test_a_program_in_core_operators(name):
    module, x = build(name, 2)
    assert distance_of(module, load(program(module, x, decomposed=True)), x) <= TOLERANCE


def test_a_file_is_read_without_pytorch(tmp_path, monkeypatch):
    module, x = build("residual")
    (tmp_path / "m.pt2").write_bytes(saved(module, x))
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "torch", None)
        network = load(tmp_path / "m.pt2")
        with pytest.raises(MissingExtraError, match="torch is not installed"):
            load(module, x)
    assert distance_of(module, network, x) <= TOLERANCE


def test_layers_are_named_for_their_modules():
    module, x = build("residual")
    names = [name for name in load(module, x).arrays if name.endswith(".weights")]
    assert names[:4] == ["0_first.weights", "0_second.weights", "0_short.weights", "1_first.weights"]


class InPlace(torch.nn.Module):
    """Writes to a value that is used again, or to one that is seen in two ways."""

    def __init__(self, *, twice):
        super().__init__()
        self.first, self.last, self.twice = torch.nn.Linear(4, 6), torch.nn.Linear(6, 3), twice

    def forward(self, x):
        y = self.first(x)
        other = y.view(1, 6) if self.twice else y
        y.relu_()
        return self.last(y + other)


def test_what_an_operator_writes_in_place_is_what_comes_next():
    torch.manual_seed(0)
    module, x = InPlace(twice=False).eval(), torch.randn(1, 4)
    assert distance_of(module, load(module, x), x) <= TOLERANCE
    with pytest.raises(ModelError, match="may be a view"):
        load(InPlace(twice=True).eval(), x)


SEQUENTIAL = torch.nn.Sequential


@pytest.mark.parametrize(
    ("module", "shape", "what", "where"),
    [
        (SEQUENTIAL(torch.nn.Linear(4, 3), torch.nn.SiLU()), (4,), "operator 'silu'", "node 1 'silu' (silu)"),
        (torch.nn.Conv2d(4, 4, 3, groups=2), (4, 5, 5), "in 2 groups of 4", "(conv2d)"),
        (torch.nn.Conv2d(4, 4, 3, dilation=2), (4, 5, 5), "dilation", "(conv2d)"),
        (torch.nn.AvgPool2d(3, 2, 1, ceil_mode=True), (4, 4, 4), "some of the padding", "(avg_pool2d)"),
        (torch.nn.AdaptiveAvgPool2d(2), (4, 5, 5), "from 5 x 5 to 2 x 2", "(adaptive_avg_pool2d)"),
        (torch.nn.Hardtanh(), (4,), "hardtanh to -1 and 1", "(hardtanh)"),
        (torch.nn.Softmax(1), (4, 5, 5), "softmax over 4 values", "(softmax)"),
        (torch.nn.ReflectionPad2d(1), (4, 5, 5), "something else than zeros", "(pad)"),
        (torch.nn.Identity(), (4,), "computes nothing", "Identity"),
    ],
)
def test_a_module_that_cannot_be_imported_says_what_and_where(module, shape, what, where):
    with pytest.raises(ModelError, match=re.escape(what)) as caught:
        load(module.eval(), torch.zeros(1, *shape))
    assert where in caught.value.where


def test_what_is_no_module_in_evaluation_is_refused():
    module = torch.nn.Linear(4, 3)
    with pytest.raises(ModelError, match="in training") as caught:
        load(module, torch.zeros(1, 4))
    assert caught.value.hint == "module.eval()"
    with pytest.raises(ConfigError, match="needs an example"):
        load(module.eval())
    with pytest.raises(ConfigError, match="dict is no model"):
        load({})
    with pytest.raises(ConfigError, match="bce"):
        load(module, torch.zeros(1, 4), "bce")
    with pytest.raises(StorageError, match="cannot read"):
        load("nothing.pt2")


FILE = saved(*build("convolutional"))
MODEL = "archive/models/model.json"
WEIGHTS = "archive/data/weights/model_weights_config.json"
FIRST = "archive/data/weights/weight_0"


def changed(name, change):
    """Return the file with other JSON in it."""

    def with_change(content):
        value = json.loads(content)
        change(value)
        return json.dumps(value).encode()

    return edited(FILE, {name: with_change})


def with_weights(**entries):
    """Return the file with other entries for the first weights."""
    return changed(WEIGHTS, lambda config: config["config"]["0.weight"].update(entries))


def with_tensor(key, value):
    """Return the file with another description of the first weights."""

    def change(config):
        meta = config["config"]["0.weight"]["tensor_meta"]
        if isinstance(meta[key], list):
            meta[key][0]["as_int"] = value
        else:
            meta[key] = value

    return changed(WEIGHTS, change)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "not a zip archive"),
        (FILE[:100], "not a zip archive"),
        (edited(FILE, {MODEL: None}), "0 exported programs"),
        (edited(FILE, {MODEL: lambda content: content[:-9]}), "is not JSON"),
        (edited(FILE, {MODEL: lambda _: b"[" * 99999}), "is not JSON"),
        (edited(FILE, {MODEL: lambda _: b"[]"}), "holds no object"),
        (edited(FILE, {WEIGHTS: None}), "no file"),
        (edited(FILE, {"archive/byteorder": lambda _: b"big"}), "in another order"),
        (changed(MODEL, lambda model: model["schema_version"].update(major=7)), "not version 8"),
        (changed(MODEL, lambda model: model["graph_module"]["graph"]["nodes"].append(3)), "no sound nodes"),
        (changed(MODEL, lambda model: model["graph_module"]["graph"]["nodes"].pop(2)), "nothing gives"),
        (with_weights(use_pickle=True), "could run code"),
        (with_weights(path_name="../../x"), "no file"),
        (with_tensor("dtype", 13), "type number 13"),
        (with_tensor("strides", 99), "outside its bytes"),
        (with_tensor("sizes", 1 << 40), "outside its bytes"),
    ],
)
def test_a_damaged_file_is_refused_with_the_reason(content, what):
    with pytest.raises(ModelError, match=re.escape(what)):
        decode(content, "m.pt2")


def test_whatever_the_bytes_there_is_a_network_or_an_error():
    draw = random.Random(0)
    networks, places = [], []
    for _ in range(300):
        try:
            networks.append(decode(damaged(FILE, draw, [MODEL, MODEL, WEIGHTS, FIRST]), "m.pt2"))
        except ModelError as error:
            places.append(error.where)
    assert len(networks) > 20
    assert all(place.startswith("m.pt2") for place in places)
    assert all(np.isfinite(array).all() for network in networks for array in network.arrays.values())

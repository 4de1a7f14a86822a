"""The index answers as plain SPARQL does over the RDF view, and as the definition."""

from __future__ import annotations

from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.catalog.documents import (
    Capacity,
    Device,
    Hardware,
    Input,
    Model,
    Need,
    Operator,
    Runtime,
    SensorNeed,
)
from shoal.catalog.graph.graphs import quads
from shoal.catalog.graph.parts import add_operators
from shoal.catalog.graph.triples import Triples
from shoal.catalog.graph.view import vocabulary
from shoal.catalog.matching import Index, check
from shoal.catalog.matching.operators import shoal_operators
from shoal.catalog.vocabulary import document_iri
from tests.catalog.matching.strategies import hardware, models, observations

QUERY = resources.files("shoal.catalog.matching").joinpath("matches.rq").read_text()
# Left out by the query: versions of several digits, licences that are expressions, none permitted.
VERSIONS = {"": "", "0.1.0": "1.0", "1.9": "1.0", "1.10": "2.0", "2.0.0-rc1": "2.0", "x": "3.0"}


def plain_model(model):
    return model.model_copy(
        update={
            "licence": model.licence.split()[0] if model.licence else "",
            "runtime_version": VERSIONS[model.runtime_version],
            "input": model.input.model_copy(update={"channels": ()}),
        }
    )


def plain_hardware(one):
    runtimes = one.runtimes and tuple(
        runtime.model_copy(update={"version": VERSIONS[runtime.version]}) for runtime in one.runtimes
    )
    return one.model_copy(update={"runtimes": runtimes, "licences": one.licences or None})


def shoal_runtime():
    """The list of Shoal's own operators, as the graph has lists."""
    from pyoxigraph import NamedNode

    triples = Triples()
    listed = [
        Operator(name=name, dtype=dtype, version=version)
        for (name, dtype), version in shoal_operators().items()
    ]
    add_operators(triples, NamedNode("urn:shoal:runtime:shoal"), listed)
    return list(triples)


def device(name, one):
    td = {
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "id": name,
        "title": name,
        "security": "none",
        "securityDefinitions": {"none": {"scheme": "nosec"}},
    }
    made = Device.model_construct(td=td)
    made.__dict__["hardware"] = one
    return made


def answered(shelf, fleet):
    from pyoxigraph import Quad, Store

    store = Store()
    store.extend(vocabulary())
    store.extend(Quad(*triple) for triple in shoal_runtime())
    for model in shelf:
        store.extend(quads(model))
    for name, one in fleet.items():
        store.extend(quads(device(name, one)))
    rows = store.query(QUERY, use_default_graph_as_union=True)
    return {(row["device"].value, row["model"].value) for row in rows}


# Fields of models and devices that belong together: the rest fits, so that these decide.
FAMILIES = {
    "sensors": ({"input"}, {"sensors"}),
    "runtimes": ({"operators", "runtime", "runtime_version"}, {"runtimes"}),
    "memory": ({"size", "flash", "inference", "clock_hz"}, {"ram", "flash", "clock_hz"}),
    "licences": ({"licence"}, {"licences"}),
}
EASY = Model(
    sha256="0" * 64,
    name="m",
    version="1.0.0",
    format="tflite",
    size=1,
    inference=Need(bytes=1),
    operators=[Operator(name="CONV_2D", dtype="int8")],
)
ABLE = Hardware(
    ram=Capacity(total=9), flash=Capacity(total=9), clock_hz=9, runtimes=[Runtime(name="shoal")], sensors=[]
)


def copied(base, source, fields):
    return base.model_copy(update={field: getattr(source, field) for field in fields})


@pytest.mark.parametrize("family", [*FAMILIES, "all"])
@given(
    st.lists(models(), min_size=1, max_size=4),
    st.lists(hardware, min_size=1, max_size=6),
    st.lists(observations(SensorNeed, 2, asked=True), min_size=4, max_size=4),
)
@settings(max_examples=50, deadline=None)
def test_index_definition_and_sparql_agree(family, some_models, some_hardware, asked):
    shelf, fleet = [], {}
    for i, one in enumerate(map(plain_model, some_models)):
        model = one if family == "all" else copied(EASY, one, FAMILIES[family][0])
        if family == "sensors":
            model = model.model_copy(update={"input": Input(sensors=[asked[i]])})
        shelf.append(model.model_copy(update={"sha256": f"{i:064x}", "version": f"1.0.{i}"}))
    for i, one in enumerate(map(plain_hardware, some_hardware)):
        fleet[f"urn:dev:{i}"] = one if family == "all" else copied(ABLE, one, FAMILIES[family][1])
    defined = {
        (name, model.id)
        for model in shelf
        for name, one in fleet.items()
        if all(condition.fits for condition in check(model, one))
    }
    index = Index()
    index.put_devices(fleet.items())
    for model in shelf:
        index.put_model(model)
    assert set(index.pairs()) == defined
    assert answered(shelf, fleet) == {(device, document_iri("model", model)) for device, model in defined}

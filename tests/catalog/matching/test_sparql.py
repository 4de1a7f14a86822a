"""The index answers as plain SPARQL does over the RDF view, and as the definition."""

from __future__ import annotations

from importlib import resources

from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.catalog.documents import Device, Operator
from shoal.catalog.graph.graphs import quads
from shoal.catalog.graph.parts import add_operators
from shoal.catalog.graph.triples import Triples
from shoal.catalog.graph.view import vocabulary
from shoal.catalog.matching import Index, check
from shoal.catalog.matching.operators import shoal_operators
from shoal.catalog.vocabulary import document_iri
from tests.catalog.matching.strategies import hardware, models

QUERY = resources.files("shoal.catalog.matching").joinpath("matches.rq").read_text()
# What the query leaves out: versions of several digits, licences that are expressions, none that is permitted.
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


@given(
    st.integers(1, 3).flatmap(lambda count: st.tuples(*(models(i) for i in range(count)))),
    st.lists(hardware, min_size=1, max_size=6),
)
@settings(max_examples=60, deadline=None)
def test_index_definition_and_sparql_agree(shelf, found):
    shelf = [plain_model(model) for model in shelf]
    fleet = {f"urn:dev:{i}": plain_hardware(one) for i, one in enumerate(found)}
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

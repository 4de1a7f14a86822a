"""Models in the terms of the reference ontology."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyoxigraph import Literal, NamedNode

from shoal.catalog.graph.triples import Triples, node, part
from shoal.catalog.importers.reference.names import CATEGORIES, DTYPES, METRICS, OPERATORS
from shoal.catalog.importers.reference.sensors import needs
from shoal.catalog.vocabulary import PROPERTIES, document_iri, expand

if TYPE_CHECKING:
    from shoal.catalog.documents import Model, SensorNeed

__all__ = ["kilobytes", "model_triples", "sensor_class"]

# Classes of sensors that the ontology has.
SENSORS = {"Accelerometer", "Camera", "Gyroscope", "Magnetometer", "Microphone", "Thermometer"}
DECIMAL = node("xsd:decimal")
PLATFORMS = {"tflite-micro": "TFLite Micro"}
# Theirs by ours; where two of theirs mean one of ours, the one that the ontology defines.
OPERATOR_NAMES = {ours: theirs for theirs, ours in sorted(OPERATORS.items(), reverse=True)}
DTYPE_NAMES = {ours: theirs for theirs, ours in DTYPES.items()}
CATEGORY_NAMES = {ours: theirs for theirs, ours in CATEGORIES.items()}
METRIC_NAMES = {ours: theirs for theirs, ours in METRICS.items()}


def model_triples(model: Model) -> Triples:
    """Return what the reference ontology can say of a model."""
    triples = Triples()
    name = NamedNode(document_iri("model", model.id))
    triples.a(name, "nnet:NeuralNetwork")
    triples.add(name, "schema:name", model.name)
    triples.add(name, "schema:identifier", model.sha256)
    triples.add(name, "schema:softwareVersion", model.version)
    triples.add(name, "schema:description", model.description)
    triples.add(name, "schema:creator", model.creator)
    triples.add(
        name, "schema:dateCreated", model.created and model.created.isoformat().replace("T00:00:00+00:00", "")
    )
    triples.add(name, "schema:license", model.licence)
    triples.add(name, "schema:citation", link(model.reference))
    triples.add(name, "nnet:trainingDataset", link(model.dataset))
    triples.add(name, "schema:runtimePlatform", PLATFORMS.get(model.runtime, model.runtime))
    if model.task in CATEGORY_NAMES:
        triples.add(name, "nnet:hasCategory", node(CATEGORY_NAMES[model.task]))
    triples.add(name, "nnet:hasMultiplyAccumulateOps", model.macs)
    for i, metric in enumerate(one for one in model.metrics if one.name in METRIC_NAMES):
        one = part(name.value, "metric", i)
        triples.add(name, "nnet:hasMetric", one)
        triples.a(one, "nnet:Metric", METRIC_NAMES[metric.name])
        value = metric.value if metric.name == "other" else round(metric.value * 100, 10)
        triples.add(one, "nnet:hasMetricValue", value)
    add_layers(triples, name, model)
    add_memory(triples, name, model)
    add_input(triples, name, model)
    return triples


def link(text: str) -> NamedNode | str:
    """Return a text as a node where it is an address."""
    try:
        return NamedNode(text) if text.startswith(("http://", "https://")) else text
    except ValueError:
        return text


def kilobytes(count: int) -> Literal:
    """Return an amount of bytes in kB, exactly."""
    return Literal(f"{count // 1000}.{count % 1000:03}", datatype=DECIMAL)


def add_layers(triples: Triples, name: NamedNode, model: Model) -> None:
    """Add shapes on a first and a last layer, and the operators, whose order is not known, between them."""
    ends = (("inputLayer", "nnet:shapeIn", model.inputs), ("outputLayer", "nnet:shapeOut", model.outputs))
    for layer, shape, tensors in ends:
        for tensor in tensors[:1]:
            one = part(name.value, layer)
            triples.add(name, f"nnet:{layer}", one)
            triples.a(one, "nnet:Layer")
            triples.add(one, shape, f"[{' '.join(map(str, (1, *tensor.shape)))}]")
            triples.add(one, "nnet:hasQuantization", dtype(tensor.dtype))
    for i, operator in enumerate(model.operators):
        kind = OPERATOR_NAMES.get(operator.name) or f"nnet:{operator.name.title().replace('_', '')}"
        for j in range(operator.count):
            one = part(name.value, "layer", i, j)
            triples.add(name, "nnet:middleLayer", one)
            triples.a(one, "nnet:Layer")
            triples.add(one, "nnet:hasType", node(kind) if kind in OPERATORS else NamedNode(expand(kind)))
            triples.add(one, "nnet:hasQuantization", dtype(operator.dtype))
    for tensor in model.outputs[:1]:
        one = part(name.value, "output")
        triples.add(name, "ssn:hasOutput", one)
        triples.a(one, "nnet:NetworkOutput")
        labels = ", ".join(f"{i}: {label}" for i, label in enumerate(tensor.labels))
        triples.add(one, "nnet:hasOutputInfo", tensor.description or labels)


def dtype(name: str) -> NamedNode | None:
    """Return the node of a data type, None where the ontology has none."""
    return node(DTYPE_NAMES[name]) if name in DTYPE_NAMES else None


def add_memory(triples: Triples, name: NamedNode, model: Model) -> None:
    """Add what is needed of RAM and flash."""
    flash = model.size if model.flash is None else model.flash.bytes
    amounts = {"RAM": None if model.inference is None else model.inference.bytes, "Flash": flash}
    for kind, amount in amounts.items():
        if amount is not None:
            feature, condition = part(name.value, "feature", kind), part(name.value, "condition", kind)
            triples.add(name, "s3n:hasProcedureFeature", feature)
            triples.a(feature, "s3n:ProcedureFeature")
            triples.add(feature, "ssn-system:inCondition", condition)
            triples.a(condition, "s3n:Memory", f"s3n_extend:{kind}")
            triples.add(condition, "schema:minValue", kilobytes(amount))
            triples.add(condition, "schema:unitCode", node("om:kilobyte"))
    if model.size != flash:
        triples.add(name, "schema:fileSize", f"{model.size} B")


def add_input(triples: Triples, name: NamedNode, model: Model) -> None:
    """Add how the input is made, and the sensors that it comes from."""
    fed = part(name.value, "input")
    triples.add(name, "ssn:hasInput", fed)
    triples.a(fed, "nnet:NetworkInput")
    triples.add(fed, "nnet:hasInputInfo", model.input.preparation)
    classes = [sensor_class(need.observes) for need in model.input.sensors]
    text = sensor_text(model, classes)
    for i, kind in enumerate(classes):
        one = part(name.value, "sensor", i)
        triples.a(one, kind, "schema:Sensor")
        triples.add(one, "sosa_extend:hasSensorInfo", text)
        triples.add(one, "ssn_extend:provideInput", fed)


def sensor_class(observes: str) -> str:
    """Return the class of the sensors that observe a property; OtherSensor where the ontology has none."""
    kind = PROPERTIES[observes].sensor if observes in PROPERTIES else ""
    return f"sosa_extend:{kind}" if kind in SENSORS else "sosa_extend:OtherSensor"


def sensor_text(model: Model, classes: list[str]) -> str:
    """Return the text about the sensors: that which is there if it says what they are, else one that does."""
    said = model.inputs[0].description if model.inputs else ""
    wanted = sorted((sensor.model_dump(exclude_none=True) for sensor in model.input.sensors), key=str)
    found = needs(classes, said)
    if said and sorted(found, key=str) == wanted:
        return said
    return " ".join(filter(None, map(limits, model.input.sensors)))


def limits(need: SensorNeed) -> str:
    """Return range and rate of a sensor as text."""
    text = ""
    if need.low is not None:
        unit = need.unit or (PROPERTIES[need.observes].unit if need.observes in PROPERTIES else "")
        text = f"[{need.low:g}, {need.high:g}] {unit} "
    return text + (f"{need.rate_hz:g} Hz" if need.rate_hz is not None else "")

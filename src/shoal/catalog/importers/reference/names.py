"""The terms of the reference ontology as prefixed names, whatever namespace a file has them in."""

from __future__ import annotations

from functools import lru_cache

from shoal.catalog.vocabulary import abbreviate

__all__ = ["CATEGORIES", "DTYPES", "METRICS", "OPERATORS", "short"]

W3ID = "https://w3id.org/tinyml-schema/neural-network-schema"
# Namespaces of earlier versions, and of schema.org.
EARLIER = {
    "http://tinyml-schema.org/networkschema#": f"{W3ID}#",
    "http://tinyml-schema.org/": f"{W3ID}/",
    "http://schema.org/": "https://schema.org/",
}
# Layer types, those that the data uses without the ontology defining them included.
OPERATORS = {
    "nnet:Add": "ADD",
    "nnet:AveragePool2D": "AVERAGE_POOL_2D",
    "nnet:AvgPool2D": "AVERAGE_POOL_2D",
    "nnet:Conv2D": "CONV_2D",
    "nnet:DepthwiseConv2D": "DEPTHWISE_CONV_2D",
    "nnet:Dequantize": "DEQUANTIZE",
    "nnet:FullyConnected": "FULLY_CONNECTED",
    "nnet:Logistic": "LOGISTIC",
    "nnet:MaxPool2D": "MAX_POOL_2D",
    "nnet:Mean": "MEAN",
    "nnet:Pad": "PAD",
    "nnet:Quantize": "QUANTIZE",
    "nnet:Reshape": "RESHAPE",
    "nnet:ResizeNearestNeighbor": "RESIZE_NEAREST_NEIGHBOR",
    "nnet:Softmax": "SOFTMAX",
}
DTYPES = {
    "nnet:Float16": "float16",
    "nnet:Float32": "float32",
    "nnet:Int16": "int16",
    "nnet:Int32": "int32",
    "nnet:Int8": "int8",
    "nnet:Uint8": "uint8",
}
CATEGORIES = {
    "nnet:Classification": "classification",
    "nnet:FeatureExtraction": "feature-extraction",
    "nnet:ObjectDetection": "object-detection",
    "nnet:OtherCategory": "other",
    "nnet:Unsupervised": "unsupervised",
}
METRICS = {
    "nnet:Top_1_accuracy": "accuracy",
    "nnet:Top_5_accuracy": "top-5 accuracy",
    "nnet:Other_metric": "other",
}


@lru_cache(maxsize=10_000)
def short(iri: str) -> str:
    """Return an IRI as a prefixed name of the ontology's last version.

    Examples
    --------
    >>> short("http://tinyml-schema.org/networkschema#Int8"), short("http://schema.org/name")
    ('nnet:Int8', 'schema:name')
    """
    for earlier, now in EARLIER.items():
        if iri.startswith(earlier):
            return abbreviate(now + iri.removeprefix(earlier))
    return abbreviate(iri)

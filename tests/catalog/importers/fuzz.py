"""Mutates Turtle, tables and Thing Descriptions and imports them: a clear error, or documents that hold.

    python -m tests.catalog.importers.fuzz [inputs] [seed]

Memory is limited and every input has ten seconds. An error that is no DocumentError ends the run and leaves
the input that caused it in fuzz_import.failed.
"""

from __future__ import annotations

import json
import random
import re
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from shoal.catalog import exporters, importers
from shoal.catalog.documents import KINDS, Alias, Model
from shoal.errors import DocumentError

LIMIT = 3 << 30
W3ID = "https://w3id.org/tinyml-schema/neural-network-schema"
# As the reference system writes them, every property once.
REFERENCE = f"""@prefix nnet: <{W3ID}#> .
@prefix om: <http://www.ontology-of-units-of-measure.org/resource/om-2/> .
@prefix s3n: <http://w3id.org/s3n/> .
@prefix s3n_extend: <{W3ID}/s3n_extend/> .
@prefix schema: <https://schema.org/> .
@prefix sosa_extend: <{W3ID}/sosa_extend/> .
@prefix ssn: <http://www.w3.org/ns/ssn/> .
@prefix ssn_extend: <{W3ID}/ssn_extend/> .
@prefix ssn-system: <http://www.w3.org/ns/ssn/systems/> .
@prefix td: <https://www.w3.org/2019/wot/td#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
REFERENCE_MODEL = (
    REFERENCE
    + """<urn:m> a nnet:NeuralNetwork ;
    schema:name "Wake" ; schema:description "a \\"NN\\"" ; schema:creator "A" ;
    schema:dateCreated "2021-12-12" ;
    nnet:hasCategory nnet:Classification ; nnet:hasMultiplyAccumulateOps 3.360001e+07 ;
    nnet:trainingDataset <None> ; schema:citation <N.A.> ; schema:runtimePlatform "TFLite Micro" ;
    nnet:hasMetric <urn:metric> ; ssn:hasInput <urn:in> ; ssn:hasOutput <urn:out> ;
    nnet:inputLayer <urn:l1> ; nnet:middleLayer <urn:l2> ; nnet:outputLayer <urn:l3> ;
    s3n:hasProcedureFeature [ssn-system:inCondition [a s3n_extend:RAM ; schema:minValue 8.08e+00 ;
        schema:unitCode om:kilobyte]],
      [ssn-system:inCondition [a s3n_extend:Flash ; schema:minValue 18.712 ; schema:unitCode om:kilobyte]] .
<urn:metric> a nnet:Metric, nnet:Top_1_accuracy ; nnet:hasMetricValue 9.21e+01 .
<urn:in> a nnet:NetworkInput ; nnet:hasInputInfo "MFCC" .
<urn:out> a nnet:NetworkOutput ; nnet:hasOutputInfo "0: no, 1: yes" .
<urn:s> a sosa_extend::Accelerometer ; ssn_extend:provideInput <urn:in> ;
    sosa_extend:hasSensorInfo "LSM9DS1 [-4, +4] g 119 Hz" .
<urn:l1> a nnet:Layer ; nnet:hasIndex 1 ; nnet:hasType nnet:Reshape ; nnet:shapeIn "[   1 1960]" .
<urn:l2> a nnet:Layer ; nnet:hasIndex 1 ; nnet:hasType nnet:Conv2D ; nnet:hasQuantization nnet:Int8 .
<urn:l3> a nnet:Layer ; nnet:hasIndex 3 ; nnet:hasType nnet:Softmax ; nnet:hasQuantization nnet:Int32 ;
    nnet:shapeOut "[1 2]" .
"""
)
REFERENCE_DEVICE = (
    REFERENCE
    + """<urn:demo/ms200> a s3n:SmartSensor ;
  ssn:hasSubSystem [a sosa_extend::Magnetometer], [a sosa_extend:Gyroscope], [a s3n:MicroController ;
    s3n:hasSystemCapability [ssn-system:hasSystemProperty
      [a s3n_extend:Flash ; schema:unitCode om:kilobyte ; schema:value 498],
      [a s3n_extend:RAM ; schema:unitCode om:kilobyte ; schema:value 31]]] ;
  td:description "MS200"@en ; td:title "MS200_1"@en ;
  td:hasPropertyAffordance [td:title "Orientation"@en ; td:description "x"@en ; td:type "number"@en ;
    td:hasForm [td:href "https://example.org/demo/other/orientation"@en ; td:op "readproperty"@en] ;
    td:isObservable "true"^^xsd:boolean ; td:maximum 2000 ; td:minimum -2000 ;
    td:unit "om:degress_per_second"@en] .
"""
)
TD = {
    "@context": ["https://www.w3.org/2022/wot/td/v1.1", {"ssn-system": "http://www.w3.org/ns/ssn/systems"}],
    "@type": ["s3n:SmartSensor"],
    "id": "urn:dev:1",
    "title": "Press",
    "security": ["none"],
    "securityDefinitions": {"none": {"scheme": "nosec"}},
    "properties": {
        "heat": {
            "type": "number",
            "unit": "om:degree_Celsius",
            "minimum": -40,
            "maximum": 120.5,
            "shoal:observes": "temperature",
            "forms": [{"href": "coap://press/heat", "op": ["readproperty"]}],
        }
    },
    "actions": {},
    "forms": [],
    "shoal:hardware": {
        "board": "nano33ble",
        "ram": {"total": 262144, "reserved": 4096},
        "sensors": [
            {"observes": "acceleration", "low": -4, "high": 4, "unit": "G", "rate_hz": 119, "axes": 3}
        ],
    },
}
DEVICES = """id,title,board,ram_bytes,ram_reserved_bytes,sensors,runtimes,licences,clock_hz
urn:dev:1,Press,,262_144,40960,\
"acceleration, -4..4 G, 119 Hz, 3 axes; Camera",shoal training; tflite 2.4,MIT,64000000
urn:dev:2,"Mixer, ""old"" one",nano33ble,,,,,,
"""
MODELS = """name,version,sha256,format,size_bytes,ram_bytes,sensors,metrics,tags,created
wake,1.0.0,SHA256,tflite,18712,8080,"sound, 16 kHz",accuracy 0.921; f1 0.9,audio; wake word,2026-01-02
""".replace("SHA256", "0" * 64)
WORDS = [
    *'"\'<>[]{}()#.;,:@^\\%_-\n\t\r\0', "::", "<None>", '"""', "[ ", " ]", "e+999", "1e-400", "NaN",
    "Infinity", "-0", "99999999999999999999", "@en", "^^xsd:boolean", "_:b", "a ", "nnet:", "urn:", "null",
    "true", "\u2028", "\ud7ff", "\U0010ffff", "ü", '"@type": "x",', "[" * 300, "{" * 300, "(" * 300, "../",
    "x" * 20_000, "om:kilobyte", "shoal:document",
]  # fmt: skip


def corpus():
    """Return the inputs that are mutated, with the suffix of their files."""
    model = Model.checked(
        {"sha256": "a" * 64, "name": "wake", "version": "1.0.0", "format": "tflite", "size": 9}
    )
    documents = [model, Alias(name="wake", alias="best", model="a" * 64)]
    return [
        (REFERENCE_MODEL, ".ttl"),
        (REFERENCE_DEVICE, ".ttl"),
        (exporters.dump(documents, "turtle"), ".ttl"),
        (exporters.dump(documents, "jsonld"), ".jsonld"),
        (json.dumps(TD, indent=1), ".json"),
        (json.dumps([TD, TD | {"id": "urn:dev:2"}]), ".json"),
        (DEVICES, ".csv"),
        (MODELS, ".csv"),
    ]


def mutated(rng, text):
    """Return a text with one to four changes."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        tokens = [match.span() for match in re.finditer(r"\w+|[^\w\s]|\s+", text)] or [(0, 0)]
        (a, b), (c, d) = rng.choice(tokens), rng.choice(tokens)
        kind = rng.random()
        if kind < 0.2:
            text = text[:a] + text[b:]
        elif kind < 0.4:
            text = text[:a] + text[c:d] + text[b:]
        elif kind < 0.6:
            text = text[:a] + rng.choice(WORDS) + text[b:]
        elif kind < 0.75:
            text = text[:a] + rng.choice(WORDS) + text[a:]
        elif kind < 0.85:
            text = text[:a] + chr(rng.choice((rng.randrange(128), rng.randrange(0xD800)))) + text[a + 1 :]
        elif kind < 0.95:
            c, d = sorted((c, rng.choice(tokens)[1]))
            text = text[:a] + text[c : min(d, c + 500)] + text[b:]
        else:
            text = text[:a]
    return text


def attempt(path, *, out):
    """Import a file; return what became of it."""
    try:
        found = importers.load(path)
    except DocumentError as error:
        if not (error.fields and error.where and len(str(error)) < 50_000):
            raise AssertionError(error) from error
        return "refused"
    for document in found.documents:
        again = KINDS[document.kind].checked(document.body())
        assert again.body() == document.body()
    assert all(one.line >= 1 and one.problem and one.fix for one in found.defects)
    if out:
        try:
            exporters.dump(found.documents, "turtle")
        except DocumentError:
            return "imported, no graph"
    return "imported"


def late(*_):
    raise TimeoutError


def main():
    signal.signal(signal.SIGALRM, late)
    count, seed = (int(text) for text in (sys.argv[1:] + ["10000", "0"][len(sys.argv) - 1 :])[:2])
    rng = random.Random(seed)
    seeds = corpus()
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        files = {suffix: Path(folder, f"input{suffix}") for _, suffix in seeds}
        for text, suffix in seeds:
            files[suffix].write_text(text, encoding="utf-8")
            assert attempt(files[suffix], out=True) == "imported"
        results, start, longest = Counter(), time.monotonic(), 0.0
        for number in range(1, count + 1):
            text, suffix = rng.choice(seeds)
            content = mutated(rng, text).encode("utf-8", "surrogatepass")
            files[suffix].write_bytes(content)
            begin = time.monotonic()
            try:
                signal.alarm(10)
                results[f"{suffix} {attempt(files[suffix], out=number % 20 == 0)}"] += 1
            except BaseException:
                Path("fuzz_import.failed").write_bytes(content)
                raise
            longest = max(longest, time.monotonic() - begin)
            if number % 20_000 == 0 or number == count:
                rate = number / (time.monotonic() - start)
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
                known = f"{dict(sorted(results.items()))}, {rate:.0f}/s, slowest {longest:.2f} s, {peak} MiB"
                sys.stdout.write(f"{number:,} inputs: {known}\n")
                sys.stdout.flush()
        signal.alarm(0)


if __name__ == "__main__":
    main()

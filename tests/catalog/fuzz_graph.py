"""Feed the parsers of the graph with mutated inputs: JSON-LD, Turtle, SPARQL.

Run as `python tests/catalog/fuzz_graph.py [jsonld|turtle|sparql] [--inputs 1000000] [--seed 0]`. Each input
must be read or refused with the error that belongs to it, within a bounded memory; anything else is printed
with what made it, and the program fails. Portions run in processes of their own: what ends one is found by
its number.
"""

# ruff: noqa: E501 - seeds stay on one line
from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from pyoxigraph import RdfFormat, Store, parse

from shoal.catalog.graph.jsonld import read
from shoal.catalog.query import Answers
from shoal.catalog.query.prepare import declared, prepared
from shoal.catalog.vocabulary import PREFIXES
from shoal.errors import DocumentError, QueryError

PORTION = 20_000
MEMORY = 2 * 2**30
LONGEST = 4000

TD = {
    "@context": [
        "https://www.w3.org/2022/wot/td/v1.1",
        {"p": "urn:p:", "t": {"@id": "p:t", "@container": "@list"}},
    ],
    "@type": ["Thing", "p:X"],
    "id": "urn:dev:1",
    "title": "A",
    "titles": {"de": "B"},
    "security": ["n"],
    "securityDefinitions": {"n": {"scheme": "nosec"}},
    "properties": {
        "a": {"type": "number", "enum": [1, 2.5, None], "forms": [{"href": "x", "op": "readproperty"}]}
    },
    "t": [1, {"@value": "x", "@language": "en"}, {"@id": "p:y"}, True],
}
SMALL = [
    {"@context": {"a": "urn:a", "b": {"@id": "a", "@type": "@id"}}, "@id": "urn:x", "a": {"b": "y"}},
    {
        "@context": {"@vocab": "urn:v:", "@language": "en", "i": {"@container": "@index", "@index": "k"}},
        "i": {"z": {}},
    },
    {
        "@context": [None, {"l": {"@id": "urn:l", "@container": "@language"}}],
        "@type": "urn:T",
        "l": {"en": ["a"]},
    },
    {
        "@context": {
            "j": {"@id": "urn:j", "@type": "@json"},
            "s": {"@id": "urn:s", "@context": {"q": "urn:q"}},
        },
        "j": [{}],
    },
]
SEEDS: dict[str, list[bytes]] = {
    "jsonld": [json.dumps(one).encode() for one in (TD, *SMALL, *SMALL)],
    "turtle": [
        b'@prefix a: <urn:a#> . a:b a a:C ; a:d "x"@en , 1.5e3 , true ; a:e [ a:f ( 1 2 a:g ) ] .',
        b"PREFIX : <http://e/> BASE <http://b/> :s :p '''a\n\"b\"''' , \"\\u00e9\"^^:t , <x> . _:b :q -1 .",
        b'<urn:s> <urn:p> <urn:o> .\n# comment\n<urn:s> <urn:p> "a\\"b" .',
        b"@prefix s: <urn:s:> . << s:a s:b s:c >> s:d s:e . s:a s:b s:c {| s:d s:e |} .",
    ],
    "sparql": [
        b"SELECT ?d ?n { ?d shoal:canRun 'wake' ; schema:name ?n . FILTER(?n > 3 && !BOUND(?x)) } ORDER BY ?n LIMIT 3",
        b'PREFIX a: <urn:a#> ASK { ?m shoal:matches "x y" . OPTIONAL { ?m a:b [ a:c ( 1 2 ) ] } } # end',
        b'CONSTRUCT { ?d shoal:canRun ?m } WHERE { ?d shoal:canRun ?m . { SELECT * { ?a ?b """c"""@en } } }',
        b"SELECT (COUNT(*) AS ?c) { SERVICE <http://x/> { ?s ^a:b/c:d* ?o } VALUES (?a) { (<urn:x>) (UNDEF) } }",
    ],
}
WORDS: dict[str, list[bytes]] = {
    "jsonld": [b'"@id"', b'"@type"', b'"@value"', b'"@list"', b'"@json"', b'"@container"', b'"@index"', b'"@vocab"',
               b'"@none"', b"null", b"{}", b"[]", b"1e999", b"1e22", b"-7", b"true", b'"urn:x"', b'"_:b"', b'"a b"',
               rb'"\ud800"', b'"p:x"', b'"rel"', b'"https://www.w3.org/2022/wot/td/v1.1"', b'"http://x/"'],
    "turtle": [b"[", b"]", b"(", b")", b"<<", b">>", b"{|", b"|}", b'"""', b"'''", b"@prefix", b"^^", b"@en", b"\\u",
               b"\\U0010FFFF", b"_:", b"a ", b";", b",", b".", b"<", b">", b"\x00", b"\xff", b"=>", b"1e", b"%"],
    "sparql": [b"SERVICE", b"LOAD", b"shoal:canRun", b"shoal:matches", b";", b".", b"{", b"}", b"(", b")", b"[", b"]",
               b"?x", b"$y", b"'", b'"""', b"#", b"<", b">", b"\\u0041", b"UNION", b"OPTIONAL", b"!", b"^", b"/", b"*",
               b"VALUES", b"\xff", b"\x00", b",", b"a:b", b"PREFIX", b"urn:"],
}  # fmt: skip
KEYS = ["@id", "@type", "@value", "@list", "@set", "@graph", "@context", "@reverse", "@container", "@index", "@vocab",
        "@base", "@language", "@json", "@nest", "@protected", "a", "b", "t", "p:z", "properties", "forms", "title",
        "unknown", "_:x", "urn:k", "", ":", "a:b:c", "@", "@foo"]  # fmt: skip
ANSWERS = Answers(
    lambda *_: [("urn:dev:1", "sha256:" + "0" * 64)], lambda _: [("model", "sha256:00")], lambda *_: "x"
)
EMPTY = Store()


def jsonld(content: bytes) -> str:
    """Read JSON-LD."""
    value = json.loads(content)
    try:
        return "read" if read(value, "urn:base/") else "read, empty"
    except DocumentError:
        return "refused"


def turtle(content: bytes) -> str:
    """Read Turtle."""
    try:
        return "read" if list(parse(content, format=RdfFormat.TURTLE)) else "read, empty"
    except SyntaxError:
        return "refused"


def sparql(content: bytes) -> str:
    """Check, rewrite and parse a query, and ask it of nothing."""
    try:
        text = prepared(content.decode(errors="replace"), ANSWERS)
    except QueryError:
        return "refused here"
    words = {token.upper() for token in text.replace("{", " ").replace("<", " ").split()}
    try:
        EMPTY.query(text, prefixes=PREFIXES)
        declared(text)
    except SyntaxError:
        return "refused by the engine"
    except (OSError, ValueError, RuntimeError) as error:
        # The engine knows SERVICE: what reaches it must have none outside of texts.
        return f"engine: {error}"[:60] if "SERVICE" not in words else "engine"
    return "read"


READERS: dict[str, Callable[[bytes], str]] = {"jsonld": jsonld, "turtle": turtle, "sparql": sparql}


def changed(dice: random.Random, value: Any, depth: int = 0) -> Any:
    """Return a JSON value with one change somewhere in it."""
    pool = [json.loads(one) for one in WORDS["jsonld"]]
    if not isinstance(value, (dict, list)) or not value or dice.random() < 0.15 * depth:
        return dice.choice([*pool, [value], {"@value": value}, {dice.choice(KEYS): value}, [[value]], value])
    if isinstance(value, list):
        at = dice.randrange(len(value))
        return [*value[:at], changed(dice, value[at], depth + 1), *value[at + dice.randrange(2) :]]
    key = dice.choice(list(value))
    if dice.random() < 0.3:
        return value | {dice.choice(KEYS): dice.choice([value[key], dice.choice(pool)])}
    return value | {key: changed(dice, value[key], depth + 1)}


def mutated_json(dice: random.Random) -> bytes:
    """Return JSON-LD with some changes, at times one of them very deep."""
    value = json.loads(dice.choice(SEEDS["jsonld"]))
    for _ in range(dice.choice((1, 2, 3, 5, 9))):
        value = changed(dice, value)
    if dice.random() < 0.01:
        for _ in range(dice.randrange(400)):
            value = {dice.choice(["a", "p:a", "forms", "@list"]): value if dice.random() < 0.5 else [value]}
    return json.dumps(value if isinstance(value, dict) else {"@graph": value}).encode()


def mutated(dice: random.Random, seeds: list[bytes], words: list[bytes]) -> bytes:
    """Return an input: a seed with some changes."""
    content = bytearray(dice.choice(seeds))
    for _ in range(dice.choice((1, 1, 2, 3, 5, 9))):
        at = dice.randrange(len(content) + 1)
        end = min(len(content), at + dice.randrange(1, 12))
        action = dice.randrange(7)
        if action == 0:
            content[at:at] = dice.choice(words)
        elif action == 1:
            del content[at:end]
        elif action == 2:
            content[at:end] = bytes(dice.randrange(256) for _ in range(end - at))
        elif action == 3:
            content[at:end] = content[at:end] * dice.choice((2, 3, 20, 90))
        elif action == 4:
            other = dice.choice(seeds)
            start = dice.randrange(len(other))
            content[at:end] = other[start : start + dice.randrange(1, 30)]
        elif action == 5:
            content[at:end] = dice.choice(words)
        elif content:
            content[at % len(content)] ^= 1 << dice.randrange(8)
    return bytes(content[:LONGEST])


def portion(name: str, seed: int, count: int) -> Counter[str]:
    """Read some inputs; returns how they ended."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.RLIM_INFINITY))
    dice = random.Random(seed)
    ends: Counter[str] = Counter()
    for number in range(count):
        content = mutated_json(dice) if name == "jsonld" else mutated(dice, SEEDS[name], WORDS[name])
        start = time.process_time()
        try:
            ends[READERS[name](content)] += 1
        except BaseException as error:  # a panic of the engine is none of Exception
            if isinstance(error, KeyboardInterrupt):
                raise
            ends["FAILED"] += 1
            sys.stderr.write(
                f"{name}: portion {seed}, input {number}: {type(error).__name__}: {error}\n{content!r}\n"
            )
        if time.process_time() - start > 2:
            ends["SLOW"] += 1
            sys.stderr.write(f"{name}: portion {seed}, input {number}: slow\n{content!r}\n")
    return ends


def main() -> int:
    """Run portions in processes of their own, and add them up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*READERS, []], default=list(READERS))
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--portion", type=int, help="run this portion here")
    arguments = parser.parse_args()
    if arguments.portion is not None:
        ends = portion(arguments.names[0], arguments.portion, min(PORTION, arguments.inputs))
        sys.stdout.write(json.dumps(ends))
        return 0
    bad = 0
    for name in arguments.names:
        total: Counter[str] = Counter()
        for done in range(0, arguments.inputs, PORTION):
            command = [sys.executable, __file__, name, "--portion", str(arguments.seed + done // PORTION)]
            command += ["--inputs", str(min(PORTION, arguments.inputs - done))]
            result = subprocess.run(command, stdout=subprocess.PIPE, check=False)
            if result.returncode:
                sys.stderr.write(f"{' '.join(command)} ended with {result.returncode}\n")
                total["FAILED"] += 1
            else:
                total.update(json.loads(result.stdout))
        sys.stdout.write(f"{name}: {sum(total.values()):,} inputs: {dict(total.most_common())}\n")
        sys.stdout.flush()
        bad += total["FAILED"] + total["SLOW"]
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())

"""The data of the reference system: its rule gives its result; each difference under ours has a reason."""

from __future__ import annotations

from collections import Counter

import pytest

from shoal.catalog.matching import REFERENCE_RULE, Index
from tests.catalog.matching.reference_table import causes, documents, expected, judged


@pytest.fixture(scope="module")
def pairs(seloc):
    return expected(seloc)


def test_the_rule_of_the_reference_system_gives_its_89_pairs(seloc, pairs):
    found = judged(seloc, REFERENCE_RULE)["as the data says"]
    assert len(found) == 23 * 9
    assert {(one.model, one.device) for one in found if one.fits} == pairs
    assert len(pairs) == 89


def test_the_index_gives_them_too(seloc, pairs):
    models, devices = documents(seloc)
    index, titles = Index(), {one.id: one.title for one in devices}
    index.put_devices((one.id, one.hardware) for one in devices)
    found = {
        (one.name, titles[device])
        for one in models
        for device in index.devices_for(one, rule=REFERENCE_RULE).all()
    }
    assert found == pairs


SILENT = "runtime not known, operators not known"


@pytest.mark.parametrize(
    ("stage", "reasons"),
    [
        # Nothing is said of runtimes, nor of rates, of which 75 pairs ask one.
        ("as the data says", {f"sensor not known, {SILENT}": 75, SILENT: 14}),
        ("with its runtime", {"sensor not known": 75}),
        # With both, the complete rule agrees on every pair.
        ("with runtime and rates", {}),
        # The models for speech were tested at 20,000 samples per second.
        ("with microphones at 16 kHz", {"sensor too little": 31}),
    ],
)
def test_each_difference_under_the_complete_rule_has_a_reason(seloc, pairs, stage, reasons):
    found = judged(seloc)[stage]
    assert not [one for one in found if one.fits and (one.model, one.device) not in pairs]
    lost = [one for one in found if not one.fits and (one.model, one.device) in pairs]
    assert Counter(map(causes, lost)) == reasons
    assert sum(one.fits for one in found) == 89 - sum(reasons.values())

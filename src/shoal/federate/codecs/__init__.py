"""How updates travel: real bytes, specified in each codec's docstring."""

from __future__ import annotations

from shoal.federate.codecs.base import Codec
from shoal.federate.codecs.dense import Dense
from shoal.federate.codecs.sign import Sign
from shoal.federate.codecs.top_p import TopP
from shoal.federate.codecs.wire import Values

__all__ = ["Codec", "Dense", "Sign", "TopP", "Values"]

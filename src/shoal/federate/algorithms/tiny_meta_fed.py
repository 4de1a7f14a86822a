"""TinyMetaFed: part of the network stays on the device, and part of the rest travels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import ConfigError
from shoal.federate import check
from shoal.federate.algorithms.base import Algorithm, check_codecs
from shoal.federate.codecs import Codec, Dense, TopP, Values
from shoal.federate.codecs.wire import FORMS
from shoal.federate.local import LocalPlan
from shoal.federate.schedules import Rate, check_rate, value_at
from shoal.learn import SGD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shoal.nn import Network, Plan

__all__ = ["TinyMetaFed"]


@dataclass(frozen=True, slots=True)
class TinyMetaFed(Algorithm):
    """Clients rebuild a local part, learn the shared part, and send the largest share of its change.

    The parameters are a shared part g and a local part l. Client: l starts from fixed values and takes
    `reconstruction_steps` with g frozen; then g takes `local_steps` with l frozen; one sample a step. The
    client sends the `top_p` share of g's change that is largest in absolute value; l never leaves it and is
    not kept. Server: g = g + server_lr * change. A new device starts from g and the same fixed l.

    Parameters
    ----------
    local_steps
        Steps of the shared part.
    local_lr
        Rate of the client's steps; a number or a schedule over the rounds.
    server_lr
        Rate of the server; a number or a schedule.
    local_layers
        Names of the layers that stay local, or "last" for the last one with parameters; () for none.
    reconstruction_steps
        Steps of the local part before; needs a local layer, as they need steps.
    top_p
        Share of the change that travels, above 0 to 1.
    values
        Form of the values that travel, as for `codecs.Dense`.
    clients
        Clients in each round, one after the other.
    download
        How the shared parameters travel.

    References
    ----------
    Ren, Li, Anicic, Runkler: TinyMetaFed: Efficient Federated Meta-Learning for TinyML, 2023, arXiv
    2307.06822. Partial reconstruction: Singhal et al., NeurIPS 2021, algorithm 1.
    """

    local_steps: int = 32
    local_lr: Rate = 0.02
    server_lr: Rate = 1.0
    local_layers: tuple[str, ...] | str = "last"
    reconstruction_steps: int = 8
    top_p: float = 0.5
    values: Values = "f32"
    clients: int = 1
    download: Codec = field(default_factory=Dense)

    def __post_init__(self) -> None:
        check.whole(self.local_steps, "local_steps")
        check_rate(self.local_lr, "local_lr")
        check_rate(self.server_lr, "server_lr")
        check.names(self.local_layers, "local_layers")
        check.whole(self.reconstruction_steps, "reconstruction_steps", 0)
        if bool(self.local_layers) != bool(self.reconstruction_steps):
            raise ConfigError(
                f"reconstruction_steps is {self.reconstruction_steps} for local_layers {self.local_layers!r}",
                where="reconstruction_steps",
                hint="steps for local layers, or neither: local_layers=(), reconstruction_steps=0",
            )
        check.share(self.top_p, "top_p", above=0)
        check.one_of(self.values, "values", FORMS)
        check.whole(self.clients, "clients")
        check_codecs(Dense(), self.download)

    @property
    def serial(self) -> bool:
        """Whether clients come one after the other: yes."""
        return True

    @property
    def local_optimizer(self) -> SGD:
        """How a device learns, at the first round's rate."""
        return SGD(value_at(self.local_lr, 0, 1))

    @property
    def upload(self) -> Codec:
        """How the change travels."""
        return Dense(self.values) if self.top_p == 1 else TopP(self.top_p, self.values)

    def plan(self, network: Network) -> Plan:
        """Return the plan that the devices run: each sample is learnt at once."""
        plan = network.plan("sgd")
        self.local_names(plan)
        return plan

    def local(self, plan: Plan, image: bytes, support: int, round: int, rounds: int) -> LocalPlan:
        """Return what each client does in a round."""
        del support
        names = self.local_names(plan)
        layers = set(learning_layers(plan))
        number = {name: plan.layers.index(name) for name in layers}
        optimizer = SGD(value_at(self.local_lr, round, rounds))
        rebuild = optimizer.phase(
            self.reconstruction_steps, frozen=tuple(sorted(number[name] for name in layers - names))
        )
        learn = optimizer.phase(self.local_steps, frozen=tuple(sorted(number[name] for name in names)))
        return LocalPlan(
            image=image,
            phases=(rebuild, learn) if names else (learn,),
            clients=self.clients,
            shared=shared_places(plan, names) if names else None,
            upload=self.upload,
            download=self.download,
        )

    def local_names(self, plan: Plan) -> frozenset[str]:
        """Return the layers that stay local.

        Raises
        ------
        ConfigError
            Where a layer does not exist or does not learn, or none is left to share.
        """
        layers = learning_layers(plan)
        if isinstance(self.local_layers, str):
            names = frozenset(layers[-1:] if self.local_layers == "last" else [self.local_layers])
        else:
            names = frozenset(self.local_layers)
        for name in sorted(names - set(layers)):
            raise ConfigError(
                f"no layer {name!r} that learns",
                where="local_layers",
                hint=check.nearest(name, [*layers, "last"]),
            )
        if names.issuperset(layers):
            raise ConfigError("every layer is local, none is left to share", where="local_layers")
        return names


def learning_layers(plan: Plan) -> list[str]:
    """Return the layers with parameters that learn, in order."""
    return list(dict.fromkeys(name.rpartition(".")[0] for name, _, _ in plan.layout))


def shared_places(plan: Plan, local: frozenset[str]) -> NDArray[np.intp]:
    """Return the places of the parameters of all other layers, ascending."""
    marks = np.ones(plan.parameters.size, np.bool_)
    for name, offset, shape in plan.layout:
        if name.rpartition(".")[0] in local:
            marks[offset : offset + int(np.prod(shape))] = False
    return np.flatnonzero(marks)

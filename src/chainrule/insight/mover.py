"""A quantity moved by h, and the forward calculation again from there on; no derivative takes part in it."""

from dataclasses import replace

import numpy as np

from chainrule.calculus.activation import ACTIVATIONS
from chainrule.calculus.arrays import Array
from chainrule.calculus.cost import example_shares, penalty, penalty_derivative
from chainrule.calculus.gradient import costs, forward
from chainrule.calculus.network import Network, ParameterVector
from chainrule.calculus.trace import Trace
from chainrule.insight.chain import Chain
from chainrule.insight.question import Question

_OUTPUT_ITSELF = replace(ACTIVATIONS["identity"], log=np.log)
"""The σ for which a cost, which reads z, is read as a function of the output a."""


class Mover:
    """The question's quantity at any distance from where it is.

    ``start`` are its values, one of each example that counts or one for all; ``here`` is the trace before.
    """

    def __init__(self, asked: Question) -> None:
        self.asked = asked
        self.q = asked.q
        self.top = asked.top
        self.factors = Chain(asked)
        self.p: ParameterVector = asked.model.parameters
        self.network: Network = self.p.network
        self.Y = asked.examples.Y
        self.shares = example_shares(len(self.Y), asked.examples.weights)
        self.trace = self.factors.trace
        self.start = self._start()
        self.here = self.at(0.0)
        self.before = self.values(self.here)
        self.slopes = self.factors.values
        penalised = asked.penalised
        own = penalty_derivative(self.start, self.network.l1, self.network.l2)[0] if penalised else 0.0
        self.penalty_slope = float(own)
        self.derivative = float((self.shares * self.slopes).sum()) + self.penalty_slope

    def _start(self) -> Array:
        q = self.q
        match q.letter:
            case "w":
                return self.p.w[q.layer][q.j, q.k : q.k + 1] if q.k is not None else np.zeros(0)
            case "b":
                return self.p.b[q.layer][q.j : q.j + 1]
            case "z":
                return self.trace.z[q.layer][:, q.j]
            case _:
                inputs = self.asked.model.inputs if q.letter == "x" else None
                a = self.trace.a[q.layer][:, q.j]
                return a if inputs is None else inputs.mean[q.j] + inputs.scale[q.j] * a

    # moving --------------------------------------------------------------------------------------------

    def at(self, by: float) -> Trace:
        """Forward again, from the quantity on, when it is moved by this much."""
        q, l, j = self.q, self.q.layer, self.q.j
        z, a = dict(self.trace.z), dict(self.trace.a)
        if q.letter in "ax":
            a[l] = a[l].copy()
            a[l][:, j] += by / self.asked.scale
        else:
            z[l] = z[l].copy()
            z[l][:, j] = self._z(by)
            a[l] = self.network.σ(l).value(z[l])
        if l < self.network.depth:
            sizes, activation = self.network.sizes[l:], self.network.activation[l:]
            rest = Network(sizes, activation, self.network.cost)
            onward = forward(ParameterVector(rest, self.p.vector[-rest.n_parameters :]), a[l])
            for m in rest.layers:
                z[l + m], a[l + m] = onward.z[m], onward.a[m]
        return Trace(z, a)

    def _z(self, by: float) -> Array:
        """z of the quantity's own neuron, (examples,)."""
        q, l, j = self.q, self.q.layer, self.q.j
        if q.letter == "z":
            return self.start + by
        w, b = self.p.w[l][j].copy(), self.p.b[l][j]
        if q.k is None:
            b = b + by
        else:
            w[q.k] += by
        return self.trace.a[l - 1] @ w + b

    def values(self, trace: Trace) -> Array:
        """What is differentiated, of every example, (examples,)."""
        top, L = self.top, self.network.depth
        if top is not None:
            return (trace.z if top.letter == "z" else trace.a)[top.layer][:, top.j]
        if self.q.letter != "a" or self.q.layer != L:
            return costs(self.p, trace, self.Y)
        a, cost = trace.a[L], self.network.C  # an output that is moved by itself leaves its z behind
        if cost.canonical == "sigmoid":
            return cost.value(np.log(a) - np.log1p(-a), self.Y, self.network.σ(L))
        return cost.value(a, self.Y, _OUTPUT_ITSELF)

    def penalty_change(self, by: float) -> float:
        """What the penalty gains: of this one weight, since the others' share is the same before and after."""
        if not self.asked.penalised:
            return 0.0
        l1, l2 = self.network.l1, self.network.l2
        return penalty(self.start + by, l1, l2) - penalty(self.start, l1, l2)

    def total(self, values: Array) -> float:
        """The mean over the examples, with the penalty as it is before."""
        whole = self.top is None and self.asked.example is None
        network = self.network
        penalties = sum(penalty(w, network.l1, network.l2) for w in self.p.w.values()) if whole else 0.0
        return float(self.shares @ values) + penalties

    def mean(self, values: Array) -> float:
        """A mean over the examples; of one number for all, that number."""
        return float(self.shares @ values) if len(values) == len(self.shares) else float(values[0])

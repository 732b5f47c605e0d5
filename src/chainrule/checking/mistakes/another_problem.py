"""A right answer to another problem."""

from collections.abc import Iterable
from typing import Self

import numpy as np

from chainrule.calculus.activation import ACTIVATIONS
from chainrule.calculus.arrays import Array
from chainrule.calculus.cost import COSTS
from chainrule.calculus.network import Network, ParameterVector
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Fitted, Given, Mistake


class ExamplesAsColumns(Mistake):
    """The columns of X are taken for examples, which a square X lets pass."""

    name = "examples-as-columns"
    says = "the columns of X were taken for examples"
    fix = "z1 = X @ w1.T + b1    # a row of X is an example"
    rank = 2

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(None)] if case.n == case.sizes[0] and case.n > 1 else []

    def case(self, case: Case) -> Case:
        return case.but(X=np.ascontiguousarray(case.X.T))


class OneExample(Fitted):
    """Only one example is in it: each overwrote the one before, where they should have been added."""

    name = "one-example"
    says = "this is the gradient of example {i} alone{scale}: overwritten, not added up"
    fix = "{dw};  {db}    # over all examples"
    rank = 2
    i: int
    mean: bool

    @property
    def fitted(self) -> int:
        """One of the examples, no number."""
        return 0

    @classmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        n, last = so_far.case.n, f"b{so_far.case.L}"
        if n == 1 or last not in given or given[last].shape != so_far.array(last).shape:
            return
        for mean in (False, True):
            each = so_far.δ(so_far.case.L) * (so_far.shares(so_far.case.L)[:, None] if mean else 1)
            yield cls(None, int(np.abs(each - given[last]).max(axis=1).argmin()), mean)

    def shares(self, calculation: Calculation, l: int, right: Step) -> Array:
        share = np.zeros_like(right())
        share[self.i] = right()[self.i] if self.mean else 1
        return share

    def words(self, case: Case) -> dict[str, object]:
        return {"scale": f" divided by {case.n}" if self.mean else ""}


class BiasLeftOut(Mistake):
    """The way forward left the biases out: z = Wa."""

    name = "forward-without-bias"
    says = "this is the gradient of a network without biases: z = W·a, not W·a + b"
    fix = "z{l} = {a_in} @ w{l}.T + b{l}"
    rank = 3

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(None)]

    def case(self, case: Case) -> Case:
        p = case.p.copy()
        for l in case.layers:
            p.b[l][:] = 0
        return case.but(p=p)


class AnotherActivation(Mistake):
    """Forward and back with another hidden activation: a right answer to another problem."""

    name = "another-activation"
    says = "this is the gradient of a network whose hidden layers are {τ}"
    fix = "a = σ(z)    # this network's activations: {names}"
    rank = 4

    τ: str

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(None, σ.name) for σ in ACTIVATIONS.values() if σ.elementwise and case.L > 1]

    def case(self, case: Case) -> Case:
        old = case.network
        network = Network(old.sizes, [self.τ] * (case.L - 1) + [old.activation[-1]], old.cost, old.l1, old.l2)
        return case.but(p=ParameterVector(network, case.p.vector))

    def words(self, case: Case) -> dict[str, object]:
        return {"names": ", ".join(case.network.activation)}


class AnotherCost(Mistake):
    """Forward and back with another cost and its output activation."""

    name = "another-cost"
    says = "this is the gradient of {cost} with a last layer of {σ_L}"
    fix = "{δ}    # of {right} with a last layer of {σ}"
    rank = 4

    cost: str
    σ_L: str

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        here = case.network
        return [
            cls(None, cost.name, σ)
            for cost in COSTS.values()
            for σ in dict.fromkeys((*cost.activations, here.activation[-1]))
            if cost.goes_with(σ) and (cost.name, σ) != (here.cost, here.activation[-1]) and cost.accepts(case.Y).all()
        ]

    def case(self, case: Case) -> Case:
        old = case.network
        network = Network(old.sizes, [*old.activation[:-1], self.σ_L], self.cost, old.l1, old.l2)
        return case.but(p=ParameterVector(network, case.p.vector))

    def words(self, case: Case) -> dict[str, object]:
        return {"right": case.network.cost}

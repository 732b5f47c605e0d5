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
from chainrule.checking.mistake import Given, Mistake
from chainrule.checking.mistakes.labels import difference, subtracts
from chainrule.checking.right_line import a_in


class ExamplesAsColumns(Mistake):
    """The columns of X or of Y are taken for examples, which a square X or Y lets pass."""

    name = "examples-as-columns"
    says = "the columns of {which} were taken for examples"
    fix = "z1 = X @ w1.T + b1;  {δ}    # a row of X and of Y is an example"
    rank = 2

    which: str

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        square = [name for name, width in (("X", case.sizes[0]), ("Y", case.sizes[-1])) if width == case.n > 1]
        return [cls(None, which) for which in (*square, *(["X and Y"] if len(square) == 2 else []))]

    def case(self, case: Case) -> Case:
        return case.but(X=np.ascontiguousarray(case.X.T)) if "X" in self.which else case

    def targets(self, calculation: Calculation, l: int, right: Step) -> Array:
        return right().T if "Y" in self.which else right()

    def δ(self, calculation: Calculation, l: int, right: Step) -> Array:
        return difference(calculation) if "Y" in self.which and subtracts(calculation.case, l) else right()


class BiasLeftOut(Mistake):
    """The way forward left the biases out, all or those of a layer: z = Wa."""

    name = "forward-without-bias"
    says = "this is the gradient of a network without {which}: z = W·a, not W·a + b"
    fix = "z{m} = {before_m} @ w{m}.T + b{m}"
    rank = 3

    of: tuple[int, ...]

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(None, layers) for layers in dict.fromkeys((tuple(case.layers), *((l,) for l in case.layers)))]

    def case(self, case: Case) -> Case:
        p = case.p.copy()
        for l in self.of:
            p.b[l][:] = 0
        return case.but(p=p)

    def words(self, case: Case) -> dict[str, object]:
        m = self.of[-1]
        return {"which": "biases" if len(self.of) == case.L else f"b{m}", "m": m, "before_m": a_in(m)}


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
            for σ in dict.fromkeys((*(cost.activations or ("identity",)), here.activation[-1]))
            if cost.goes_with(σ) and (cost.name, σ) != (here.cost, here.activation[-1]) and cost.accepts(case.Y).all()
        ]

    def case(self, case: Case) -> Case:
        old = case.network
        network = Network(old.sizes, [*old.activation[:-1], self.σ_L], self.cost, old.l1, old.l2)
        return case.but(p=ParameterVector(network, case.p.vector))

    def words(self, case: Case) -> dict[str, object]:
        return {"right": case.network.cost}

"""Something else in place of a⁽ˡ⁻¹⁾."""

from collections.abc import Iterable
from typing import Self

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake


class NextActivation(Mistake):
    """δ is multiplied by the layer's own a, not by the a that came into it."""

    name = "next-activation"
    says = "dw{l} multiplies δ{l} by a{l}, not by {a_in}"
    fix = "{dw}    # ∂z{l}/∂w{l} is what came in"
    rank = 1

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return cls.in_each([l for l in case.layers if case.sizes[l] == case.sizes[l - 1]], case)

    def activation(self, calculation: Calculation, l: int, right: Step) -> Array:
        return calculation.case.trace.a[l]


class InputForActivation(Mistake):
    """δ is multiplied by the network's input, not by the activations of the layer before."""

    name = "input-for-activation"
    says = "dw{l} multiplies δ{l} by the input X, not by {a_in}"
    fix = "{dw}"
    rank = 1

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return cls.in_each([l for l in case.layers[1:] if case.sizes[l - 1] == case.sizes[0]], case)

    def activation(self, calculation: Calculation, l: int, right: Step) -> Array:
        return calculation.case.trace.a[0]


class PreActivation(Mistake):
    """δ is multiplied by z of the layer before, not by its a."""

    name = "z-for-activation"
    says = "dw{l} multiplies δ{l} by z{before}, not by a{before} = σ(z{before})"
    fix = "{dw}"
    rank = 1

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return cls.in_each(case.layers[1:], case)

    def activation(self, calculation: Calculation, l: int, right: Step) -> Array:
        return calculation.case.trace.z[l - 1]

"""Another activation's derivative."""

from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar, Self

from chainrule.calculus.activation import ACTIVATIONS
from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake
from chainrule.checking.sites import with_slope


class SlopeOfAnotherActivation(Mistake):
    """The derivative of another activation is taken."""

    name = "slope-of-another-activation"
    says = "{τ}′(z{l}) was taken, but layer {layer} has {σ}"
    fix = "{δ}    # σ = {σ}: σ′(z) = {slope}"
    rank = 3

    τ: str

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        # that of the identity is σ′ left out, a mistake with a name of its own
        others = [σ.name for σ in ACTIVATIONS.values() if σ.elementwise and σ.name != "identity"]
        return [m for τ in others for m in cls.in_each(_other_than(τ, case), case, τ)]

    def slope(self, calculation: Calculation, l: int, right: Step) -> Array:
        return ACTIVATIONS[self.τ].derivative(calculation.case.trace.z[l])

    def words(self, case: Case) -> dict[str, object]:
        return {"slope": self.formulas(lambda l: case.network.σ(l).derivative_formula, case)}


class SlopeByAnothersForm(Mistake):
    """The form by which another activation's derivative follows from its a, with this layer's a."""

    name = "slope-by-anothers-form"
    says = "{form}, which is {τ}′, was taken, but layer {layer} has {σ}"
    fix = "{δ}    # σ = {σ}: σ′(z) = {slope}"
    rank = 3
    FORMS: ClassVar[Mapping[str, tuple[str, Callable[[Array], Array]]]] = {
        "sigmoid": ("a{l}·(1 − a{l})", lambda a: a * (1 - a)),
        "tanh": ("1 − a{l}²", lambda a: 1 - a * a),
    }

    τ: str

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [m for τ in cls.FORMS for m in cls.in_each(_other_than(τ, case), case, τ)]

    def slope(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self.FORMS[self.τ][1](calculation.case.trace.a[l])

    def words(self, case: Case) -> dict[str, object]:
        form = self.FORMS[self.τ][0].format(l=self.layer or "[l]")
        return {"form": form, "slope": self.formulas(lambda l: case.network.σ(l).derivative_formula, case)}


def _other_than(τ: str, case: Case) -> list[int]:
    """The layers whose σ′ is a factor, and not that of τ."""
    return [l for l in with_slope(case) if τ != case.network.activation[l - 1]]

"""σ′ at a, a itself, or half of its form in place of σ′(z)."""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Self

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake
from chainrule.checking.sites import with_slope


class SlopeOfA(Mistake):
    """σ′ is taken at a, not at z."""

    name = "slope-of-a"
    says = "σ′ was taken at a{l}, not at z{l}"
    fix = "{δ}    # σ = {σ}"
    rank = 1

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return cls.in_each(with_slope(case), case)

    def slope(self, calculation: Calculation, l: int, right: Step) -> Array:
        return calculation.case.network.σ(l).derivative(calculation.case.trace.a[l])


class SlopeIsA(Mistake):
    """σ(z) itself stands where σ′(z) should."""

    name = "activation-for-slope"
    says = "a{l} = σ(z{l}) stands where σ′(z{l}) should"
    fix = "{δ}    # σ = {σ}"
    rank = 3

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return cls.in_each(with_slope(case), case)

    def slope(self, calculation: Calculation, l: int, right: Step) -> Array:
        return calculation.case.trace.a[l]


class _ByForm(Mistake):
    """What is said of σ′ by way of a, for the activations that have such a form."""

    fix = "{δ}    # σ = {σ}"
    FORMS: ClassVar[Mapping[str, str]]

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return cls.in_each(with_slope(case, *cls.FORMS), case)

    def words(self, case: Case) -> dict[str, object]:
        forms = self.formulas(lambda l: self.FORMS[case.network.activation[l - 1]], case)
        return {"form": forms.format(l=self.layer or "[l]")}


class SlopeInPart(_ByForm):
    """Of the form of σ′ by way of a only a part stands there: 1 − a."""

    name = "slope-in-part"
    says = "1 − a{l} stands where σ′(z{l}) = {form} should"
    rank = 3
    FORMS: ClassVar[Mapping[str, str]] = {"sigmoid": "a{l}·(1 − a{l})", "tanh": "1 − a{l}²"}

    def slope(self, calculation: Calculation, l: int, right: Step) -> Array:
        return 1 - calculation.case.trace.a[l]


class SlopeFormOfZ(_ByForm):
    """The form of σ′ by way of a is taken of z: z(1 − z), 1 − z²."""

    name = "slope-form-of-z"
    says = "{form} was taken, σ′ by way of a, but of z{l}"
    rank = 1
    FORMS: ClassVar[Mapping[str, str]] = {"sigmoid": "z{l}·(1 − z{l})", "tanh": "1 − z{l}²"}

    def slope(self, calculation: Calculation, l: int, right: Step) -> Array:
        z = calculation.case.trace.z[l]
        return z * (1 - z) if calculation.case.network.activation[l - 1] == "sigmoid" else 1 - z * z

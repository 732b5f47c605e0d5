"""A wrong sign."""

from collections.abc import Iterable
from typing import Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake, OfArrays
from chainrule.checking.right_line import line_of, δ_line


class Sign(Mistake):
    """The sign is wrong everywhere, as y − a for a − y makes it."""

    name = "sign"
    says = "the sign is wrong{in_arrays}{which}"
    fix = "{line}"
    rank = 0

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [m for m in cls.anywhere(case) if m.layer != 1]  # which is that of δ1

    def shares(self, calculation: Calculation, l: int, right: Step) -> Array:
        return -right()

    def words(self, case: Case) -> dict[str, object]:
        if self.everywhere:
            line = f"{δ_line(case, case.L)}    # a − Y, not Y − a: the step p −= lr·∂C/∂p has the minus"
            return {"which": " everywhere (y − a for a − y?)", "line": line}
        l = self.at(case)
        return {"which": ", not that of δ", "line": f"{line_of(f'w{l}', case)};  {line_of(f'b{l}', case)}"}


class SignOfLayer(Mistake):
    """The sign of one layer's δ is wrong, and with it that of all layers before."""

    name = "sign-of-layer"
    says = "the sign changes on the way back through layer {layer}"
    fix = "{δ}    # without a minus"
    rank = 2

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return cls.in_each(case.hidden, case)

    def δ(self, calculation: Calculation, l: int, right: Step) -> Array:
        return -right()


class SignLost(OfArrays):
    """Entries lost their sign, as by np.abs."""

    name = "sign-lost"
    says = "the entries of {which} lost their sign: |∂C/∂p|"
    fix = "{lines}    # without np.abs"
    rank = 3

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return cls.in_arrays(case)

    def made(self, case: Case, name: str, right: Array) -> Array:
        return np.abs(right)


class SignAlone(OfArrays):
    """Entries are nothing but their sign, as by np.sign."""

    name = "sign-alone"
    says = "of the entries of {which} only the sign is left: −1, 0 or 1"
    fix = "{lines}    # without np.sign"
    rank = 3

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return cls.in_arrays(case)

    def made(self, case: Case, name: str, right: Array) -> Array:
        return np.sign(right)

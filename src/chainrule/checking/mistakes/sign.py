"""A wrong sign."""

from collections.abc import Iterable
from typing import Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake


class Sign(Mistake):
    """The sign is wrong everywhere, as y − a for a − y makes it."""

    name = "sign"
    says = "the sign is wrong everywhere (y − a for a − y?)"
    fix = "{δ}    # a − Y, not Y − a: the step p −= lr·∂C/∂p has the minus"
    rank = 0

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(None)]

    def shares(self, calculation: Calculation, l: int, right: Step) -> Array:
        return -right()


class SignOfLayer(Mistake):
    """The sign of one layer's δ is wrong, and with it that of all layers before."""

    name = "sign-of-layer"
    says = "the sign changes on the way back through layer {l}"
    fix = "{δ}    # without a minus"
    rank = 2

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(l) for l in case.hidden]

    def δ(self, calculation: Calculation, l: int, right: Step) -> Array:
        return -right()


class _OfEntries(Mistake):
    """A function of each entry, in all arrays or in one."""

    letters: str

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(None, "wb"), *(cls(l, letter) for l in case.layers for letter in "wb")]

    @staticmethod
    def made(right: Array) -> Array:
        """What became of an array."""
        return right

    def w(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self.made(right()) if "w" in self.letters else right()

    def b(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self.made(right()) if "b" in self.letters else right()

    def words(self, case: Case) -> dict[str, object]:
        return {"which": "every array" if self.layer is None else f"d{self.letters}{self.layer}"}


class SignLost(_OfEntries):
    """Entries lost their sign, as by np.abs."""

    name = "sign-lost"
    says = "the entries of {which} lost their sign: |∂C/∂p|"
    fix = "{dw};  {db}    # without np.abs"
    rank = 3

    @staticmethod
    def made(right: Array) -> Array:
        return np.abs(right)


class SignAlone(_OfEntries):
    """Entries are nothing but their sign, as by np.sign."""

    name = "sign-alone"
    says = "of the entries of {which} only the sign is left: −1, 0 or 1"
    fix = "{dw};  {db}    # without np.sign"
    rank = 3

    @staticmethod
    def made(right: Array) -> Array:
        return np.sign(right)

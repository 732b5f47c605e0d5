"""The examples' weights."""

from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar, Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake


class WeightsIgnored(Mistake):
    """Every example counts the same, although they have weights: in everything, or in some arrays."""

    name = "weights-ignored"
    says = "the examples' weights were ignored{where}"
    fix = "{dw};  {db}"
    rank = 0

    letter: str
    """In ∂C/∂w or in ∂C/∂b alone; in both where it is empty."""

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        where = [(l, letter) for l in (None, *case.layers) for letter in ("", "w", "b")]
        return [] if case.weights is None else [cls(l, letter) for l, letter in where]

    def weight_shares(self, calculation: Calculation, l: int, right: Step) -> Array:
        return right() if self.letter == "b" else _equal(right())

    def bias_shares(self, calculation: Calculation, l: int, right: Step) -> Array:
        return right() if self.letter == "w" else _equal(right())

    def words(self, case: Case) -> dict[str, object]:
        arrays = [f"d{letter}{self.layer or ''}" for letter in self.letter or "wb"]
        if self.layer is None and not self.letter:
            return {"where": ""}
        return {"where": f" in {'every ' * (self.layer is None)}{' and '.join(arrays)}"}


def _equal(shares: Array) -> Array:
    return np.full_like(shares, shares.sum() / len(shares))


Shares = Mapping[str, Callable[[Array], Array]]
"""From the weights s, by their formula."""


class _Weighted(Mistake):
    """The weights s become other shares than s/Σs."""

    fix = "{dw};  {db}"
    rank = 1
    SHARES: ClassVar[Shares] = {}

    form: str

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [] if case.weights is None else [cls(None, form) for form in cls.SHARES]

    def shares(self, calculation: Calculation, l: int, right: Step) -> Array:
        s = calculation.case.weights
        assert s is not None
        return self.SHARES[self.form](s)


class WeightsTwice(_Weighted):
    """The examples' weights are applied twice."""

    name = "weights-twice"
    says = "the examples' weights were applied twice: {form}, not s/Σs"
    SHARES: ClassVar[Shares] = {
        "s²/Σs²": lambda s: s * s / (s * s).sum(),
        "s·s/Σs": lambda s: s * s / s.sum(),
        "(s/Σs)²": lambda s: (s / s.sum()) ** 2,
        "s²/n": lambda s: s * s / len(s),
        "s²": lambda s: s * s,
    }


class WeightsNotNormalised(_Weighted):
    """Weighted examples are divided by something else than the sum of their weights, such as their number."""

    name = "weights-not-normalised"
    says = "the examples count for {form}, not for s/Σs, their share of the weights' sum"
    SHARES: ClassVar[Shares] = {
        "s/n": lambda s: s / len(s),
        "s": lambda s: s,
        "s/max s": lambda s: s / s.max(),
    }

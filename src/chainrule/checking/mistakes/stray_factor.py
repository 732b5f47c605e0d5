"""A constant factor where none belongs."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.factors import factor_between, factor_of_all, factor_text, written
from chainrule.checking.mistake import Fitted, Given, OfArrays
from chainrule.checking.right_line import line_of
from chainrule.checking.sites import penalised


class _Factor(Fitted):
    """A factor, and whether it is one that people write."""

    factor: float
    usual: bool

    @property
    def fitted(self) -> int:
        """A factor such as 2 or 1/n is not read off."""
        return 0 if self.usual else 1


class StrayFactor(_Factor, OfArrays):
    """One array, or both of one layer, or every dw, or every db, is a multiple of what it should be."""

    name = "stray-factor"
    says = "{what} {text} × what {it} should be"
    fix = "{line}    # without the factor {text}"
    rank = 6

    sum_only: bool
    """Whether the penalty's part is as it should be."""

    @classmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        case = so_far.case
        for sum_only in (False, True) if penalised(case) else (False,):
            between = partial(_factor_of, so_far, given, sum_only)
            for letter in "wb" if not sum_only else "w":
                yield from cls._of(case, None, between([f"{letter}{l}" for l in case.layers]), letter, sum_only)
            for l in case.layers:
                w, b = between([f"w{l}"]), between([f"b{l}"])
                yield from cls._of(case, l, w, "w", sum_only)
                yield from cls._of(case, l, None if sum_only else b, "b", sum_only)
                if l > 1 or (penalised(case) and not sum_only):  # in layer 1 it is that of δ1
                    yield from cls._of(case, l, w if w and b and abs(w / b - 1) < 1e-4 else None, "wb", sum_only)

    @classmethod
    def _of(cls, case: Case, layer: int | None, factor: float | None, letters: str, sum_only: bool) -> Iterable[Self]:
        if factor not in (None, 0, 1) and not (layer is None and case.L == 1):
            among = () if layer else tuple(case.layers)
            yield cls(layer, letters, factor, written(factor, case), sum_only, among=among)

    def weight_shares(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self.factor * right() if self.sum_only else right()

    def made(self, case: Case, name: str, right: Array) -> Array:
        return right if self.sum_only and name[0] == "w" else self.factor * right

    def words(self, case: Case) -> dict[str, object]:
        l, at = self.layer or "[l]", self.at(case)
        arrays = " and ".join(f"d{letter}{l}" for letter in self.letters)
        be, it = ("is", "it") if len(self.letters) == 1 else ("are", "they")
        return {
            "what": f"the sum over the examples in {arrays} is" if self.sum_only else f"{arrays} {be}",
            "it": "it" if self.sum_only else it,
            "text": factor_text(self.factor, case),
            "line": ";  ".join(line_of(f"{letter}{at}", case) for letter in self.letters),
        }


def _factor_of(so_far: Calculation, given: Given, sum_only: bool, names: Sequence[str]) -> float | None:
    """The factor of these arrays, or of their sums over the examples alone."""
    if any(name not in given or given[name].shape != so_far.array(name).shape for name in names):
        return None
    pairs: list[tuple[Array, Array]] = []
    for name in names:
        penalty = so_far.penalty(int(name[1:])) if sum_only and name[0] == "w" else 0.0
        pairs.append(((so_far.array(name) - penalty).ravel(), (given[name] - penalty).ravel()))
    exact, yours = (np.concatenate(arrays) for arrays in zip(*pairs, strict=True))
    return factor_between(exact, yours, so_far.case)


class StrayFactorOfLayer(_Factor):
    """δ of one layer, or of every one, has a factor too many, which the layers before inherit."""

    name = "stray-factor-in-delta"
    says = "δ{l} has a factor {text} too many, which all layers before inherit"
    fix = "{δ}    # without the factor {text}"
    rank = 7

    @classmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        case = so_far.case
        for l in reversed(case.layers):
            factor = factor_between(so_far.array(f"b{l}"), given.get(f"b{l}"), case)
            if factor not in (None, 0, 1):
                usual = written(factor, case)
                yield cls(l, factor, usual)
                if 1 < l >= case.L - 1:  # the last layer, or the last that is hidden: so it may be in all before
                    yield cls(None, factor, usual, among=tuple(range(1, l + 1)))

    def δ(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self.factor * right()

    def words(self, case: Case) -> dict[str, object]:
        return {"text": factor_text(self.factor, case)}


class StrayFactorEverywhere(_Factor, OfArrays):
    """The whole gradient is a multiple of what it should be."""

    name = "stray-factor-everywhere"
    says = "the whole gradient is {text} × what it should be{step}"
    fix = "{dw};  {db}    # without the factor {text}"
    rank = 7

    @classmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        factor = factor_of_all(so_far, given)
        if factor not in (None, 0, 1):
            yield cls(None, "wb", factor, written(factor, so_far.case))

    def made(self, case: Case, name: str, right: Array) -> Array:
        return self.factor * right

    def words(self, case: Case) -> dict[str, object]:
        step = f": the step −lr·∂C/∂p with lr = {-self.factor:.6g}?" if self.factor < 0 else ""
        return {"text": factor_text(self.factor, case), "step": step}

"""Layers in the order of the way back."""

from collections.abc import Iterable
from typing import Self

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake


class LayersReversed(Mistake):
    """The gradients are in the order in which the way back finds them, last layer first: all, or w or b alone."""

    name = "layers-reversed"
    says = "the layers are in reverse order{which}: what is called {letter}1 is the gradient of {letter}{L}"
    fix = "grads.reverse()    # the way back finds layer {L} first"
    rank = 0

    letters: str

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(None, letters) for letters in ("wb", "w", "b")] if case.L > 1 else []

    def w(self, calculation: Calculation, l: int, right: Step) -> Array:
        return Calculation(calculation.case).w(calculation.case.L + 1 - l) if "w" in self.letters else right()

    def b(self, calculation: Calculation, l: int, right: Step) -> Array:
        return Calculation(calculation.case).b(calculation.case.L + 1 - l) if "b" in self.letters else right()

    def words(self, case: Case) -> dict[str, object]:
        which = {"wb": "", "w": " among the weights", "b": " among the biases"}[self.letters]
        return {"which": which, "letter": self.letters[0]}

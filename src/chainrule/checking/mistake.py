"""What a mistake is: some steps of the calculation, done wrong. Each file in ``mistakes`` has one, or a few of a
kind."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import ClassVar, Self, dataclass_transform

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import DELTA_STEPS, Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.right_line import a_in, line_of, δ_line

Given = Mapping[str, Array]
"""What was given: ∂C/∂w and ∂C/∂b by name, in whatever shape they came."""

_STEPS = frozenset(
    {
        "targets", "slope", "weight", "dC_da", "δ", "activation", "shares", "weight_shares", "bias_shares", "penalty", "bias_penalty",
        "w", "b",
    }
)  # fmt: skip


@dataclass_transform(eq_default=False)
@dataclass(eq=False, repr=False)
class Mistake:
    """One mistake at one place: in layer ``layer``, or in every layer where that is None.

    A subclass is a dataclass by itself; what distinguishes its variants are its fields, after ``layer``. It has a
    docstring that says what is done wrong, and

    - ``name``, what the mistake is called in reports and in JSON;
    - ``says``, one clause for the report, and ``fix``, the line that is right, in NumPy. In both {l} stands for the
      layer, the last where the mistake is in none, {before} and {after} for its neighbours, {n_in} and {n_out} for its
      sizes, {σ} for its activation, {a_in} for what comes into it, {n} for the number of examples; {dw}, {db} and {δ}
      for the right lines of :mod:`chainrule.checking.right_line`; {…} for each of the fields, and for whatever
      :meth:`words` adds;
    - a method for each step of :class:`chainrule.checking.calculation.Calculation` that it does wrong, with the step's
      name and the arguments (calculation, layer, right): ``right()`` is what the step should give;
    - :meth:`sites`, where in a problem it can be made, if that is not in every layer.

    ``rank`` orders mistakes that explain the same numbers, the likeliest first.
    """

    layer: int | None

    name: ClassVar[str]
    says: ClassVar[str]
    fix: ClassVar[str]
    rank: ClassVar[int] = 5
    relation: ClassVar[str] = ""
    """What the layer's ∂C/∂w and ∂C/∂b of one example become, such as exact ÷ σ′(z{l}), where that can be said."""
    convention: ClassVar[bool] = False
    """Whether it is no mistake but another convention."""

    def __init_subclass__(cls) -> None:
        dataclass(eq=False, repr=False)(cls)

    @property
    def fitted(self) -> int:
        """How many numbers are read off from what was given: so many entries confirm nothing."""
        return 0

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        """The mistake at every place where it can be made."""
        return [cls(l) for l in case.layers]

    def case(self, case: Case) -> Case:
        """The problem that is solved instead, for mistakes made on the way forward."""
        return case

    @classmethod
    def does(cls, step: str) -> bool:
        """Whether the step is done wrong."""
        return step in _STEPS and hasattr(cls, step)

    @classmethod
    @cache
    def touches_δ(cls) -> bool:
        """Whether it changes what goes back, not only what is made of it in each layer."""
        return cls.case is not Mistake.case or any(cls.does(step) for step in DELTA_STEPS)

    def words(self, case: Case) -> dict[str, object]:
        """Further words for ``says`` and ``fix``."""
        return {}

    def replaced(self, step: str, calculation: Calculation, l: int, right: Step) -> Step:
        """The step as this mistake does it."""
        if not self.does(step):
            return right
        wrong: Callable[[Calculation, int, Step], Array] = getattr(self, step)
        return lambda: wrong(calculation, l, right)

    def said(self, case: Case) -> str:
        """The clause for the report."""
        return self.says.format(**self._all_words(case))

    def line(self, case: Case) -> str:
        """The line that is right."""
        return self.fix.format(**self._all_words(case))

    def _all_words(self, case: Case) -> dict[str, object]:
        l = self.layer or case.L
        words: dict[str, object] = {
            "l": l, "before": l - 1, "after": l + 1, "n_out": case.sizes[l], "n_in": case.sizes[l - 1],
            "σ": case.network.activation[l - 1], "n": case.n, "L": case.L, "a_in": a_in(l),
            "dw": line_of(f"w{l}", case), "db": line_of(f"b{l}", case), "δ": δ_line(case, l),
        }  # fmt: skip
        return words | vars(self) | self.words(case)

    def __repr__(self) -> str:
        return self.name if self.layer is None else f"{self.name} in layer {self.layer}"


class Fitted(Mistake, ABC):
    """A mistake with a number that is read off from what was given."""

    @property
    def fitted(self) -> int:
        """One number, unless it is one that people write anyway."""
        return 1

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        """The mistake with the numbers that ``given`` suggests."""
        return cls.fits(Calculation(case), given) if given else []

    @classmethod
    @abstractmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        """The mistake with the numbers that explain best how ``given`` differs from a calculation, which is the right
        one or has other mistakes already."""


@cache
def catalogue() -> tuple[type[Mistake], ...]:
    """Every mistake there is, the likeliest first: whatever the modules in ``mistakes`` define."""
    package = import_module("chainrule.checking.mistakes")
    found: list[type[Mistake]] = []
    for module in iter_modules(package.__path__):
        for _, member in inspect.getmembers(import_module(f"{package.__name__}.{module.name}"), inspect.isclass):
            if issubclass(member, Mistake) and "name" in vars(member):
                found.append(member)
    return tuple(sorted(dict.fromkeys(found), key=lambda cls: (cls.rank, cls.name)))

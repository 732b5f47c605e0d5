"""What a mistake is: some steps of the calculation, done wrong. Each file in ``mistakes`` has one, or a few of a
kind."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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

_AFTER_DELTA = {
    "w": frozenset({"activation", "shares", "weight_shares", "penalty", "w"}),
    "b": frozenset({"shares", "bias_shares", "bias_penalty", "b"}),
}
"""The steps that make ∂C/∂w and ∂C/∂b of δ."""

_STEPS = DELTA_STEPS.union(*_AFTER_DELTA.values())


@dataclass_transform(eq_default=False, field_specifiers=(field,))
@dataclass(eq=False, repr=False)
class Mistake:
    """One mistake at one place: in layer ``layer``; or where that is None in all those ``among`` which it can be made,
    which are all layers if it says none.

    A subclass is a dataclass by itself; what distinguishes its variants are its fields, after ``layer``. It has a
    docstring that says what is done wrong, and

    - ``name``, what the mistake is called in reports and in JSON;
    - ``says``, one clause for the report, and ``fix``, the line that is right, in NumPy. In both {l} stands for the
      layer, {layer} for the same in words, {before} and {after} for its neighbours, {n_in} and {n_out} for its sizes,
      {σ} for its activation, {a_in} for what comes into it, {in_arrays} for its arrays, {n} for the number of examples;
      {dw}, {db} and {δ} for the right lines of :mod:`chainrule.checking.right_line`; {…} for each of the fields, and
      for whatever :meth:`words` adds. Where the mistake is in every layer, ``says`` has z[l] for z2, and ``fix`` the
      line of the last of them;
    - a method for each step of :class:`chainrule.checking.calculation.Calculation` that it does wrong, with the step's
      name and the arguments (calculation, layer, right): ``right()`` is what the step should give;
    - :meth:`sites`, where in a problem it can be made, if that is not in every layer.

    ``rank`` orders mistakes that explain the same numbers, the likeliest first.
    """

    layer: int | None
    among: tuple[int, ...] = field(default=(), kw_only=True)

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
        return cls.in_each(case.layers, case)

    @classmethod
    def in_each(cls, layers: Sequence[int], case: Case, *fields: object) -> list[Self]:
        """The mistake in each of these layers, in all of them, and in all that are hidden."""
        whole = [tuple(layers), tuple(l for l in layers if l < case.L)]
        every = [cls(None, *fields, among=among) for among in dict.fromkeys(whole) if len(among) > 1]
        return [*(cls(l, *fields) for l in layers), *every]

    @classmethod
    def anywhere(cls, case: Case) -> list[Self]:
        """The mistake in the whole network, which needs no word, in each of its layers, and in all that are hidden."""
        layers = case.layers if case.L > 1 else range(0)
        return [cls(None), *(m for m in cls.in_each(layers, case) if m.among != tuple(layers))]

    @classmethod
    def of_another_layer(cls, layers: Sequence[int], case: Case, like: Mapping[int, object]) -> list[Self]:
        """The mistake that takes what is another layer's, which is ``like`` its own: in each of these layers with each
        other, and in all of them with the layer before and the one after. Its one field is how many layers further on
        that is."""
        pairs = [(l, m - l) for l in layers for m in case.layers if m != l and like[m] == like[l]]
        alike = {by: tuple(l for l in layers if like.get(l + by) == like[l]) for by in (-1, 1)}
        each = [cls.in_each([l], case, by)[0] for l, by in pairs]
        return [*each, *(cls.in_each(among, case, by)[len(among)] for by, among in alike.items() if len(among) > 1)]

    @property
    def everywhere(self) -> bool:
        """Whether it is made in no layer by itself but in the whole."""
        return self.layer is None and not self.among

    def made_in(self, l: int) -> bool:
        """Whether it is made in this layer."""
        return self.everywhere or l == self.layer or l in self.among

    @property
    def last(self) -> int | None:
        """The last layer in which it is made; None where that is the network's."""
        return self.layer or max(self.among, default=None)

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

    def touches(self, name: str) -> bool:
        """Whether it may change ∂C/∂w or ∂C/∂b of this name."""
        l = int(name[1:])
        if self.touches_δ():
            return self.last is None or l <= self.last
        return self.made_in(l) and any(self.does(step) for step in _AFTER_DELTA[name[0]])

    @classmethod
    @cache
    def finishes(cls) -> bool:
        """Whether it changes nothing but arrays that are done."""
        return not cls.touches_δ() and not any(cls.does(step) for step in _STEPS - {"w", "b"})

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
        words = self._all_words(case)
        if self.among:
            words |= {"l": "[l]", "layer": "l", "before": "[l-1]", "after": "[l+1]", "n_out": "n[l]", "n_in": "n[l-1]"}
        words["in_arrays"] = "" if self.everywhere else f" in dw{words['l']} and db{words['l']}"
        return (f"{self.place(case)}: " if self.among else "") + self.says.format(**words)

    def line(self, case: Case) -> str:
        """The line that is right."""
        line = self.fix.format(**self._all_words(case))
        return line + (", and so " if "    #" in line else "    # and so ") + self.place(case) if self.among else line

    def place(self, case: Case) -> str:
        """Where it is made."""
        if self.layer:
            return f"in layer {self.layer}"
        return "in every hidden layer" if self.among == tuple(case.hidden) else "in every layer"

    def formulas(self, of: Callable[[int], str], case: Case) -> str:
        """What a text says of the layers in which it is made, once each."""
        layers = [self.layer] if self.layer else self.among or (case.L,)
        return ", ".join(dict.fromkeys(of(l) for l in layers))

    def at(self, case: Case) -> int:
        """The layer in which it is made, or the last of them."""
        return self.last or case.L

    def _all_words(self, case: Case) -> dict[str, object]:
        l = self.at(case)
        words: dict[str, object] = {
            "l": l, "before": l - 1, "after": l + 1, "n_out": case.sizes[l], "n_in": case.sizes[l - 1],
            "σ": self.formulas(lambda l: case.network.activation[l - 1], case), "n": case.n, "L": case.L,
            "a_in": a_in(l), "dw": line_of(f"w{l}", case), "db": line_of(f"b{l}", case), "δ": δ_line(case, l),
        }  # fmt: skip
        return words | vars(self) | {"layer": l} | self.words(case)

    def __repr__(self) -> str:
        if self.layer is None:
            return self.name + (" in every layer" if self.among else "")
        return f"{self.name} in layer {self.layer}"


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


class OfArrays(Mistake, ABC):
    """Something else is made of ∂C/∂w or ∂C/∂b, or of both, as their ``letters`` say, when they are done."""

    letters: str

    @classmethod
    def in_arrays(cls, case: Case, *fields: object) -> list[Self]:
        """In all arrays, and in each."""
        return [cls(None, "wb", *fields), *(cls(l, letter, *fields) for l in case.layers for letter in "wb")]

    @abstractmethod
    def made(self, case: Case, name: str, right: Array) -> Array:
        """What is made of an array, w1 or b1, …, of which ``right`` is what it should be."""

    def w(self, calculation: Calculation, l: int, right: Step) -> Array:
        """That of the weights."""
        return self.made(calculation.case, f"w{l}", right()) if "w" in self.letters else right()

    def b(self, calculation: Calculation, l: int, right: Step) -> Array:
        """That of the biases."""
        return self.made(calculation.case, f"b{l}", right()) if "b" in self.letters else right()

    def touches(self, name: str) -> bool:
        """Whether it may change ∂C/∂w or ∂C/∂b of this name."""
        return name[0] in self.letters and super().touches(name)

    def words(self, case: Case) -> dict[str, object]:
        """Which arrays, and their right lines."""
        names = [f"{letter}{self.at(case)}" for letter in self.letters]
        place = "[l]" if self.among else self.layer
        which = " and ".join(f"d{letter}{place}" for letter in self.letters)
        if self.everywhere:
            which = "every array" if len(self.letters) == 2 else f"every d{self.letters}"
        return {"which": which, "lines": ";  ".join(line_of(name, case) for name in names)}


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

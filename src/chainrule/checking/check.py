"""The search for the mistake that explains a gradient.

A gradient is right where every entry is within what rounding may do. Otherwise each mistake of the catalogue, at each
place where it can be made, predicts the wrong numbers: the diagnosis is the prediction that comes true. The way back
visits the last layer first, so the arrays are compared in that order; where one mistake explains only the first of
them, further ones are tried on top of it.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import ParameterVector
from chainrule.checking.calculation import Calculation
from chainrule.checking.case import Case
from chainrule.checking.given import given_arrays, precision_of
from chainrule.checking.mistake import Given, Mistake, catalogue
from chainrule.checking.verdict import Finding, Verdict, unexplained
from chainrule.model.model import Examples, Model

MOST_TOGETHER = 3
"""So many mistakes are looked for in one gradient."""

BEAM = 4
"""So many explanations of the first arrays are carried on to the next."""

SLACK = 16.0
"""A prediction may be off by so many times what rounding may do: naming is not judging."""


def check(
    model: Model,
    X: object,
    Y: object,
    gradients: Mapping[str, object] | ParameterVector,
    weights: object = None,
    *,
    precision: str = "auto",
    earlier: Mapping[str, object] | ParameterVector | None = None,
) -> Verdict:
    """Whether ``gradients`` is ∇C of the model over the examples; if not, which mistake makes it so.

    X (n, n_0), Y (n, n_L) and weights (n,) are as :meth:`chainrule.Model.examples` takes them. ``gradients`` is
    {"w1": …, "b1": …, …}. ``precision`` is that of the calculation that made them: float64, float32, or auto, which
    tells it by the numbers. ``earlier`` is the gradient of an earlier batch, which may have been left in. Raises
    InputError for gradients that are none of this network, with the likely remedy.
    """
    return check_examples(model, model.examples(X, Y, weights), gradients, precision=precision, earlier=earlier)


def check_examples(
    model: Model,
    examples: Examples,
    gradients: Mapping[str, object] | ParameterVector,
    *,
    precision: str = "auto",
    earlier: Mapping[str, object] | ParameterVector | None = None,
) -> Verdict:
    """:func:`check` of examples that are made already."""
    case = Case.of(model, examples)
    given, notes = given_arrays(case, gradients)
    if earlier is not None:
        arrays = earlier.arrays() if isinstance(earlier, ParameterVector) else earlier
        case = case.but(earlier=ParameterVector.from_arrays(case.network, arrays))
    return judge(case, given, precision, notes)


def judge(case: Case, given: Given, precision: str = "auto", notes: Sequence[str] = ()) -> Verdict:
    """The verdict on arrays by name. ``notes`` are passed on to it."""
    told = precision_of(given, precision)
    case = case.but(u=told.u)
    own = Calculation(case.but(u=2.0**-53))  # what our own float64 may err by
    names = in_order(case, given)
    wrong = [name for name in names if not within(given[name], own.array(name), _allowed(case, own, name))]
    if wrong and told.name == "float64" and precision == "auto":
        # numbers of a float32 calculation that were converted or averaged in float64
        looser = case.but(u=2.0**-24)
        if _looks_rounded(looser, own, given, wrong):
            remark = "the numbers agree as far as float32 does, and no further: taken for a float32 calculation"
            return Verdict(case, given, "float32", (), (*notes, remark))
    if not wrong:
        return Verdict(case, given, told.name, (), (*notes, *_conventions(case, given)))
    return _explained(case, given, told.name, wrong, tuple(notes))


def in_order(case: Case, given: Given) -> list[str]:
    """The arrays that were given, as the way back finds them: bL, wL, …, b1, w1."""
    return [name for l in reversed(case.layers) for name in (f"b{l}", f"w{l}") if name in given]


def within(given: Array, right: Array, allowed: Array | float) -> bool:
    """Whether two arrays agree."""
    with np.errstate(invalid="ignore"):
        return given.shape == right.shape and bool((np.abs(given - right) <= allowed).all())


def _allowed(case: Case, own: Calculation, name: str) -> Array:
    return own.error(name) + Calculation(case).error(name)


def _looks_rounded(case: Case, own: Calculation, given: Given, wrong: Sequence[str]) -> bool:
    """Whether all of it is right to float32, and off by so much in so many entries as rounding to float32 would be."""
    off: list[Array] = []
    for name in in_order(case, given):
        right = own.array(name)
        if not within(given[name], right, _allowed(case, own, name)):
            return False
        if name in wrong:
            moved = np.abs(given[name] - right) > own.error(name)
            off.append(moved[right != 0])
    entries = np.concatenate([o.ravel() for o in off])
    return entries.size > 1 and float(entries.mean()) > 0.5


def _conventions(case: Case, given: Given) -> tuple[str, ...]:
    """What is to be said of a right gradient that takes another slope at a kink: within rounding either may be
    right."""
    plain = Calculation(case)
    for mistake in _every(case, given, convention=True):
        taken = Calculation(case, [mistake])
        names = in_order(case, given)
        tight = {name: 1e-3 * _scale(plain, name) for name in names}
        differs = any(not within(plain.array(name), taken.array(name), tight[name]) for name in names)
        if differs and all(within(given[name], taken.array(name), tight[name]) for name in names):
            return (f"{mistake.said(case)}: {mistake.line(case)}",)
    return ()


def _scale(calculation: Calculation, name: str) -> float:
    return float(np.abs(calculation.array(name)).max(initial=0)) + calculation.case.rounding.tiny


# explanations --------------------------------------------------------------------------------------


class _Explanation:
    """Some mistakes together, and how many of the arrays, in order, they explain."""

    def __init__(self, case: Case, mistakes: tuple[Mistake, ...], given: Given, names: Sequence[str]) -> None:
        self.mistakes = mistakes
        self.calculation = Calculation(case, mistakes)
        self.explained = 0
        for name in names:
            if not matches(self.calculation, given, name):
                break
            self.explained += 1

    @property
    def cost(self) -> tuple[int, int, int]:
        """The least first: mistakes, numbers fitted, and how unlikely they are."""
        return len(self.mistakes), sum(m.fitted for m in self.mistakes), sum(m.rank for m in self.mistakes)


def matches(calculation: Calculation, given: Given, name: str) -> bool:
    """Whether a calculation with mistakes predicts one of the arrays, within what rounding may do to it."""
    try:
        predicted = calculation.array(name)
        if predicted.shape != given[name].shape or not np.isfinite(predicted).all():
            return False
        error = calculation.error(name)
    except ValueError:  # shapes that do not fit: the mistake cannot be made here
        return False
    allowed = SLACK * error if error.shape == predicted.shape else SLACK * float(error.max(initial=0))
    size = float(np.abs(predicted).max(initial=0)) + float(np.abs(given[name]).max(initial=0))
    return within(given[name], predicted, np.maximum(allowed, 4 * calculation.case.u * size))


def _every(case: Case, given: Given, convention: bool = False) -> Iterator[Mistake]:
    for kind in catalogue():
        if kind.convention == convention:
            yield from kind.sites(case, given)


def _explained(case: Case, given: Given, precision: str, wrong: Sequence[str], notes: tuple[str, ...]) -> Verdict:
    names = in_order(case, given)
    if not all(np.isfinite(given[name]).all() for name in names):
        return Verdict(case, given, precision, unexplained(case, given, wrong), notes)
    finding = _conventions_only(case, given, names)
    if finding:
        return Verdict(case, given, precision, (), (*notes, *finding))
    candidates = list(_every(case, given))
    plain = _Explanation(case, (), given, names)
    beam, best = [plain], plain
    for _ in range(MOST_TOGETHER):
        tried = [
            _Explanation(case, (*before.mistakes, mistake), given, names)
            for before in beam
            for mistake in candidates
            if _goes_with(mistake, before.mistakes)
        ]
        whole = sorted((e for e in tried if e.explained == len(names)), key=lambda e: e.cost)
        if whole:
            return _named(case, given, precision, whole, wrong, notes)
        further = [e for e in tried if e.explained > max(b.explained for b in beam)]
        if not further:
            break
        further.sort(key=lambda e: (-e.explained, e.cost))
        beam = further[:BEAM]
        best = beam[0]
    rest = names[best.explained :]
    explained = [name for name in wrong if name not in rest]
    findings = _findings(case, given, [best], explained) if best.mistakes else ()
    left = [name for name in wrong if name in rest]
    return Verdict(case, given, precision, (*findings, *unexplained(case, given, left, best.calculation)), notes)


def _conventions_only(case: Case, given: Given, names: Sequence[str]) -> tuple[str, ...]:
    for mistake in _every(case, given, convention=True):
        if _Explanation(case, (mistake,), given, names).explained == len(names):
            return (f"{mistake.said(case)}: {mistake.line(case)}",)
    return ()


def _goes_with(mistake: Mistake, others: Sequence[Mistake]) -> bool:
    return not any(type(mistake) is type(other) and mistake.layer == other.layer for other in others)


def _named(
    case: Case,
    given: Given,
    precision: str,
    whole: Sequence[_Explanation],
    wrong: Sequence[str],
    notes: tuple[str, ...],
) -> Verdict:
    equally = [e for e in whole if len(e.mistakes) == len(whole[0].mistakes)]
    return Verdict(case, given, precision, _findings(case, given, equally, wrong), notes)


def _findings(
    case: Case, given: Given, explanations: Sequence[_Explanation], wrong: Sequence[str]
) -> tuple[Finding, ...]:
    first = explanations[0]
    others = [tuple(m for m in e.mistakes if m not in first.mistakes) for e in explanations[1:]]
    exact = Calculation(case)
    found: list[Finding] = []
    left = list(wrong)
    for at, mistake in enumerate(first.mistakes):
        without = Calculation(case, [m for m in first.mistakes if m is not mistake])
        touched = (
            [name for name in left if _differ(without, first.calculation, name)] if len(first.mistakes) > 1 else left
        )
        last = at == len(first.mistakes) - 1
        equal = tuple(dict.fromkeys(str(m.name) for o in others for m in o if len(o) == 1)) if last else ()
        found.append(Finding.of(case, mistake, touched or left, exact, first.calculation, given, equal))
    return tuple(found)


def _differ(one: Calculation, other: Calculation, name: str) -> bool:
    return not matches(one, {name: other.array(name)}, name)

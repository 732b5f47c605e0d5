"""Whether a gradient is right; if not, which mistakes explain it.

It is right where every entry is within what rounding may do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, overload

import numpy as np

from chainrule.calculus.network import ParameterVector
from chainrule.checking.calculation import Calculation
from chainrule.checking.case import Case
from chainrule.checking.digits import as_kept, as_printed
from chainrule.checking.given import PRECISIONS, fit_float32, given_arrays, precision_of
from chainrule.checking.mistake import Given, Mistake, catalogue
from chainrule.checking.scaling import otherwise_scaled
from chainrule.checking.search import Explanation, Search, Watch, matches, within
from chainrule.checking.sites import with_slope
from chainrule.checking.verdict import Finding, Verdict, distance, nearly_right, unexplained
from chainrule.checks import require
from chainrule.errors import InputError
from chainrule.model.model import Examples, Model

Gradients = Mapping[str, object] | ParameterVector
"""Arrays by name, {"w1": …, "b1": …, …}."""

NEAR = 1e-5
"""Finite differences with a good step are off by less than this share of an array's largest entry."""


@overload
def check(
    model: Model, examples: Examples, gradients: Gradients, /, *, precision: str = ..., earlier: Gradients | None = ...
) -> Verdict: ...
@overload
def check(
    model: Model,
    X: object,
    Y: object,
    gradients: Gradients,
    weights: object = ...,
    *,
    precision: str = ...,
    earlier: Gradients | None = ...,
) -> Verdict: ...
def check(
    model: Model,
    X: object,
    Y: Any = None,
    gradients: Any = None,
    weights: object = None,
    *,
    precision: str = "auto",
    earlier: Gradients | None = None,
) -> Verdict:
    """Whether ``gradients`` is ∇C of the model over the examples; if not, which mistake makes it so.

    Called as ``check(model, examples, gradients)`` or as ``check(model, X, Y, gradients)``. X (n, n_0), Y (n, n_L) and
    weights (n,) are as :meth:`chainrule.Model.examples` takes them: X as it is before a model that standardises its
    inputs does so, Y what the outputs are compared with, which is standardised where that model's targets are; examples
    of a table, as :meth:`chainrule.Model.examples_of` makes them, are both. ``gradients`` is {"w1": …, "b1": …, …}.
    ``precision`` is that of the calculation that made them: float64, float32, or auto, which tells it by the numbers.
    ``earlier`` is the gradient of an earlier batch, which may have been left in. Raises InputError for gradients that
    are none of this network, with the likely remedy.
    """
    require(isinstance(model, Model), "model", model, "a Model; cr.Model(parameters) makes one")
    if isinstance(X, Examples):
        gradients = Y if gradients is None else gradients
        return check_examples(model, X, gradients, precision=precision, earlier=earlier)
    return check_examples(model, model.examples(X, Y, weights), gradients, precision=precision, earlier=earlier)


def check_examples(
    model: Model,
    examples: Examples,
    gradients: Gradients,
    *,
    precision: str = "auto",
    earlier: Gradients | None = None,
    partial: bool = False,
    watch: Watch | None = None,
) -> Verdict:
    """:func:`check` of examples that are made already. ``partial`` lets arrays be missing, ``watch`` is told how far it
    is."""
    case = Case.of(model, examples)
    given, notes = given_arrays(case, gradients, partial=partial)
    if earlier is not None:
        arrays = earlier.arrays() if isinstance(earlier, ParameterVector) else earlier
        case = case.but(earlier=ParameterVector.from_arrays(case.network, arrays))
    verdict = judge(case, given, precision, notes, watch)
    return verdict or replace(verdict, notes=(*otherwise_scaled(model, verdict), *verdict.notes))


@np.errstate(all="ignore")  # what overflows in a prediction is no prediction
def judge(
    case: Case, given: Given, precision: str = "auto", notes: Sequence[str] = (), watch: Watch | None = None
) -> Verdict:
    """The verdict on arrays by name. ``notes`` are passed on to it; ``watch`` is told how far the search is."""
    told = precision_of(given, precision)
    case = case.but(u=told.u)
    _require_finite(case, given)
    kept = as_kept(given) if precision == "auto" and not case.coarse else {}
    if kept:
        case, notes = case.but(coarse=kept), (*notes, *_shorter(case, given, kept))
    wrong = _wrong(case, given)
    if not wrong:
        return Verdict(case, given, told.name, (), (*notes, *_conventions(case, given), *_unjudged(case, given)))
    printed = as_printed(given) if precision == "auto" and not case.coarse else {}
    if printed:
        case = case.but(coarse=printed)
        wrong = _wrong(case, given)
        if not wrong:
            return Verdict(case, given, told.name, (), (*notes, "the numbers are right as far as their digits go"))
    findings = _findings(case, given, wrong, watch)
    if told.name == "float64" and precision == "auto":
        # numbers of a float32 calculation may have been converted, or averaged in float64
        unnamed = all(finding.bug is None for finding in findings)
        every = unnamed and _looks_rounded(case, given)
        rounded = every or (unnamed and case.single and _looks_rounded(case, given, wrong))
        looser = case.but(u=PRECISIONS["float32"].u)
        if fit_float32(given) or rounded:
            still = _wrong(looser, given)
            if not still and (fit_float32(given) or case.single):
                remark = "the numbers agree as far as float32 does, and no further: taken for a float32 calculation"
                return Verdict(case, given, "float32", (), (*notes, remark))
            named = _named(looser, given, still, watch, whole=True) if still and rounded else ()
            if named:
                return Verdict(looser, given, "float32", named, tuple(notes))
            if every and not _far(case, given):
                findings = (nearly_right(case, given, wrong, in_float32=not still),)
                return Verdict(case, given, told.name, findings, tuple(notes))
    return Verdict(case, given, told.name, findings, (*notes, *_where_to_look(case, given, wrong, findings)))


def in_order(case: Case, given: Given) -> list[str]:
    """The arrays that were given, as the way back finds them: bL, wL, …, b1, w1."""
    return [name for l in reversed(case.layers) for name in (f"b{l}", f"w{l}") if name in given]


def _own(case: Case) -> Calculation:
    """The right numbers, by our own float64."""
    return Calculation(case.but(u=PRECISIONS["float64"].u, coarse={}))


def _require_finite(case: Case, given: Given) -> None:
    """Raise InputError where ∇C itself overflows."""
    own = _own(case)
    for name in in_order(case, given):
        if not np.isfinite(own.array(name)).all():
            raise InputError(f"∂C/∂{name} is not finite at these parameters and examples: nothing can be compared")


def _wrong(case: Case, given: Given) -> list[str]:
    """The arrays that are off by more than what was judged may be off by, and ours besides."""
    own, judged = _own(case), Calculation(case)
    return [
        name
        for name in in_order(case, given)
        if not within(given[name], own.array(name), own.error(name) + judged.error(name))
    ]


def _looks_rounded(case: Case, given: Given, names: Sequence[str] = ()) -> bool:
    """Whether most entries of every array, or of those named, are off by more than float64 is, as after rounding."""
    own = _own(case)
    for name in names or in_order(case, given):
        right = own.array(name)
        if given[name].shape != right.shape:
            return False
        off = np.abs(given[name] - right) > own.error(name)
        if right.any() and float(off[right != 0].mean()) <= 0.5:
            return False
    return True


def _far(case: Case, given: Given) -> list[str]:
    """The arrays that are further off than finite differences are."""
    own = _own(case)
    return [name for name in given if distance(given[name], own.array(name)) > NEAR]


def _conventions(case: Case, given: Given) -> tuple[str, ...]:
    """What is to be said of a right gradient that takes another slope at a kink: within rounding either may be
    right."""
    plain = Calculation(case)
    for mistake in (m for kind in catalogue() if kind.convention for m in kind.sites(case, given)):
        taken = Calculation(case, [mistake])
        names = in_order(case, given)
        tight = {name: 1e-3 * _scale(plain, name) for name in names}
        differs = any(not within(plain.array(name), taken.array(name), tight[name]) for name in names)
        if differs and all(within(given[name], taken.array(name), tight[name]) for name in names):
            return (f"{mistake.said(case)}: {mistake.line(case)}",)
    return ()


def _shorter(case: Case, given: Given, kept: Given) -> tuple[str, ...]:
    """What is to be said of the arrays that are kept in a shorter type."""
    half = PRECISIONS["float16"]
    if any(given[name].dtype == np.float16 for name in kept):
        if _wrong(case.but(coarse=kept), given) and not _wrong(case.but(u=half.u), given):
            return (
                "a calculation in float16 may have given these numbers; precision float16 judges by what it may err by",
            )
        return ("the arrays are in float16: judged as far as its digits go",)
    return (f"in float32, unlike the others, and judged as far as its digits go: {', '.join(kept)}",)


def _unjudged(case: Case, given: Given) -> tuple[str, ...]:
    """The arrays of which nothing can be said, since rounding may change them by as much as they are."""
    own, judged = _own(case), Calculation(case)
    size = {name: float(np.abs(own.array(name)).sum()) for name in given}
    # exactly at a kink the bound is wide for another reason, of which the conventions speak
    kinks = [l for l in with_slope(case) if np.isin(case.trace.z[l], case.network.σ(l).kinks).any()]
    after = [name for name in given if int(name[1:]) > max(kinks, default=0)]
    lost = [name for name in after if 0 < size[name] <= float(judged.error(name).sum())]
    if not lost:
        return ()
    them, they = ("it", "it cannot be judged, and is") if len(lost) == 1 else ("them", "they cannot be judged, and are")
    return (
        f"{', '.join(lost)}: as small as what rounding may do to {them}, as where neurons are saturated; {they} right "
        "only as far as that",
    )


def _where_to_look(case: Case, given: Given, wrong: Sequence[str], findings: Sequence[Finding]) -> tuple[str, ...]:
    """What the arrays that are wrong have in common, where no mistake explains any."""
    if any(finding.bug is not None for finding in findings):
        return ()
    l = max(int(name[1:]) for name in wrong)
    if {name for k in range(1, l + 1) for name in (f"w{k}", f"b{k}")} != set(wrong):
        return ()
    if l < case.L:
        return (f"everything after layer {l} agrees, and nothing before: look at δ{l}",)
    if len(_far(case, given)) < len(given) or not all(np.isfinite(array).all() for array in given.values()):
        return ()
    return (
        f"nothing agrees: the forward pass, the data or the parameters seem to be others than here, or δ{l} is wrong",
    )


def _scale(calculation: Calculation, name: str) -> float:
    return float(np.abs(calculation.array(name)).max(initial=0)) + calculation.case.rounding.tiny


def _findings(case: Case, given: Given, wrong: Sequence[str], watch: Watch | None) -> tuple[Finding, ...]:
    """The mistakes that explain what is wrong, and what nothing explains."""
    return _named(case, given, wrong, watch) or unexplained(case, given, wrong)


def _named(
    case: Case, given: Given, wrong: Sequence[str], watch: Watch | None, *, whole: bool = False
) -> tuple[Finding, ...]:
    """The mistakes that explain what is wrong, with what is left; none where nothing does, or not the ``whole``."""
    if not all(np.isfinite(given[name]).all() for name in given):
        return ()
    exact = Calculation(case)
    found = Search(case, given, in_order(case, given), wrong, watch).explanations(whole=whole)
    # one in which a mistake shows nowhere, since another undoes it, explains nothing
    explanations = [e for e in found if e.mistakes and all(_touched(exact, e, m, wrong) for m in e.mistakes)]
    if not explanations:
        return ()
    first = explanations[0]
    named = [name for name in wrong if name not in first.aside]
    right = [name for name in given if name not in wrong]
    several = _with_equals(explanations)
    touched = {mistake: _touched(exact, first, mistake, named) for mistake, _ in several}
    findings: list[Finding] = []
    for mistake, equally in several:
        others = {name for other, names in touched.items() if other is not mistake for name in names}
        findings.append(
            Finding.of(case, mistake, touched[mistake], exact, first.calculation, given, right, equally, others)
        )
    left = [name for name in wrong if name in first.aside]
    return (*findings, *unexplained(case, given, left, first.calculation))


def _touched(exact: Calculation, explanation: Explanation, mistake: Mistake, wrong: Sequence[str]) -> Sequence[str]:
    """The arrays that would be others without this mistake."""
    if len(explanation.mistakes) == 1:
        return wrong
    without = Calculation(exact.case, [m for m in explanation.mistakes if m is not mistake])
    return [name for name in wrong if not matches(without, {name: explanation.calculation.array(name)}, name)]


def _with_equals(explanations: Sequence[Explanation]) -> list[tuple[Mistake, tuple[str, ...]]]:
    """Each mistake of the first explanation, with the names of those that may stand in its place."""
    first = explanations[0].mistakes
    others = [{(m.name, m.layer) for m in e.mistakes} for e in explanations[1:]]
    found: list[tuple[Mistake, tuple[str, ...]]] = []
    for mistake in first:
        rest = {(m.name, m.layer) for m in first if m is not mistake}
        instead = [name for other in others if rest <= other for name, _ in sorted(other - rest, key=str)]
        found.append((mistake, tuple(dict.fromkeys(name for name in instead if name != mistake.name))))
    return found

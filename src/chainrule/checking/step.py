"""Less than a gradient: only the parameters after one step of gradient descent are known."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import ParameterVector, layout
from chainrule.checking.calculation import Calculation
from chainrule.checking.case import Case
from chainrule.checking.check import judge
from chainrule.checking.digits import as_printed_unevenly
from chainrule.checking.factors import factor_of_all
from chainrule.checking.given import given_arrays
from chainrule.checking.mistake import Fitted, Given, catalogue
from chainrule.checking.search import within
from chainrule.checking.verdict import Verdict
from chainrule.checks import listed, number, require, texts
from chainrule.errors import InputError
from chainrule.model.model import Examples, Model

RATE_DIGITS = 3
"""A learning rate that somebody has chosen has no more; the fewest that fit are taken for it."""

_NAMED = 4


def check_step(
    model: Model,
    examples: Examples,
    after: Mapping[str, object] | ParameterVector,
    lr: float,
    freeze: Sequence[str] = (),
) -> Verdict:
    """Whether ``after`` is where one step p −= lr·∂C/∂p leads from the model's parameters; if not, by which mistake.

    ``after`` is {"w1": …, "b1": …, …}; what ``freeze`` names (arrays, or b for all biases) may be left out. The
    gradient behind the step, (before − after)/lr, is known only as far as the parameters' own digits reach, be they
    those of a type or those that somebody printed, and judged so. A note says where another learning rate, or frozen
    arrays, would make the step right. Raises InputError, also where what was to be frozen has changed, and where the
    digits are too few to see a step.
    """
    case = Case.of(model, examples)
    lr = number("lr", lr, "a learning rate, above 0", lambda lr: lr > 0)
    frozen = frozen_arrays(case, freeze)
    if len(frozen) == len(layout(case.network)):
        raise InputError("freeze: everything is frozen; a step that changes nothing tells nothing")
    table = after.arrays() if isinstance(after, ParameterVector) else after
    require(isinstance(table, Mapping), "parameters after the step", table, "a table of arrays by name, w1, b1, …")
    missing = [name for name, _ in case.p if name not in table and name not in frozen]
    if missing and len(missing) < len(case.p.arrays()):
        raise InputError(
            f"parameters after the step: {listed(missing)} missing; give them, or freeze what the step leaves as it is"
        )
    now, notes = given_arrays(case, {**{name: case.p.arrays()[name] for name in frozen}, **table})
    step = _Step(case, now, lr, frozen, as_printed_unevenly({name: now[name] for name in now if name in table}))
    step.check_shapes()
    verdict = _verdict(step, notes)
    return verdict or replace(verdict, notes=(*verdict.notes, *_right_otherwise(step)))


@dataclass(frozen=True)
class _Step:
    """A step of gradient descent, by the parameters ``now``, after it; ``printed`` is what rounding may have moved them
    by when they were written down, empty where they were not."""

    case: Case
    now: Given
    lr: float
    frozen: frozenset[str]
    printed: Mapping[str, Array]

    def check_shapes(self) -> None:
        """Raise InputError for an array of another shape than before, and for one that is frozen and has changed."""
        for name, then in self.case.p:
            now = self.now[name]
            if now.shape != then.shape:
                raise InputError(f"{name}: shape {now.shape} after the step, {then.shape} before it")
            allowed = 4 * self._u(name) * np.abs(then) + self.printed.get(name, 0.0)
            if name in self.frozen and (np.abs(now - then) > allowed).any():
                raise InputError(f"{name}: changed by the step, but it was to be frozen")

    @property
    def gradient(self) -> dict[str, Array]:
        """What the step went along, of what is not frozen."""
        return {name: (then - self.now[name]) / self.lr for name, then in self.case.p if name not in self.frozen}

    def known(self, printed: bool) -> Case:
        """The case, with what the gradient may be off by for being known from the parameters alone."""
        coarse: dict[str, Array] = {}
        for name in self.gradient:
            # the last digit of the type that it was kept in, rounded twice: before it was subtracted, and after
            coarse[name] = 2 * self._u(name) * (np.abs(self.case.p.arrays()[name]) + np.abs(self.now[name])) / self.lr
            if printed and name in self.printed:
                coarse[name] = coarse[name] + self.printed[name] / self.lr
        return self.case.but(coarse=coarse)

    def judged(self, printed: bool) -> Verdict:
        """The verdict on its gradient, by all its digits or by those that were printed."""
        return judge(self.known(printed), self.gradient, "float64")

    def seen(self) -> dict[str, int]:
        """In how many entries of each array the digits are enough to see a step; without arrays whose ∂C/∂p is 0."""
        case = self.known(printed=True)
        exact = {name: Calculation(case).array(name) for name in self.gradient}
        return {name: int((np.abs(g) > case.coarse[name]).sum()) for name, g in exact.items() if g.any()}

    def _u(self, name: str) -> float:
        now, then = self.now[name], self.case.p.arrays()[name]
        return 2.0**-24 if now.dtype == np.float32 or _short(now, then) else 2.0**-53


def frozen_arrays(case: Case, freeze: Sequence[str]) -> frozenset[str]:
    """The arrays that are meant: by name, or w for all weights and b for all biases."""
    names = [block.name for block in layout(case.network)]
    chosen: set[str] = set()
    for name in texts("freeze", freeze):
        found = [each for each in names if each == name or each[0] == name]
        require(bool(found), "freeze", name, f"one of w, b, {', '.join(names)}")
        chosen.update(found)
    return frozenset(chosen)


def if_frozen(names: Iterable[str], case: Case) -> str:
    """The question whether these arrays are frozen, with the options that freeze them."""
    some = [name for name, _ in case.p if name in names]
    for letter, kind in (("b", "biases"), ("w", "weights")):
        if some == [name for name, _ in case.p if name[0] == letter]:
            return f"are the {kind} frozen (--freeze {letter})?"
    verb = "is" if len(some) == 1 else "are"
    return f"{verb} {', '.join(some)} frozen ({' '.join(f'--freeze {name}' for name in some)})?"


def _verdict(step: _Step, notes: Sequence[str]) -> Verdict:
    """By all digits, as if none were rounded away; and where that is not right, by those that were printed."""
    exact = step.judged(printed=False)
    if exact or not step.printed:
        return replace(exact, notes=(*notes, *exact.notes))
    rounded = step.judged(printed=True)
    if rounded:
        return replace(rounded, notes=(*notes, *rounded.notes, *_as_far_as_digits_go(step)))
    if all(finding.bug for finding in exact.findings):
        return replace(exact, notes=(*notes, *exact.notes))
    findings = rounded.findings
    others = [] if any(finding.bug for finding in findings) else _alike(step)
    if others:
        evidence = f"the digits are too few to tell which mistake it is; {_some(others)} would give these numbers"
        findings = tuple(replace(finding, evidence=evidence) for finding in findings)
    return replace(rounded, findings=findings, notes=(*notes, *rounded.notes, *_unseen(step)))


def _as_far_as_digits_go(step: _Step) -> list[str]:
    """What rounded numbers that are right leave open. Raises InputError where that is everything."""
    if not any(step.seen().values()):
        raise InputError(
            "parameters after the step: too few digits to see a step; it moves each number by less than a unit of its "
            "last digit. Give more digits"
        )
    told = ["the numbers are right as far as their digits go", *_unseen(step)]
    others = _alike(step)
    if others:
        told.append(f"more digits would tell it from {_some(others)}")
    return told


def _unseen(step: _Step) -> list[str]:
    names = [name for name, entries in step.seen().items() if not entries]
    return [f"too few digits to see the step of {', '.join(names)}"] if names else []


def _alike(step: _Step) -> list[str]:
    """The mistakes that give these numbers, too, as far as their digits go, and other ones if there were more."""
    case, gradient = step.known(printed=True), step.gradient
    exact, names = Calculation(case), list(gradient)
    found: dict[str, None] = {}
    for kind in catalogue():
        if kind.convention or issubclass(kind, Fitted) or kind.name in found:
            continue
        for mistake in kind.sites(case, gradient):
            calculation = Calculation(case, [mistake])
            try:
                fits = all(within(gradient[n], calculation.array(n), calculation.error(n)) for n in names)
                differs = any(not within(exact.array(n), calculation.array(n), _least(exact, n)) for n in names)
            except ValueError:  # the mistake cannot be made here
                continue
            if fits and differs:
                found[kind.name] = None
                break
    return list(found)


def _least(exact: Calculation, name: str) -> float:
    """What an array has to change by to be another."""
    return 1e-6 * float(np.abs(exact.array(name)).max(initial=0))


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _right_otherwise(step: _Step) -> list[str]:
    """Whether the step is right where what has not changed is frozen, or at another learning rate, or both."""
    still = frozenset(name for name, entries in step.seen().items() if entries and _unchanged(step, name))
    frozen = replace(step, frozen=step.frozen | still)
    question = if_frozen(still, step.case)
    if still and _is_right(frozen):
        return [f"what moves is right: {question}"]
    for other in (step, frozen) if frozen.gradient else (step,):
        factor = factor_of_all(Calculation(step.known(printed=True)), other.gradient)
        for lr in _rates((factor or 0) * step.lr):
            if lr > 0 and lr != step.lr and _is_right(replace(other, lr=lr)):
                asked = f"is {lr / step.lr:.6g} × the right step: is the learning rate {lr:g}"
                return [f"every array {asked}?" if other is step else f"every array that moves {asked}, and {question}"]
    return []


def _rates(lr: float) -> list[float]:
    return [float(f"{lr:.{digits}g}") for digits in range(1, RATE_DIGITS + 1)]


def _unchanged(step: _Step, name: str) -> bool:
    return bool((step.now[name] == step.case.p.arrays()[name]).all())


def _is_right(step: _Step) -> bool:
    """Whether it is, and can be seen to be: in one entry more than a rate is fitted to."""
    return sum(step.seen().values()) > 1 and bool(step.judged(printed=True))


def _short(*arrays: Array) -> bool:
    """Whether these numbers are float32's, kept in float64."""
    with np.errstate(over="ignore"):
        return all(bool((a.astype(np.float32) == a).all()) for a in arrays)

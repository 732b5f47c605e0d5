"""Less than a gradient: only the cost after one step of gradient descent is known.

Each mistake of the catalogue predicts another step, and with it another cost: one number with enough digits tells which
it was.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

from chainrule.calculus.cost import example_shares, penalty
from chainrule.calculus.gradient import costs, forward
from chainrule.calculus.network import ParameterVector
from chainrule.checking.calculation import Calculation
from chainrule.checking.case import Case
from chainrule.checking.mistake import Mistake, catalogue
from chainrule.checking.mistakes.updated_weights import UpdatedWeights
from chainrule.checking.step import frozen_arrays, if_frozen
from chainrule.checks import number, require, shown
from chainrule.errors import InputError
from chainrule.model.model import Examples, Model
from chainrule.render.numbers import significant
from chainrule.render.text import wrapped

FEWEST_DIGITS = 4
"""A cost with fewer digits tells nothing: too many mistakes would give it."""

OTHER_RATES = (2, 0.5, 10, 0.1, 100, 0.01)
"""So many times the learning rate somebody may have taken instead."""


@dataclass(frozen=True)
class Prediction:
    """The cost after the step that a mistake makes; the right step where ``mistake`` is None."""

    mistake: Mistake | None
    cost: float
    layer: int | None
    says: str
    fix: str

    def json(self) -> dict[str, Any]:
        """For JSON."""
        bug = None if self.mistake is None else self.mistake.name
        return {
            "parameter": "next cost", "layer": self.layer, "bug": bug, "says": self.says, "fix": self.fix,
            "evidence": f"this gives the cost {self.cost!r}",
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class NextCostVerdict:
    """Whether a cost after one step is that of the right step, and which mistakes give it."""

    given: str
    right: float
    cost: float
    ok: bool
    explanations: tuple[Prediction, ...]
    nearest: Prediction | None
    otherwise: tuple[str, ...] = ()
    """Where the cost is that of another right step: the question whether that was it."""

    def __bool__(self) -> bool:
        """Whether it is right."""
        return self.ok

    def json(self) -> dict[str, Any]:
        """For JSON."""
        findings = [] if self.ok else [p.json() for p in self.explanations]
        equally = [p.json() for p in self.explanations] if self.ok else []
        return {
            "ok": self.ok, "next_cost": self.given, "right": self.right, "cost": self.cost, "findings": findings,
            "equally": equally, "otherwise": list(self.otherwise),
        }  # fmt: skip

    def text(self) -> str:
        """For the terminal."""
        step = f"C = {significant(self.cost, 12)} before the step, {significant(self.right, 12)} after it"
        if self.ok:
            lines = wrapped(f"right: {step}; yours {self.given}", 7)
            if self.explanations:
                names = ", ".join(dict.fromkeys(str(p.mistake) for p in self.explanations))
                lines += wrapped(f"more digits would tell it from {names}")
            return "\n".join(lines)
        notes = [line for question in self.otherwise for line in wrapped(f"note: {question}", 6)]
        if not self.explanations:
            lines = [f"wrong: no mistake that is known gives {self.given}", *wrapped(step, 4)]
            if self.nearest is not None:
                lines += wrapped(f"nearest:  {self.nearest.says}: {significant(self.nearest.cost, 12)}", 10)
            return "\n".join([*lines, *notes])
        first, *others = self.explanations
        lines = [f"wrong: {first.mistake}", *wrapped(f"{step}; yours {self.given}", 4), "", *wrapped(first.says)]
        lines += [f"evidence: this gives {significant(first.cost, 12)}", f"change:   {first.fix}"]
        for other in others:
            lines += wrapped(f"equally:  {other.mistake}: {other.says}", 10)
        return "\n".join([*lines, *notes])

    def __str__(self) -> str:
        """For print."""
        return self.text()


def check_next_cost(
    model: Model, examples: Examples, next_cost: float | str, lr: float, freeze: Sequence[str] = ()
) -> NextCostVerdict:
    """Whether ``next_cost`` is C after one step p −= lr·∂C/∂p from the model's parameters; else which mistake gives it.

    ``next_cost`` is best a text, as printed somewhere: its digits say how far it can be trusted. ``freeze`` names what
    the step leaves as it is: arrays such as w1, or b for all biases and w for all weights. Raises InputError.
    """
    case = Case.of(model, examples)
    lr = number("lr", lr, "a learning rate, above 0", lambda lr: lr > 0)
    value, half = _read(next_cost)
    frozen = frozen_arrays(case, freeze)
    right = _cost_after(case, Calculation(case), lr, frozen)
    before = _cost(case, case.p)
    rounding = 64 * float(np.finfo(np.float64).eps) * max(abs(right), abs(value), before)
    # a mistake that leaves the step as it is cannot be told from none
    predictions = [p for p in _predictions(case, lr, frozen) if abs(p.cost - right) > rounding]
    fits = sorted((p for p in predictions if abs(p.cost - value) <= half + rounding), key=_rank)
    nearest = min(predictions, key=lambda p: abs(p.cost - value), default=None)
    ok = abs(right - value) <= half + rounding
    otherwise = (
        question for question, cost in _other_steps(case, lr, frozen) if abs(cost - value) <= half + rounding and not ok
    )
    return NextCostVerdict(str(next_cost), right, before, ok, tuple(_distinct(fits)), nearest, tuple(otherwise))


def _rank(p: Prediction) -> tuple[int, int]:
    assert p.mistake is not None
    return p.mistake.fitted, p.mistake.rank


def _distinct(predictions: Iterable[Prediction]) -> list[Prediction]:
    """One of each name: a mistake that can be made at several places for the same effect is told once."""
    return list({(p.mistake and p.mistake.name, p.layer): p for p in reversed(list(predictions))}.values())[::-1]


def _read(next_cost: float | str) -> tuple[float, float]:
    """The number, and half a unit of its last digit."""
    try:
        exact = Decimal(str(next_cost).strip())
    except InvalidOperation:
        exact = Decimal("nan")
    require(exact.is_finite(), "next cost", next_cost, "a number such as 0.291027924")
    digits = len(exact.as_tuple().digits)
    if digits < FEWEST_DIGITS:
        raise InputError(
            f"next cost: {shown(next_cost)} has {digits} digits, too few to tell one mistake from another; "
            f"give at least {FEWEST_DIGITS}"
        )
    exponent = exact.as_tuple().exponent
    assert isinstance(exponent, int)
    return float(exact), 0.5 * 10.0**exponent


def _predictions(case: Case, lr: float, frozen: frozenset[str]) -> Iterator[Prediction]:
    for kind in catalogue():
        if kind.convention:
            continue
        sites = [kind(None, lr)] if issubclass(kind, UpdatedWeights) else kind.sites(case, {})
        for mistake in sites:
            cost = _cost_after(case, Calculation(case, [mistake]), lr, frozen)
            if np.isfinite(cost):
                yield Prediction(mistake, cost, mistake.layer, mistake.said(case), mistake.line(case))


def _other_steps(case: Case, lr: float, frozen: frozenset[str]) -> Iterator[tuple[str, float]]:
    """Right steps that somebody may have made instead, as questions, with the cost after each."""
    right = Calculation(case)
    asked = {frozen: "", frozenset[str](): "is nothing frozen (no --freeze)?"}
    asked |= {some: if_frozen(some, case) for some in (frozen_arrays(case, [letter]) for letter in "bw")}
    asked[frozen] = ""
    for some, question in asked.items():
        if question:
            yield f"right for another step: {question}", _cost_after(case, right, lr, some)
        for rate in (factor * lr for factor in OTHER_RATES):
            also = f", and {question}" if question else "?"
            cost = _cost_after(case, right, rate, some)
            yield f"right for another step: is the learning rate {rate:g}{also}", cost


def _cost_after(case: Case, calculation: Calculation, lr: float, frozen: frozenset[str]) -> float:
    p = case.p.copy()
    for name, array in p:
        if name in frozen:
            continue
        try:
            step = calculation.array(name)
        except ValueError:  # the mistake cannot be made here
            return float("nan")
        if step.shape != array.shape:
            return float("nan")
        array -= lr * step
    return _cost(case, p)


def _cost(case: Case, p: ParameterVector) -> float:
    """C with penalties."""
    with np.errstate(all="ignore"):
        each = costs(p, forward(p, case.X), case.Y)
        l1, l2 = p.network.l1, p.network.l2
        return float(example_shares(case.n, case.weights) @ each) + sum(penalty(w, l1, l2) for w in p.w.values())

"""Whether a wrong gradient is right for columns that were scaled otherwise than this model scales them."""

from collections.abc import Iterator

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation
from chainrule.checking.case import Case
from chainrule.checking.search import within
from chainrule.checking.verdict import Verdict
from chainrule.model.model import Model


def otherwise_scaled(model: Model, verdict: Verdict) -> tuple[str, ...]:
    """A remark on a wrong gradient, where it is right for raw columns, or for ones that were scaled by themselves."""
    case = verdict.case
    for X, of_inputs in _inputs(model, case):
        for Y, of_targets in _targets(model, case):
            remarks = [remark for remark in (of_inputs, of_targets) if remark]
            if remarks and _is_right(case.but(X=X, Y=Y), verdict):
                return tuple(remarks)
    return ()


def _inputs(model: Model, case: Case) -> Iterator[tuple[Array, str]]:
    yield case.X, ""
    if model.inputs is None:
        return
    mean, scale = model.inputs.mean, model.inputs.scale
    raw = case.X * scale + mean
    if (raw != case.X).any():
        yield raw, "right for the raw columns; this model standardises them: a0 = (x − mean)/scale"
    spread = raw.std(axis=0)
    mine = (mean != 0) | (scale != 1)
    own = np.where(mine & (spread > 0), (raw - raw.mean(axis=0)) / np.where(spread > 0, spread, 1), case.X)
    yield own, "right for columns that are standardised over these examples; this model has its own mean and scale"


def _targets(model: Model, case: Case) -> Iterator[tuple[Array, str]]:
    yield case.Y, ""
    if model.target is None or model.target.classes is not None:
        return
    mean, scale = model.target.mean, model.target.scale
    if (mean != 0).any() or (scale != 1).any():
        standardised = "this model standardises its targets: y = (target − mean)/scale"
        yield case.Y * scale + mean, f"right for raw targets; {standardised}"
        yield (case.Y - mean) / scale, f"right for targets that are standardised, and Y is raw; {standardised}"


def _is_right(case: Case, verdict: Verdict) -> bool:
    calculation = Calculation(case)
    with np.errstate(all="ignore"):
        return all(within(g, calculation.array(n), 2 * calculation.error(n)) for n, g in verdict.given.items())

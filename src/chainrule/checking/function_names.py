"""Mistakes that can be named without knowing what the cost consists of.

A probe is a slope of the cost along a direction within one array, or along one entry. A mistake is named where undoing
it in what was given agrees with every probe.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.function_verdict import FunctionFinding
from chainrule.checks import shown

AGREES = 1e-4
"""So close, beside what a probe sums over, is the same."""
MOST_SHIFTS = 64


@dataclass(frozen=True, eq=False)
class Probe:
    """Σ weight·entry of the right gradient, over some flat indices of one array, and what it may err by."""

    at: Array
    weights: Array
    value: float
    error: float

    def of(self, gradient: Array) -> float:
        """The same sum of some gradient."""
        return float(gradient.ravel()[self.at] @ self.weights)

    def agrees(self, gradient: Array) -> bool:
        """Whether a gradient can be the right one."""
        terms = gradient.ravel()[self.at] * self.weights
        return abs(float(terms.sum()) - self.value) <= 2 * self.error + AGREES * size(terms)


def size(terms: Array) -> float:
    """√Σterms², which does not overflow."""
    largest = float(np.abs(terms).max(initial=0))
    return largest * float(np.linalg.norm(terms / largest)) if 0 < largest < np.inf else largest


def named(
    name: str, x: Array, yours: Array, probes: Sequence[Probe], others: dict[str, Array]
) -> FunctionFinding | None:
    """The mistake in the whole of one array, or in all entries of it that are wrong; None where it has no name.

    ``x`` and ``yours`` have the array's shape; ``others`` are the given gradients of the other arrays.
    """
    probes = [probe for probe in probes if np.isfinite(probe.value) and probe.error <= _worth(probe, yours)]
    telling = [probe for probe in probes if not probe.agrees(yours)]
    if not telling or not np.isfinite(yours).all():
        return None
    if not yours.any():
        return FunctionFinding("all zeros", (name,), f"every entry of {name} is 0", "compute it, and return it")
    found = _factor(name, x, yours, probes)
    if found is not None:
        return found
    if len(telling) < 2:
        return None
    for bug, fix, right in _rearranged(name, x, yours, others):
        if _all_agree(right, probes):
            return FunctionFinding(bug, (name,), _told(probes, "once that is undone"), fix)
    return _penalty(name, x, yours, probes) or _magnitudes(name, x, yours, probes) or _shuffled(name, yours, probes)


def same_factor(name: str, yours: Array, wrong: Array, right: Array) -> FunctionFinding | None:
    """The one factor by which some entries are wrong; ``wrong`` are flat indices, ``right`` the values there."""
    given = yours.ravel()[wrong]
    if len(wrong) < 2 or not (right != 0).all() or not (given != 0).all():
        return None
    ratios = given / right
    c = float(np.median(ratios))
    if float(np.abs(ratios / c - 1).max()) > AGREES:
        return None
    bug = "wrong sign in some entries" if abs(c + 1) < AGREES else f"a factor of {_number(c)} in some entries"
    evidence = (
        f"yours is {_number(c)} × what the cost's values say in all {len(wrong)} entries of {name} that are wrong"
    )
    return FunctionFinding(
        bug, (name,), evidence, f"look at what these entries alone go through: {_places(yours, wrong)}"
    )


def reshaped(name: str, x: Array, yours: Array) -> Iterator[tuple[str, str, Array]]:
    """What an array of another shape may have been meant as: the mistake, what to change, and the right numbers."""
    lost = yours.ndim - x.ndim
    for axis in range(yours.ndim):
        rest = yours.shape[:axis] + yours.shape[axis + 1 :]
        keeps = yours.ndim == x.ndim and x.shape[axis] == 1 and x.shape[:axis] + x.shape[axis + 1 :] == rest
        if (lost == 1 and rest == x.shape) or keeps:
            keep = ", keepdims=True" if keeps else ""
            for how, right in (("sum", yours.sum(axis)), ("mean", yours.mean(axis))):
                bug = f"an unsummed broadcast axis: axis {axis}"
                yield bug, f"d{name} = d{name}.{how}(axis={axis}{keep})", right.reshape(x.shape)
    if lost > 1 and yours.shape[lost:] == x.shape:
        axes = tuple(range(lost))
        for how, right in (("sum", yours.sum(axes)), ("mean", yours.mean(axes))):
            yield f"unsummed broadcast axes: {axes}", f"d{name} = d{name}.{how}(axis={axes})", right
    if x.ndim <= 4:
        for p in permutations(range(yours.ndim)):
            if yours.ndim >= 2 and p != tuple(range(yours.ndim)) and yours.transpose(p).shape == x.shape:
                way = f"d{name}.T" if yours.ndim == 2 else f"d{name}.transpose{p}"
                yield "transposed", f"d{name} = {way}", yours.transpose(p)
    if yours.size == x.size:
        yield "another shape, the same numbers", f"d{name} = d{name}.reshape({x.shape})", yours.reshape(x.shape)
        fortran = yours.reshape(x.shape, order="F")
        yield "another shape, column-major", f'd{name} = d{name}.reshape({x.shape}, order="F")', fortran
    if x.ndim and yours.size != x.size and yours.ndim <= x.ndim:
        try:
            spread = np.broadcast_to(yours, x.shape)
        except ValueError:
            return
        yield "summed over an axis that is not broadcast", f"give each entry of {name} its own", spread


def _worth(probe: Probe, yours: Array) -> float:
    """An error above which a probe tells nothing."""
    return max(size(yours.ravel()[probe.at] * probe.weights), abs(probe.value)) * 1e-2


def _all_agree(right: Array, probes: Sequence[Probe]) -> bool:
    return all(probe.agrees(right) for probe in probes)


def _told(probes: Sequence[Probe], what: str) -> str:
    single = all(len(probe.at) == 1 for probe in probes)
    kind = "entries" if single else "random directions"
    return f"{what}, yours agrees with the cost's values in {len(probes)} {kind} out of {len(probes)}"


def _factor(name: str, x: Array, yours: Array, probes: Sequence[Probe]) -> FunctionFinding | None:
    """Yours = c × right. One probe alone says it of a c that has a meaning only."""
    values = np.array([probe.value for probe in probes])
    given = np.array([probe.of(yours) for probe in probes])
    sure = np.array([probe.error for probe in probes]) < 1e-3 * np.abs(values)
    if not (sure & (given != 0)).any():
        return None
    c = float(np.median(given[sure & (given != 0)] / values[sure & (given != 0)]))
    if c == 0 or not _all_agree(yours / c, probes):
        return None
    meaning = _meaning(c, name, x)
    if int((sure & (given != 0)).sum()) < 2 and not meaning:
        return None
    times = _number(c)
    said = _told(probes, f"yours is {times} × what the cost's values say{meaning}; divided by it")
    if abs(c + 1) < AGREES:
        return FunctionFinding("wrong sign", (name,), said, f"d{name} = -d{name}")
    undone = f"{round(1 / c)} * d{name}" if "/" in times else f"d{name} / {times}"  # d / 1/2 is d·½ to Python
    return FunctionFinding(f"a constant factor of {times}", (name,), said, f"d{name} = {undone}")


def _meaning(c: float, name: str, x: Array) -> str:
    """Where a factor may come from."""
    c_size = abs(c)
    for axis, n in enumerate(x.shape):
        if n > 2 and abs(c_size / n - 1) < AGREES:
            return f", the length of axis {axis} of {name}"
        if n > 2 and abs(c_size * n - 1) < AGREES:
            return f", one over the length of axis {axis} of {name}"
    if abs(c_size - 1) < AGREES:
        return ", its negative" if c < 0 else ""
    if abs(c_size - 2) < AGREES:
        return ", as if the 2 of a square stood twice, or the ½ before it were gone"
    if abs(c_size - 0.5) < AGREES:
        return ", as if the 2 of a square were forgotten"
    for n in range(3, 1001):
        if abs(c_size / n - 1) < AGREES:
            return f", as if a division by {n} were missing"
        if abs(c_size * n - 1) < AGREES:
            return f", as if divided by {n} once too often"
    return ""


def _number(c: float) -> str:
    whole = round(c)
    if whole and abs(c / whole - 1) < AGREES:
        return str(whole)
    inverse = round(1 / c)
    if 2 <= abs(inverse) <= 1000 and abs(c * inverse - 1) < AGREES:
        return f"{'-' if c < 0 else ''}1/{abs(inverse)}"
    return f"{c:.6g}"


def _rearranged(name: str, x: Array, yours: Array, others: dict[str, Array]) -> Iterator[tuple[str, str, Array]]:
    """The mistake, what to change, and what the right numbers would be."""
    if 2 <= x.ndim <= 4:
        for p in permutations(range(x.ndim)):
            if p == tuple(range(x.ndim)):
                continue
            turned = tuple(x.shape[axis] for axis in p)
            if turned == x.shape:
                way = f"d{name}.T" if x.ndim == 2 else f"d{name}.transpose{p}"
                yield "transposed", f"d{name} = {way}", yours.transpose(p)
            back = yours.reshape(turned).transpose(np.argsort(p))
            bug = "read in another memory order: an incoming gradient that is not contiguous"
            fix = "np.ascontiguousarray(gradient) before its memory is read or reshaped; strides, not shape, differ"
            yield bug, fix, back
            flat = yours.transpose(p).reshape(x.shape)
            yield bug, fix, flat
    for axis in range(x.ndim):
        yield f"axis {axis} backwards", f"d{name} = np.flip(d{name}, {axis})", np.flip(yours, axis)
        n = x.shape[axis]
        shifts = range(1, n) if n <= MOST_SHIFTS else (1, -1, 2, -2)
        for k in shifts:
            by = f"by {k}" if k <= n // 2 else f"by {k - n}"
            yield f"axis {axis} shifted {by}", f"d{name} = np.roll(d{name}, {-k}, {axis})", np.roll(yours, -k, axis)
    for other, array in others.items():
        if array.shape == x.shape:
            yield f"this is the gradient of {other}", f"exchange d{name} and d{other}", array


def _penalty(name: str, x: Array, yours: Array, probes: Sequence[Probe]) -> FunctionFinding | None:
    """Right − yours = c·x, or c·sign(x): a penalty on the size of x."""
    for of, what in ((x, name), (np.sign(x), f"np.sign({name})")):
        there = np.array([probe.of(of) for probe in probes])
        missing = np.array([probe.value - probe.of(yours) for probe in probes])
        if len(probes) < 3 or not there.any():
            return None
        c = float(there @ missing / (there @ there))
        if c and _all_agree(yours + c * of, probes):
            kind = f"{abs(c) / 2:.6g}·Σ{name}²" if of is x else f"{abs(c):.6g}·Σ|{name}|"
            half = f", or half of {c:.6g}·Σ{name}²," if of is x and c > 0 else ""  # the 2 of its square, forgotten
            bug = f"the penalty {kind}{half} is {'missing' if c > 0 else 'too much'}"
            change = f"{'+' if c > 0 else '-'} {abs(c):.6g} * {what}"
            return FunctionFinding(bug, (name,), _told(probes, f"with {change}"), f"d{name} = d{name} {change}")
    return None


def _magnitudes(name: str, x: Array, yours: Array, probes: Sequence[Probe]) -> FunctionFinding | None:
    """Yours = |right|."""
    if len(probes) < x.size or not all(len(probe.at) == 1 for probe in probes) or (yours < 0).any():
        return None
    right = _values(yours, probes)
    if not np.allclose(np.abs(right), yours, rtol=AGREES, atol=0):
        return None
    said = f"yours is the absolute value of what the cost's values say in all {x.size} entries"
    return FunctionFinding("the sign is lost", (name,), said, "look for an abs, a square root of a square, a norm")


def _shuffled(name: str, yours: Array, probes: Sequence[Probe]) -> FunctionFinding | None:
    """The same numbers in another order."""
    if len(probes) < yours.size or not all(len(probe.at) == 1 for probe in probes) or yours.size < 3:
        return None
    right = _values(yours, probes).ravel()
    if not np.allclose(np.sort(right), np.sort(yours.ravel()), rtol=AGREES, atol=0):
        return None
    order = np.argsort(np.argsort(right))
    places = np.argsort(yours.ravel())[order]
    said = (
        f"these are the right numbers in another order: where the right one stands, by entry: {shown(places.tolist())}"
    )
    return FunctionFinding("permuted", (name,), said, "scatter with the same index that gathered, not with its inverse")


def _values(yours: Array, probes: Sequence[Probe]) -> Array:
    right = np.full(yours.size, np.nan)
    for probe in probes:
        right[probe.at[0]] = probe.value / probe.weights[0]
    return right.reshape(yours.shape)


def _places(yours: Array, wrong: Array) -> str:
    places = [f"[{','.join(str(int(i)) for i in np.unravel_index(int(k), yours.shape))}]" for k in wrong[:6]]
    return ", ".join(places) + (", …" if len(wrong) > 6 else "")

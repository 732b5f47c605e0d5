"""What was clipped."""

from collections.abc import Iterable
from typing import Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.factors import chosen, is_chosen
from chainrule.checking.mistake import Fitted, Given, OfArrays


class _Bound(Fitted):
    """Held to a bound c."""

    fix = "{dw};  {db}    # before they are clipped"
    rank = 3

    c: float

    @property
    def fitted(self) -> int:
        """1, 5 and 0.1 are bounds that people choose for a whole gradient; of one array, any entry could be it."""
        return 0 if self.layer is None and f"{self.c:.12e}"[:14] in _ROUND else 1


_ROUND = tuple(f"{c}.{0:012d}" for c in (1, 2, 5))


class Clipped(_Bound, OfArrays):
    """Every entry is held to [−c, c], or those of one array."""

    name = "clipped"
    says = "the entries of {which} are clipped to ±{c:.6g}"
    fix = "{lines}    # before they are clipped"

    @classmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        largest = {name: float(np.abs(g).max(initial=0)) for name, g in given.items()}
        for letters in ("wb", "w", "b"):
            c = max((size for name, size in largest.items() if name[0] in letters), default=0.0)
            if c > 0:
                yield cls(None, letters, c)
        for name, c in largest.items():
            if c > 0:
                yield cls(int(name[1:]), name[0], c)

    def made(self, case: Case, name: str, right: Array) -> Array:
        return np.clip(right, -self.c, self.c)


class ClippedByNorm(_Bound, OfArrays):
    """The gradient is scaled down to a norm c, as a whole or array by array."""

    name = "clipped-by-norm"
    says = "{what} scaled down to the norm {c:.6g}"

    factor: float | None
    """That of the whole; None where each array has its own."""

    @classmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        norms = [float(np.linalg.norm(g)) for g in given.values()]
        whole, largest = chosen(float(np.linalg.norm(norms))), chosen(max(norms, default=0.0))
        if is_chosen(whole) and whole > 0:  # with any other it is a stray factor
            norm = float(np.linalg.norm([np.linalg.norm(so_far.array(name)) for name in given]))
            if whole < norm < np.inf:
                yield cls(None, "wb", whole, whole / norm)
        if largest > 0:
            yield cls(None, "wb", largest, None)

    def made(self, case: Case, name: str, right: Array) -> Array:
        factor = self.c / max(self.c, float(np.linalg.norm(right))) if self.factor is None else self.factor
        return factor * right

    def words(self, case: Case) -> dict[str, object]:
        return {"what": "each array was" if self.factor is None else "the whole gradient was"}


class ClippedDelta(_Bound):
    """The entries of δ are held to [−c, c], in one layer or in all."""

    name = "clipped-delta"
    says = "{which} clipped to ±{c:.6g} on the way back"
    fix = "{δ}    # not clipped"

    @classmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        """By the biases of the last layer, and of each: ∂C/∂b is piecewise linear in c."""
        for l in so_far.case.layers:
            b, δ = given.get(f"b{l}"), so_far.δ(l)
            if b is not None and b.shape == δ.shape[1:]:
                c = cls._bound(δ, so_far.bias_shares(l), b - so_far.bias_penalty(l))
                if c is not None:
                    yield cls(l, c)
                    yield cls(None, c)

    @staticmethod
    def _bound(δ: Array, share: Array, b: Array) -> float | None:
        """The c for which Σ share·clip(δ, −c, c) is nearest to b, of those that give what is furthest off."""
        j = int(np.abs(share @ δ - b).argmax())
        order = np.argsort(np.abs(δ[:, j]))
        δ_j, s = δ[order, j], share[order]
        sizes = np.abs(δ_j)
        least = np.concatenate([[0.0], sizes[:-1]])
        # with c between least[k] and sizes[k] those from k on are ±c
        clipped = np.cumsum((s * np.sign(δ_j))[::-1])[::-1]
        with np.errstate(all="ignore"):
            roots = (b[j] - (np.cumsum(s * δ_j) - s * δ_j)) / clipped
        bounds = [chosen(c) for c in roots[(least < roots) & (roots < sizes)].tolist()]
        return min(bounds, key=lambda c: float(np.abs(share @ np.clip(δ, -c, c) - b).max()), default=None)

    def δ(self, calculation: Calculation, l: int, right: Step) -> Array:
        return np.clip(right(), -self.c, self.c)

    def words(self, case: Case) -> dict[str, object]:
        return {"which": "every δ was" if self.layer is None else f"δ{self.layer} was"}

"""The kinks on a way: what z crosses where its σ has no derivative, so that a tangent holds only up to there."""

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.trace import Trace
from chainrule.insight.mover import Mover


class Crossings:
    """The bends of σ, of |w| and of huber's cost on the way of a quantity that is moved."""

    def __init__(self, moved: Mover) -> None:
        self.moved = moved

    def _bends(self) -> list[tuple[int, float]]:
        """Each layer and kink of its σ that what is differentiated depends on."""
        first = self.moved.q.layer + (self.moved.q.letter in "ax")
        last = self.moved.factors.last - (self.moved.top is not None and self.moved.top.letter == "z")
        return [(l, kink) for l in range(first, last + 1) for kink in self.moved.network.σ(l).kinks]

    def sides(self, by: float, there: Trace | None = None) -> list[Array]:
        """On which side of each bend every z is, (examples, neurons) for one; and |w|, and huber's |a − y|.

        On a kink itself it is the side whose derivative is taken there, the left.
        """
        there = there or (self.moved.at(by) if by else self.moved.here)
        sides = [self._seen(there.z[l] > kink, l) for l, kink in self._bends()]
        if self._huber():
            sides.append(np.abs(there.a[self.moved.network.depth] - self.moved.Y) > 1)
        if self.moved.asked.penalised and self.moved.network.l1:
            w = self.moved.start + by
            # up to 0 the tangent of |w| holds; from 0 on neither side's is taken
            sides.append(np.where(w == 0, np.sign(self.moved.start), np.sign(w))[:, None])
        return sides

    def _huber(self) -> bool:
        return self.moved.top is None and self.moved.network.cost == "huber"

    def _seen(self, side: Array, l: int) -> Array:
        """With the neurons that what is differentiated does not depend on left out."""
        top = self.moved.top
        return side[:, top.j : top.j + 1] if top is not None and l == top.layer else side

    def notes(self, by: float, there: Trace) -> tuple[str, ...]:
        """Remarks on kinks: those it starts on and those on the way."""
        notes = list(self._starts())
        names = [self._name_z(l, kink) for l, kink in self._bends()]
        names += (
            [("|a − y| of output {j}", "1, where huber turns from a parabola into a line")] if self._huber() else []
        )
        names += [(f"{self.moved.q}", "0, where |w| of the penalty has a kink")]  # is there only where l1 is
        pairs = zip(self.sides(0.0), self.sides(by, there), strict=True)
        for at, (mine, theirs) in enumerate(pairs):
            if (mine != theirs).any():
                notes.append(self._crossing(*names[at], mine != theirs, by, at))
        return tuple(notes)

    def _name_z(self, l: int, kink: float) -> tuple[str, str]:
        j = self.moved.top.j if self.moved.top is not None and l == self.moved.top.layer else "{j}"
        return f"z{l}[{j}]", f"{kink:g}, where {self.moved.network.activation[l - 1]} has a kink"

    def _crossing(self, name: str, kink: str, crossed: Array, by: float, bend: int) -> str:
        """What crosses a kink, and how far the tangent holds."""
        most = int(crossed.sum(axis=0).argmax())
        name = name.format(j=most)
        others = int(crossed.any(axis=0).sum()) - 1
        more = f" (and so do {others} more)" if others else ""
        slope = (
            "the curve bends more or less from there on" if "huber" in kink else "the tangent holds only up to there"
        )
        if len(crossed) == 1:
            return f"{name} crosses {kink}{more}: {slope}, {self.moved.q} = {self._first_crossing(by, bend):.6g}"
        some = int(crossed.any(axis=1).sum())
        most_of = int(crossed[:, most].sum())
        if others:
            more = f"; of {others + 1} such neurons it is the one that does so most often, {some} examples have one"
        return f"{name} crosses {kink}, in {most_of:,} of {len(crossed):,} examples{more}: in those {slope}"

    def _first_crossing(self, by: float, bend: int) -> float:
        """Where the first z on the way is at the kink, by bisection; of one example."""
        here = self.sides(0.0)[bend]
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            crossed = (self.sides(by * middle)[bend] != here).any()
            low, high = (low, middle) if crossed else (middle, high)
        return float(self.moved.start[0]) + by * low

    def _starts(self) -> tuple[str, ...]:
        """Remarks on kinks at which the derivative itself was taken."""
        notes: list[str] = []
        if len(self.moved.Y) == 1:
            notes += self.moved.factors.kinks(0)
        elif count := self.moved.factors.examples_at_a_kink():
            notes.append(f"{count} of the examples take the derivative at a kink")
        if self.moved.asked.penalised and self.moved.network.l1 and not self.moved.start.any():
            notes.append(f"{self.moved.q} is exactly 0, where |{self.moved.q}| has no derivative: 0 is taken")
        return tuple(notes)

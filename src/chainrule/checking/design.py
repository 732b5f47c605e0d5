"""An input that tells two mistakes apart which explain the same numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation
from chainrule.checking.case import Case
from chainrule.checking.check import in_order
from chainrule.checking.mistake import Mistake
from chainrule.checking.search import Search
from chainrule.checking.verdict import Verdict
from chainrule.render.numbers import significant
from chainrule.render.text import wrapped

DRAWS = 200
MOST_EXAMPLES = 3
MOST_COMPARED = 8
LARGER = (1.5, 10.0, 50.0)
"""By these the inputs that are drawn are larger than those at hand, where z may have but one sign."""


@dataclass(frozen=True, eq=False)
class Design:
    """Examples x, y for which two mistakes give another derivative of the cost by ``parameter``.

    ``X`` is empty where none was found: the two seem to be the same gradient whatever the input is.
    """

    first: tuple[Mistake, ...]
    second: tuple[Mistake, ...]
    X: Array
    Y: Array
    parameter: str
    values: tuple[float, float, float]
    """∂C/∂parameter under the first mistake, under the second, and rightly."""

    def json(self) -> dict[str, Any]:
        """For JSON."""
        under = dict(zip((*self._names, "right"), self.values, strict=True))
        return {"x": self.X.tolist(), "y": self.Y.tolist(), "parameter": self.parameter, "values": under}

    def text(self) -> str:
        """For the terminal: the examples as a problem file has them."""
        pair = " and ".join(", ".join(map(repr, mistakes)) for mistakes in (self.first, self.second))
        if not len(self.X):
            tried = f"{DRAWS * MOST_EXAMPLES} sets of examples were tried, and none tells"
            return "\n".join(wrapped(f"{tried} {pair} apart: they seem to be the same gradient."))
        lines = wrapped(f"This would tell {pair} apart:")
        for x, y in zip(self.X, self.Y, strict=True):
            lines += ["", "  [[examples]]", f"  x = {_numbers(x)}", f"  y = {_numbers(y)}"]
        names = (*self._names, "right")
        lines += ["", f"∂C/∂{self.parameter} would then be"]
        width = max(map(len, names))
        lines += [f"  {name:{width}}  {significant(v, 8)}" for name, v in zip(names, self.values, strict=True)]
        return "\n".join(lines)

    @property
    def _names(self) -> tuple[str, str]:
        """What the two are called here: by mistake, and where these are the same, by place too."""
        by_name = [" + ".join(m.name for m in mistakes) for mistakes in (self.first, self.second)]
        by_place = [" + ".join(map(repr, mistakes)) for mistakes in (self.first, self.second)]
        one, other = by_name if by_name[0] != by_name[1] else by_place
        return one, other

    def __str__(self) -> str:
        """For print."""
        return self.text()


def design(case: Case, first: Sequence[Mistake], second: Sequence[Mistake], seed: int = 0) -> Design:
    """The examples, of some hundred drawn, for which the two differ most, with numbers short enough to write down.

    As few examples as will do: one, then two, then three (some mistakes differ only over several).
    """
    random = np.random.default_rng(seed)
    for n in range(1, MOST_EXAMPLES + 1):
        drawn = [_tried(_drawn(case, n, random), first, second) for _ in range(DRAWS)]
        share, found = max(drawn, key=lambda pair: pair[0])
        if found is not None and share > 1e-3:
            return found
    nothing = np.empty((0, 0))
    return Design(tuple(first), tuple(second), nothing, nothing, "", (0.0, 0.0, 0.0))


def told_apart(verdict: Verdict) -> Design | None:
    """The design for the two likeliest explanations of a verdict that some input tells apart; None where there is one.

    Where no input tells any from the likeliest, the design says so of the first two.
    """
    case, given = verdict.case, verdict.given
    if verdict.ok or not all(np.isfinite(array).all() for array in given.values()):
        return None
    found = Search(case, given, in_order(case, given), verdict.wrong).explanations()
    if not found:
        return None
    first, *others = [e.mistakes for e in found if e.mistakes == found[0].mistakes or not e.aside]
    designs = [design(case, first, other) for other in others[:MOST_COMPARED] if first]
    return next((each for each in designs if len(each.X)), designs[0] if designs else None)


def _drawn(case: Case, n: int, random: np.random.Generator) -> Case:
    """Inputs as large as those of the case, or some times larger, with two digits; targets of the case."""
    size = (float(np.sqrt(np.mean(np.square(case.X)))) or 1.0) * float(random.choice(LARGER))
    unit = 10.0 ** float(np.floor(np.log10(size)) - 1)
    drawn: Array = random.normal(scale=size, size=(n, case.sizes[0]))
    X = np.asarray(np.rint(drawn / unit) * unit, np.float64)
    Y = case.Y[random.integers(case.n, size=n)]
    weights = None if case.weights is None else np.round(random.uniform(0.5, 2, size=n), 1)
    return case.but(X=X, Y=np.ascontiguousarray(Y), weights=weights)


def _tried(case: Case, first: Sequence[Mistake], second: Sequence[Mistake]) -> tuple[float, Design | None]:
    """How much of their size the two differ by in the entry where they do most."""
    one, other, right = (Calculation(case, mistakes) for mistakes in (first, second, ()))
    best, found = 0.0, None
    for name, _ in case.p:
        try:
            a, b, exact = (c.array(name) for c in (one, other, right))
        except (ValueError, IndexError):  # cannot be made with so few examples
            return 0.0, None
        if a.shape != b.shape or a.shape != exact.shape or not (np.isfinite(a) & np.isfinite(b)).all():
            continue
        share = np.abs(a - b) / (np.abs(a) + np.abs(b) + 1e-3 * np.abs(exact).max(initial=0) + 1e-30)
        at = np.unravel_index(int(share.argmax()), share.shape)
        if share[at] > best:
            best = float(share[at])
            place = f"{name}[{','.join(str(int(i)) for i in at)}]"
            found = Design(
                tuple(first), tuple(second), case.X, case.Y, place, (float(a[at]), float(b[at]), float(exact[at]))
            )
    return best, found


def _numbers(values: Sequence[float] | Array) -> str:
    return "[" + ", ".join(f"{float(v):.6g}" for v in values) + "]"

"""Somebody's cost, called with care: copies go in, and numbers have to come out."""

import warnings
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import frexp, inf, isfinite, nan, prod
from numbers import Real
from typing import Any, cast

import numpy as np

from chainrule.calculus.arrays import Array, numbers
from chainrule.checking.slope import EPSILON, Slope, ladder, slope
from chainrule.checks import require, shown
from chainrule.errors import InputError

STEP = 2.0**-100
"""How far a complex step goes, in the units of each entry: its square is far below the last digit of anything."""
OFF_SCALE = 2.0**-16
"""An entry's unit is at least this much of the typical one of its array."""
FINE = 1e-4
"""Steps of a cost that are less than so much of its changes are left to each line to see."""
MOVES = (1.0, 0.25, *(2.0, 4.0, 1.0) * 5, *4.0 ** -np.arange(2.0, 20), *2.0 ** np.arange(3.0, 13))
"""How far all entries are moved, in their units, to see whether the cost moves in steps."""
ENOUGH = 3
"""After so many changes they are moved no further."""

_OUTSIDE = (ArithmeticError, ValueError, np.linalg.LinAlgError)
"""What a cost may raise for numbers outside of its domain."""


@dataclass(frozen=True)
class Point:
    """Arrays by name, as one flat vector of float64: (n,)."""

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    x: Array
    mapping: bool

    @classmethod
    def of(cls, at: object) -> "Point":
        """Raises InputError unless ``at`` is an array of finite numbers, or a mapping of such arrays by name."""
        if isinstance(at, Mapping):
            given = cast("Mapping[object, object]", at)
            require(len(given) > 0, "at", cast("object", at), "a mapping with at least one array")
            for name in given:
                require(isinstance(name, str) and name != "", "at", name, "a name")
            arrays = {cast("str", name): array_of(f"at[{name!r}]", value) for name, value in given.items()}
        else:
            arrays = {"x": array_of("at", at)}
        x = np.concatenate([array.ravel() for array in arrays.values()])
        require(x.size > 0, "at", cast("object", at), "at least one number")
        return cls(tuple(arrays), tuple(a.shape for a in arrays.values()), x, isinstance(at, Mapping))

    def arrays(self, flat: Array) -> dict[str, Array]:
        """Views into a flat vector, by name."""
        found: dict[str, Array] = {}
        start = 0
        for name, shape in zip(self.names, self.shapes, strict=True):
            size = prod(shape)
            found[name] = flat[start : start + size].reshape(shape)
            start += size
        return found

    def argument(self, flat: Array) -> Any:
        """What the cost is called with: an array, or arrays by name; never the caller's own."""
        arrays = self.arrays(flat.copy())
        return arrays if self.mapping else arrays["x"]

    def place(self, i: int) -> str:
        """The name of entry i of the flat vector, such as x[3] or W[0,2]."""
        for name, shape in zip(self.names, self.shapes, strict=True):
            size = prod(shape)
            if i < size:
                at = ",".join(str(int(k)) for k in np.unravel_index(i, shape))
                return f"{name}[{at}]" if at else name
            i -= size
        raise IndexError(i)

    def units(self) -> Array:
        """A power of two for each entry, about its size, (n,): the unit of its steps.

        What is 0, or far smaller than the typical number of its array, gets a unit from that.
        """
        units = np.empty_like(self.x)
        for values, unit in zip(self.arrays(self.x).values(), self.arrays(units).values(), strict=True):
            size = np.abs(values)
            typical = float(np.exp(np.log(size[size > 0]).mean())) if size.any() else 1.0
            unit[...] = np.where(size > 0, np.maximum(size, OFF_SCALE * typical), typical)
        return 2.0 ** np.floor(np.log2(units))


def array_of(what: str, values: object) -> Array:
    """The values as a finite float64 array of whatever shape they have. Raises InputError."""
    depth, inner = 0, values
    while isinstance(inner, list | tuple):
        depth += 1
        if not inner:
            break
        inner = cast("list[object]", inner)[0]
    depth += cast("Array", inner).ndim if isinstance(inner, np.ndarray) else 0
    return numbers(what, values, (None,) * depth).copy()


class Cost:
    """The cost near a point: its values, its slopes, how often it was called, what it did that it should not."""

    def __init__(self, cost: Callable[[Any], Any], point: Point, seed: int) -> None:
        self.point, self.x, self.units = point, point.x, point.units()
        self._cost = cost
        self.evaluations = 0
        self.mutates = False
        self.raised = ""
        self.takes_complex = True
        self.steps = ladder(seed)
        self.f0 = self.at_point()
        again = [self.at_point() for _ in range(2)]
        if any(value != self.f0 for value in again):
            again += [self.at_point() for _ in range(6)]
        self.noise = max(abs(value - self.f0) for value in again)
        self.noise = max(self.noise, max(again) - min(again))
        self.quantum = 0.0 if self.noise else self._quantum(seed)

    def at_point(self) -> float:
        """f(x). Raises InputError where that is no finite number, or the cost raises."""
        try:
            value = self._call(self.x)
        except InputError:
            raise
        except Exception as error:
            raise InputError(f"cost(at) raised {type(error).__name__}: {error}") from error
        require(isfinite(value), "cost(at)", value, "a finite number, so nothing can be said of its gradient")
        return value

    def along(self, at: Array, weights: Array) -> Slope:
        """d f(x + t·weights)/dt, the weights standing at flat indices ``at`` and being 0 elsewhere."""
        unit = 2.0 ** frexp(float(np.min(self.units[at] / np.abs(weights))))[1] / 2
        grain = max(self.noise, self.quantum)
        with _quiet():
            return slope(lambda t: self._moved(at, weights, t), self.f0, unit, self.steps, grain)

    def _moved(self, at: Array, weights: Array, t: float) -> float:
        """f(x + t·weights); NaN outside of its domain. To be called where it is quiet."""
        moved = self.x.copy()
        moved[at] += t * weights
        try:
            return self._call(moved)
        except InputError:
            raise
        except _OUTSIDE as error:
            self.raised = self.raised or f"{type(error).__name__}: {error}"
            return nan
        except Exception as error:
            where = self.point.place(int(at[0])) if len(at) == 1 else f"{len(at):,} entries"
            raise InputError(f"cost raised {type(error).__name__} with {where} moved by {t:.1e}: {error}") from error

    def _quantum(self, seed: int) -> float:
        """The unit of which all changes of the cost are multiples, as those of a rounded cost are; else 0.

        Two or three values of an ordinary cost have no common measure, and nothing more is asked.
        """
        random = np.random.default_rng((seed, 2))
        everything = np.arange(len(self.x))
        measure = largest = rounding = 0.0
        changes = 0
        for t in MOVES:
            if t > MOVES[3] and changes >= ENOUGH:
                break
            try:
                with _quiet():
                    value = self._moved(everything, random.uniform(-1, 1, len(self.x)) * self.units, t)
            except InputError:
                return 0.0  # each entry's own line will raise it again, and say where
            change = abs(value - self.f0)
            unsure = 64 * EPSILON * max(abs(value), abs(self.f0))
            if not isfinite(change) or change <= unsure / FINE**2:
                continue
            changes += 1
            largest, rounding = max(largest, change), max(rounding, unsure)
            measure = _common_measure(measure, change, rounding)
            if measure < FINE * largest:
                return 0.0
        return measure if changes >= ENOUGH else 0.0

    def entry(self, i: int) -> Slope:
        """∂f/∂x_i from real values."""
        found = self.along(np.array([i]), self.units[i : i + 1])
        unit = float(self.units[i])
        return _scaled(found, 1 / unit)

    def complex_along(self, at: Array, weights: Array) -> tuple[float, float] | None:
        """The same slope from two complex steps, with what rounding makes of it; None where the cost is not complex.

        That it is a slope at all has to be seen by other means: an abs, a comparison or a real part may be in it.
        """
        if not self.takes_complex:
            return None
        found: list[float] = []
        largest = float(np.max(np.abs(weights) / self.units[at]))
        for share in (1.0, 1.37):  # other digits, so that the difference shows what rounding does
            h = share * STEP / largest
            moved = self.x.astype(np.complex128)
            moved[at] += 1j * h * weights
            value = self._complex(moved)
            if value is None:
                self.takes_complex = False
                return None
            found.append(value.imag / h)
        a, b = found
        if not (isfinite(a) and isfinite(b)):
            return None
        return a, 16 * abs(a - b) + 16 * EPSILON * abs(a)

    def _complex(self, moved: Array) -> complex | None:
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("error")  # an imaginary part that is thrown away is a warning
                self.evaluations += 1
                value = self._cost(self.point.argument(moved))
            if np.ndim(value) != 0 or np.asarray(value).dtype.kind != "c":
                return None
            number = complex(value)
        except Exception:
            return None
        near = abs(number.real - self.f0) <= 1e-6 * abs(self.f0) + self.noise
        return number if near and isfinite(number.imag) else None

    def _call(self, flat: Array) -> float:
        argument = self.point.argument(flat)
        self.evaluations += 1
        value = self._cost(argument)
        if not self.mutates and self.evaluations <= 4:
            arrays = argument if self.point.mapping else {"x": argument}
            before = self.point.arrays(flat)
            self.mutates = any(
                name not in arrays or not np.array_equal(arrays[name], before[name], equal_nan=True) for name in before
            )
        return _number(value)


@contextmanager
def _quiet() -> Generator[None]:
    """What overflows far from the point is nobody's concern."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def _common_measure(a: float, b: float, unsure: float) -> float:
    """The largest number of which both are multiples: Euclid's algorithm."""
    while b > unsure:
        a, b = b, abs(a - round(a / b) * b)
    return a


def _number(value: Any) -> float:
    """A cost as a float. Raises InputError where it is none."""
    if isinstance(value, float):  # NumPy's float64 is one, too
        return float(value)
    hint = ""
    shape: Any = getattr(value, "shape", ())
    if shape != ():
        hint = f": it has shape {tuple(shape)}; sum or average it"
    elif value is None:
        hint = ": is a return missing?"
    elif isinstance(value, complex):  # NumPy's is one, too
        hint = ": it is complex at a real argument"
    # numbers of Python and of NumPy, arrays and tensors without axes
    plain = isinstance(value, Real) or (hasattr(value, "item") and np.asarray(value).dtype.kind in "fiu")
    if isinstance(value, bool | np.bool_) or not plain or hint:
        raise InputError(f"cost: {shown(cast('object', value))} is not a number{hint}")
    try:
        return float(cast("float", value))
    except OverflowError:
        return inf


def _scaled(found: Slope, by: float) -> Slope:
    """The slope for another unit of length."""
    return replace(
        found, value=found.value * by, error=found.error * by, left=found.left * by, right=found.right * by,
        swing=found.swing * by, passed=tuple(e.scaled(by) for e in found.passed),
        rivals=tuple(e.scaled(by) for e in found.rivals),
    )  # fmt: skip

"""What the arithmetic of a floating-point type may err by."""

from dataclasses import dataclass

import numpy as np

FEW = 8
"""Roundings that one function may make, in units u: those of vector libraries and compilers among them."""


def of_sum(n: int) -> float:
    """The roundings of a sum of n products, in units u: n at worst, about √n in all likelihood."""
    return min(n, FEW * np.sqrt(n)) + FEW


@dataclass(frozen=True)
class Arithmetic:
    """``u``: a function's value is rounded by u of its size. ``tiny``: what is below may be 0 instead.

    A sum of products is accumulated with unit roundoff ``running``; ``products`` is what each product, or the sum in
    the end, may be off by besides.
    """

    u: float
    tiny: float
    running: float
    products: float = 0.0

    def sum(self, n: int) -> float:
        """What a sum of n products may be off by, of the sum of their sizes."""
        return of_sum(n) * self.running + self.products


_U32, _TINY32, _TINY64 = 2.0**-24, float(np.finfo(np.float32).tiny), float(np.finfo(np.float64).tiny)

_SHORTER = {
    # tf32 is float32 but for products, whose factors are cut to 10 bits: by up to 2⁻¹⁰ each
    2.0**-10: Arithmetic(_U32, _TINY32, _U32, 2 * 2.0**-10),
    # float16 and bfloat16 are summed in float32: by units that multiply matrices, by PyTorch, by NumPy. Rounded to u
    # are both factors, where they come from a wider type, the sum, and once more where a bias is added afterwards.
    # Numbers of float16 below 2⁻¹⁴ are spaced by 2⁻²⁴: each rounding is one by up to 2⁻²⁵.
    2.0**-11: Arithmetic(2.0**-11, FEW * 2.0**-25, _U32, 4 * 2.0**-11),
    2.0**-8: Arithmetic(2.0**-8, _TINY32, _U32, 4 * 2.0**-8),
}


def arithmetic_of(u: float) -> Arithmetic:
    """The arithmetic with this unit roundoff, as :data:`chainrule.checking.given.PRECISIONS` has it."""
    return _SHORTER.get(u) or Arithmetic(u, _TINY64 if u < 2.0**-40 else _TINY32, u)

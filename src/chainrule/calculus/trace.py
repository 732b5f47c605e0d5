"""The two records that carry everything: what a forward and a backward pass leave behind."""

from dataclasses import dataclass

from chainrule.calculus.arrays import Array


@dataclass(frozen=True)
class Trace:
    """Every z[l] (examples, n_l) for l = 1..L, and every a[l] for l = 0..L; a[0] is what enters layer 1."""

    z: dict[int, Array]
    a: dict[int, Array]


@dataclass(frozen=True)
class Deltas:
    """∂C_i/∂z[l] (examples, n_l) for l = 1..L, of each example by itself: before weights and the average."""

    dC_dz: dict[int, Array]

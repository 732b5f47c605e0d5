"""Activations and costs as a learner writes them in NumPy."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Spelling:
    """σ of {z}, σ′ by way of {a} and of {z}, each a factor that can be multiplied by as it stands."""

    value: str
    by_a: str
    by_z: str

    def σ(self, z: str) -> str:
        """σ(z); a sum is in parentheses where a minus stands before it."""
        return self.value.format(z=f"({z})" if " " in z and "-{z}" in self.value else z)

    def slope_of_a(self, a: str) -> str:
        """σ′ from a = σ(z)."""
        return self.by_a.format(a=a)

    def slope(self, z: str) -> str:
        """σ′(z)."""
        return self.by_z.format(z=z)


SPELLINGS: Mapping[str, Spelling] = {
    "sigmoid": Spelling(
        "1 / (1 + np.exp(-{z}))", "{a} * (1 - {a})", "np.exp(-{z}) / (1 + np.exp(-{z}))**2"
    ),
    "tanh": Spelling("np.tanh({z})", "(1 - {a}**2)", "(1 - np.tanh({z})**2)"),
    "relu": Spelling("np.maximum({z}, 0)", "({a} > 0)", "({z} > 0)"),
    "softplus": Spelling("np.log(1 + np.exp({z}))", "(1 - np.exp(-{a}))", "(1 / (1 + np.exp(-{z})))"),
}  # fmt: skip

COST_FACTOR: Mapping[str, str] = {"squared-error": "2 * ", "half-squared-error": ""}
"""What stands before (a − y) in ∂C/∂a."""

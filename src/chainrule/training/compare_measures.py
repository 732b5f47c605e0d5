"""What the article says of an activation, measured layer by layer in a network as it stands."""

from dataclasses import asdict, dataclass

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.gradient import backward, forward
from chainrule.calculus.network import ParameterVector
from chainrule.calculus.trace import Deltas, Trace

SAMPLE = 1000
"""How many of the training examples are measured at most, spread evenly over them."""


@dataclass(frozen=True)
class Layer:
    """One layer l over the examples measured.

    - ``mean_slope``: the mean of σ′(z) over neurons and examples.
    - ``gradient_norm``: ‖∂C/∂(w, b)‖ of the layer, C the mean over the examples, without penalties.
    - ``mean_activation``: the mean of a over neurons and examples.
    - ``one_sign``: of all pairs of a neuron j and an example i in which some ∂C_i/∂w_jk is not 0, the share in which
      all ∂C_i/∂w_jk that are not 0 have one sign. Since ∂C_i/∂w_jk = δ_ij·a_ik, that is where the a⁽ˡ⁻¹⁾ have one sign.
    - ``one_sign_of_mean``: of all neurons j some of whose ∂C/∂w_jk is not 0, C the mean over the examples, the share in
      which all ∂C/∂w_jk that are not 0 have one sign.
    - ``dead``: the share of neurons whose σ′(z) is 0 in every example, so that no example teaches it.

    None where there is no such figure: softmax has no σ′ of one z, and a layer that no gradient reaches no signs.
    """

    mean_slope: float | None
    gradient_norm: float
    mean_activation: float
    one_sign: float | None
    one_sign_of_mean: float | None
    dead: float | None


@dataclass(frozen=True)
class Measures:
    """The layers 1..L after so many epochs; 0 is the start."""

    epoch: int
    layers: tuple[Layer, ...]

    def json(self) -> dict[str, object]:
        """As a record."""
        layers = [{"layer": l} | asdict(layer) for l, layer in enumerate(self.layers, 1)]
        return {"epoch": self.epoch, "layers": layers}


def sample(n: int) -> Array:
    """Which of n examples are measured."""
    return np.linspace(0, n - 1, min(n, SAMPLE)).astype(np.intp)


def measure(p: ParameterVector, X: Array, Y: Array, epoch: int) -> Measures:
    """Measure every layer over the examples X (examples, n_0), Y (examples, n_L), in the dtype of all three."""
    with np.errstate(all="ignore"):
        trace = forward(p, X)
        deltas = backward(p, trace, Y)
        return Measures(epoch, tuple(_layer(p, trace, deltas, l) for l in p.network.layers))


def _layer(p: ParameterVector, trace: Trace, deltas: Deltas, l: int) -> Layer:
    σ, δ, before = p.network.σ(l), deltas.dC_dz[l], trace.a[l - 1]
    slope = σ.derivative(trace.z[l]) if σ.elementwise else None
    dC_dw, dC_db = δ.T @ before / len(δ), δ.mean(axis=0)
    return Layer(
        mean_slope=None if slope is None else float(slope.mean()),
        gradient_norm=float(np.hypot(np.linalg.norm(dC_dw), np.linalg.norm(dC_db))),
        mean_activation=float(trace.a[l].mean()),
        # the signs of δ_ij·a_ik over k are those of a_i, or all the opposite, in each neuron j that δ_i reaches
        one_sign=_one_sign(before, np.count_nonzero(δ, axis=1)),
        one_sign_of_mean=_one_sign(dC_dw, np.ones(len(dC_dw))),
        dead=None if slope is None else float((slope == 0).all(axis=0).mean()),
    )


def _one_sign(rows: Array, weights: Array) -> float | None:
    """Of the rows that are not 0, the share whose numbers that are not 0 have one sign; each counts its weight."""
    some_above, some_below = (rows > 0).any(axis=1), (rows < 0).any(axis=1)
    all_ = float(weights[some_above | some_below].sum())
    return float(weights[some_above ^ some_below].sum()) / all_ if all_ else None

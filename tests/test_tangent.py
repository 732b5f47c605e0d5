"""The derivatives of every z and a by one quantity, against complex steps of ours and against the way back."""

import numpy as np
import pytest
from questions import PAIRS, asked, derivatives, problem

from chainrule.calculus.gradient import backward, forward
from chainrule.calculus.notation import Quantity
from chainrule.calculus.tangent import tangent

EPS = float(np.finfo(np.float64).eps)
each_seed = pytest.mark.parametrize("seed", range(len(PAIRS)))


def _quantities(seed: int) -> list[Quantity]:
    return [q for q in {q.q: None for q in asked(seed)} if q.letter != "x"]


@each_seed
def test_every_z_and_a_moves_as_a_complex_step_says(seed: int) -> None:
    model, examples = problem(seed)
    p = model.parameters
    trace = forward(p, examples.a0)
    for q in _quantities(seed):
        moved, expected = tangent(p, trace, q), derivatives(model, examples, q)
        assert [*moved.a] == [*range(q.layer, p.network.depth + 1)]
        assert [*moved.z] == [*range(q.layer + (q.letter == "a"), p.network.depth + 1)]
        for letter, arrays in (("z", moved.z), ("a", moved.a)):
            for l, array in arrays.items():
                assert array.shape == trace.a[l].shape
                # products and sums over up to 4 layers of up to 4 neurons, of numbers whose sizes |w| moves along
                size = max(1, float(np.abs(expected[f"{letter}{l}"]).max()))
                assert array == pytest.approx(expected[f"{letter}{l}"], rel=0, abs=1e4 * EPS * size), (q, letter, l)


@each_seed
def test_the_derivative_passes_whole_through_every_layer(seed: int) -> None:
    """Σ_j ∂z_j/∂q · ∂C/∂z_j is ∂C/∂q in each layer, whichever way the two passes went."""
    model, examples = problem(seed)
    p = model.parameters
    trace = forward(p, examples.a0)
    deltas = backward(p, trace, examples.Y)
    for q in _quantities(seed):
        moved, whole = tangent(p, trace, q), derivatives(model, examples, q)["C"]
        for l in range(q.layer + (q.letter == "a"), p.network.depth + 1):
            terms = moved.z[l] * deltas.dC_dz[l]
            size = max(1, float(np.abs(terms).sum(axis=1).max()))
            assert terms.sum(axis=1) == pytest.approx(whole, rel=0, abs=1e4 * EPS * size), (q, l)


def test_a_quantity_moves_nothing_but_its_own_neuron_in_its_own_layer() -> None:
    model, examples = problem(4)
    trace = forward(model.parameters, examples.a0)
    for q in (Quantity("w", 1, 2, 0), Quantity("b", 1, 2), Quantity("z", 1, 2), Quantity("a", 1, 2)):
        moved = tangent(model.parameters, trace, q)
        assert not np.delete(moved.a[1], 2, axis=1).any()
        assert (1 in moved.z) == (q.letter != "a")

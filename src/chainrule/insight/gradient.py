"""The whole gradient ∇C of a model over its examples, and the gradients of single examples."""

import numpy as np

from chainrule.calculus import gradient as calculus
from chainrule.calculus import notation, per_example
from chainrule.calculus.arrays import Array
from chainrule.calculus.gradient import backward, forward
from chainrule.calculus.network import ParameterVector
from chainrule.calculus.notation import Quantity
from chainrule.calculus.trace import Deltas, Trace
from chainrule.errors import NotationError
from chainrule.model.model import Examples, Model, alone, check_fit


def gradient(model: Model, examples: Examples, example: int | None = None) -> tuple[float, ParameterVector]:
    """C and ∇C in float64; with ``example``, C_i and ∇C_i of that one, without its weight and without penalties.

    ``gradient.vector`` is flat in the article's order, w1, b1, …, wL, bL; ``gradient.w[l]`` and ``gradient.b[l]`` are
    views into it. Raises InputError for an example that does not exist.
    """
    check_fit(model, examples)
    if example is not None:
        model, examples = alone(model, examples, example)
    return calculus.gradient(model.reading().parameters, examples.a0, examples.Y, examples.weights)


def kinks(model: Model, examples: Examples, example: int | None = None) -> tuple[str, ...]:
    """A remark for each layer in which some z is exactly where σ has no derivative: ∇C then takes a convention."""
    check_fit(model, examples)
    network, p = model.network, model.reading().parameters
    z = forward(p, (examples if example is None else examples[example]).a0).z
    counts = [(l, kink, int((z[l] == kink).sum())) for l in network.layers for kink in network.σ(l).kinks]
    notes = [
        f"layer {l}: {count} z are exactly {kink:g}, where {network.activation[l - 1]} has no derivative: "
        f"{network.σ(l).at_kink}"
        for l, kink, count in counts
        if count
    ]
    zeros = sum(int((p.w[l] == 0).sum()) for l in network.layers) if network.l1 and example is None else 0
    return (*notes, f"{zeros} weights are exactly 0, where |w| has no derivative: 0 is taken") if zeros else (*notes,)


def example_gradients(model: Model, examples: Examples, name: str | None = None) -> Array:
    """∂C_i/∂name of each example by itself, (examples,), for a weight or bias such as ``"w1[3,0]"``.

    Without a name, the whole ∇C_i of each example, (examples, parameters): a large array, made only when asked for.
    Neither example weights nor penalties are in it. Raises NotationError.
    """
    check_fit(model, examples)
    parameters = model.reading().parameters
    q = None if name is None else notation.parse(name, parameters.network)
    if q is not None and q.letter in "azx":
        raise NotationError(f"{name!r} is not a parameter; give a weight such as w1[3,0] or a bias such as b1[3]")
    trace, deltas = _passes(parameters, examples)
    if q is None:
        return per_example.gradients(parameters.network, trace, deltas)
    if q.k is None:
        return per_example.bias_gradients(deltas, q.layer, q.j)
    return per_example.weight_gradients(trace, deltas, q.layer, q.j, q.k)


def example_norms(model: Model, examples: Examples) -> Array:
    """‖∇C_i‖ of each example, (examples,), without ever holding the gradients themselves."""
    check_fit(model, examples)
    return per_example.gradient_norms(*_passes(model.reading().parameters, examples))


def largest_weight(parameters: ParameterVector) -> Quantity:
    """The largest weight of the last layer: one whose derivative is worth a look, as that of a dead neuron is not."""
    L = parameters.network.depth
    j, k = np.unravel_index(int(np.abs(parameters.w[L]).argmax()), parameters.w[L].shape)
    return Quantity("w", L, int(j), int(k))


def _passes(parameters: ParameterVector, examples: Examples) -> tuple[Trace, Deltas]:
    trace = forward(parameters, examples.a0)
    return trace, backward(parameters, trace, examples.Y)

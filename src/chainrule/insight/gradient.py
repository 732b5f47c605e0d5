"""The whole gradient ∇C of a model over its examples, or of one example."""

from chainrule.calculus import gradient as calculus
from chainrule.calculus.network import Network, ParameterVector
from chainrule.model.model import Examples, Model


def gradient(model: Model, examples: Examples, example: int | None = None) -> tuple[float, ParameterVector]:
    """C and ∇C in float64; with ``example``, C_i and ∇C_i of that one, without its weight and without penalties.

    ``gradient.vector`` is flat in the article's order, w1, b1, …, wL, bL; ``gradient.w[l]`` and ``gradient.b[l]`` are
    views into it. Raises InputError for an example that does not exist.
    """
    parameters = model.reading().parameters
    if example is None:
        return calculus.gradient(parameters, examples.a0, examples.Y, examples.weights)
    network = parameters.network
    alone = ParameterVector(Network(network.sizes, network.activation, network.cost), parameters.vector)
    one = examples[example]
    return calculus.gradient(alone, one.a0, one.Y)

"""Model: a network, its parameters, and how raw data enters it. Examples: inputs and targets checked against it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from chainrule.calculus.arrays import Array, numbers
from chainrule.calculus.cost import check_targets, example_shares
from chainrule.calculus.network import Network, ParameterVector
from chainrule.checks import require, whole_number
from chainrule.data.table import Table, as_table
from chainrule.engines import engine
from chainrule.errors import DataError, InputError
from chainrule.model.encoding import Inputs, Target


@dataclass(frozen=True, repr=False, eq=False)
class Examples:
    """Examples that fit a model: a0 (n, n_0) is what enters layer 1, Y (n, n_L), weights (n,) or None; float64."""

    a0: Array
    Y: Array
    weights: Array | None = None

    def __repr__(self) -> str:
        weights = "" if self.weights is None else f", weights {self.weights.shape}"
        return f"Examples(a0 {self.a0.shape}, Y {self.Y.shape}{weights})"

    def __len__(self) -> int:
        """How many examples there are."""
        return len(self.a0)

    def __getitem__(self, i: int) -> "Examples":
        """Example i alone, without its weight; InputError where there is none."""
        expected = f"one of the examples; there are {len(self)} examples, 0 to {len(self) - 1}"
        i = whole_number("example", i, expected, lambda i: 0 <= i < len(self))
        return Examples(self.a0[i : i + 1], self.Y[i : i + 1])


@dataclass(frozen=True, repr=False, eq=False)
class Model:
    """A network and its parameters; ``inputs`` and ``target`` say what raw data means, where it was trained on some.

    ``training`` is what is remembered of the training: settings, data, cost by epoch.
    """

    parameters: ParameterVector
    inputs: Inputs | None = None
    target: Target | None = None
    training: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __repr__(self) -> str:
        sizes = "-".join(str(n) for n in self.network.sizes)
        return f"Model({sizes}, {', '.join(self.network.activation)}, {self.network.cost})"

    @property
    def network(self) -> Network:
        """The network's description."""
        return self.parameters.network

    def reading(self) -> "Model":
        """The same model with float64 parameters: training is float32, reading is float64."""
        return Model(self.parameters.astype(np.float64), self.inputs, self.target, self.training)

    def examples(self, X: object, Y: object, weights: object = None) -> Examples:
        """Raw inputs X (n, n_0), targets Y (n, n_L) and weights (n,) as examples of this model.

        Raises InputError that names the first row or entry that does not fit.
        """
        network = self.network
        n_0, n_L = network.sizes[0], network.sizes[-1]
        X = numbers("X", X, (None, n_0), hint=f"one row for each example, one number for each of the {n_0} inputs")
        Y = numbers("Y", Y, (None, n_L), hint=f"one row for each example, one number for each of the {n_L} outputs")
        if len(X) != len(Y):
            raise InputError(f"X has {len(X)} examples and Y has {len(Y)}")
        if len(X) == 0:
            raise InputError("there are no examples; at least one is needed")
        check_targets(network.C, Y)
        s = None if weights is None else numbers("weights", weights, (len(X),), hint="one weight for each example")
        example_shares(len(X), s)
        return Examples(X if self.inputs is None else self.inputs.scaled(X), Y, s)

    def examples_of(self, table: Table) -> Examples:
        """The rows of a table of raw data as examples, weighted as in training where that had class weights.

        Raises DataError that names the cell, or InputError where no row counts.
        """
        table = as_table(table)
        inputs, target = self._meanings()
        if not target.present_in(table):
            raise DataError(
                f"{table.source}: the target column {target.columns[0]!r} is missing, and this needs targets"
            )
        Y = target.encode(table, self.network.sizes[-1])
        weights = target.weights(Y)
        if weights is not None and not weights.any():
            raise InputError(f"class weight: no row of {table.source} counts; give their classes a weight above 0")
        return self.examples(inputs.encode(table), Y, weights)

    def outputs_of(self, table: Table) -> Array:
        """a⁽ᴸ⁾ for each row of a table of raw data, (rows, n_L)."""
        table = as_table(table)
        inputs, _ = self._meanings()
        return engine().predict(self.parameters.astype(np.float64), inputs.scaled(inputs.encode(table)))

    def predict(self, table: Table) -> list[Any]:
        """A class name or a number for each row of a table of raw data."""
        _, target = self._meanings()
        return target.predictions(self.outputs_of(table))

    def _meanings(self) -> tuple[Inputs, Target]:
        if self.inputs is None or self.target is None:
            raise InputError(
                "this model was made from arrays, and does not know which columns of a table they are; give it arrays "
                "in Python, or train it on a table whose columns have names"
            )
        return self.inputs, self.target


def check_fit(model: Model, examples: Examples) -> None:
    """Raise InputError unless these are a model and examples of its sizes."""
    require(isinstance(model, Model), "model", model, "a Model")
    require(isinstance(examples, Examples), "examples", examples, "Examples, as Model.examples makes them")
    n_0, n_L = model.network.sizes[0], model.network.sizes[-1]
    if (examples.a0.shape[1], examples.Y.shape[1]) != (n_0, n_L):
        raise InputError(
            f"examples: {examples.a0.shape[1]} inputs and {examples.Y.shape[1]} outputs, but the model has {n_0} and "
            f"{n_L}; make them with this model's own examples()"
        )


def alone(model: Model, examples: Examples, example: int) -> tuple[Model, Examples]:
    """The model and the one example whose cost is C_i: without its weight and without penalties.

    Raises InputError where there is no such example.
    """
    network = Network(model.network.sizes, model.network.activation, model.network.cost)
    parameters = ParameterVector(network, model.parameters.vector)
    return replace(model, parameters=parameters), examples[example]

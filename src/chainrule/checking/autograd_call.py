"""A custom autograd function, called in float64 as often as wanted: forward, backward, and the cost ΣG·f."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.torch_model import float64, pytorch
from chainrule.checks import require
from chainrule.errors import InputError


class BackwardError(Exception):
    """A call of backward that raised an error."""


class Call:
    """The function with its inputs, of which those at ``at`` need a gradient.

    ``raw`` is what backward itself returned last, before autograd sums over axes that were broadcast.
    """

    def __init__(self, function: Any, inputs: Sequence[object]) -> None:
        self.torch = pytorch("check_autograd")
        self.raw: tuple[Any, ...] | None = None
        base: Any = self.torch.autograd.Function
        self.is_class = isinstance(function, type) and issubclass(function, base)
        require(self.is_class or callable(function), "function", function, "a torch.autograd.Function, or a function")
        self.name = str(getattr(function, "__name__", type(function).__name__))
        self.call: Callable[..., Any] = self._recorded(function).apply if self.is_class else function
        self.inputs = [self._wide(x) for x in inputs]
        floating = [i for i, x in enumerate(self.inputs) if self._is_floating(x)]
        wanted = [i for i in floating if cast("Any", inputs[i]).requires_grad]
        self.at = wanted or floating
        if not self.at:
            raise InputError("inputs: none is a tensor of floating-point numbers; there is no gradient to check")

    def _is_floating(self, x: Any) -> bool:
        return isinstance(x, self.torch.Tensor) and bool(x.is_floating_point())

    def _wide(self, x: Any) -> Any:
        return x.detach().clone().double() if self._is_floating(x) else x

    def _recorded(self, function: Any) -> Any:
        def backward(ctx: Any, *incoming: Any) -> Any:
            given: Any = function.backward(ctx, *incoming)
            several = isinstance(given, tuple)
            self.raw = cast("tuple[Any, ...]", given) if several else (given,)
            return given

        kind: Any = type(function)  # pyright: ignore[reportUnknownVariableType]
        return kind(function.__name__, (function,), {"backward": staticmethod(backward)})

    def forward(self, moved: Mapping[int, Any] | None = None) -> tuple[list[Any], list[Any], list[Any]]:
        """The inputs that need a gradient, what the function was called with, and its outputs."""
        leaves = {i: (moved or self.inputs).__getitem__(i).clone().requires_grad_() for i in self.at}
        called = [leaves[i].clone() if i in leaves else self._copy(x) for i, x in enumerate(self.inputs)]
        with self.torch.enable_grad():
            try:
                y = self.call(*called)
            except (RuntimeError, TypeError, ValueError) as error:
                raise InputError(f"{self.name}: its forward fails: {first_line(error)}") from error
        outputs = self._floating(y)
        if not outputs:
            raise InputError(f"{self.name}: gives no tensor of floating-point numbers")
        return [leaves[i] for i in self.at], called, outputs

    def once(self, G: Sequence[Any]) -> list[Array | None]:
        """∂ΣG·f/∂ of each input, after a forward of its own."""
        leaves, _, outputs = self.forward()
        return self.backward(leaves, outputs, G)

    def tensors(self, G: Sequence[Array], outputs: Sequence[Any]) -> list[Any]:
        """Copies of arrays as tensors, laid out row by row."""
        return [self.torch.as_tensor(g.copy(), device=y.device) for g, y in zip(G, outputs, strict=True)]

    def _floating(self, y: object) -> list[Any]:
        several = cast("Sequence[Any]", y) if isinstance(y, tuple | list) else (y,)
        return [t for t in several if self._is_floating(t)]

    def _copy(self, x: Any) -> Any:
        return x.clone() if isinstance(x, self.torch.Tensor) else x

    def backward(self, leaves: Sequence[Any], outputs: Sequence[Any], G: Sequence[Any]) -> list[Array | None]:
        """∂ΣG·f/∂ of each input; None where there is none."""
        pairs = [(y, g) for y, g in zip(outputs, G, strict=True) if y.requires_grad]
        if not pairs:
            return [None for _ in leaves]
        try:
            found = self.torch.autograd.grad(
                [y for y, _ in pairs], leaves, [g for _, g in pairs], retain_graph=True, allow_unused=True
            )
        except (RuntimeError, TypeError, ValueError, AttributeError, NotImplementedError) as error:
            raise BackwardError(first_line(error)) from error
        return [None if g is None else float64(g) for g in found]

    def cost(self, G: Sequence[Array], i: int) -> Callable[[Array], float]:
        """ΣG·f as a function of input i."""
        shape = self.inputs[i].shape

        def of(x: Array) -> float:
            moved = self.torch.as_tensor(x.reshape(shape).copy(), device=self.inputs[i].device)
            called = [moved if k == i else self._copy(other) for k, other in enumerate(self.inputs)]
            with self.torch.no_grad():
                y = self.call(*called)
            return float(sum(np.vdot(g, float64(t)) for g, t in zip(G, self._floating(y), strict=True)))

        return of


def first_line(error: BaseException) -> str:
    """The first line of its message."""
    return (str(error).splitlines() or [type(error).__name__])[0]

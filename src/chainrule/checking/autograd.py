"""A custom ``torch.autograd.Function``: its backward compared with differences of its own forward.

With a random C = Σ G·f(x), backward of G is ∂C/∂x. It is asked for again and again, with G laid out otherwise in
memory and with another forward in between: what comes back has to be the same numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import frexp
from textwrap import wrap
from typing import Any, cast

import numpy as np

from chainrule.calculus.activation import ACTIVATIONS
from chainrule.calculus.arrays import Array
from chainrule.checking.slope import ladder, slope
from chainrule.checking.torch_model import float64, pytorch
from chainrule.checks import require
from chainrule.errors import InputError
from chainrule.render.text import COLUMNS

MOST_ENTRIES = 400
"""So many entries of an input are compared; of more, so many are drawn."""

SURE = 1e-4
"""A difference known to so much of itself decides; four times its error is allowed."""

SAME = 1e-10
"""Two calls of one backward may differ by so much, of the largest entry: by the order of their sums."""


@dataclass(frozen=True)
class AutogradFinding:
    """One thing that is wrong: with which input (None: with all), what it is called (None: nothing explains it), the
    evidence, what to change."""

    input: int | None
    bug: str | None
    says: str
    evidence: str
    fix: str

    def json(self) -> dict[str, Any]:
        """For JSON."""
        return {"input": self.input, "bug": self.bug, "says": self.says, "evidence": self.evidence, "fix": self.fix}


@dataclass(frozen=True)
class AutogradVerdict:
    """Whether a backward is right; ``ok`` is None where its forward does not allow to tell."""

    name: str
    findings: tuple[AutogradFinding, ...]
    undecided: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool | None:
        """Whether nothing is wrong; None where nothing was found, but not everything could be compared."""
        return False if self.findings else None if self.undecided else True

    def __bool__(self) -> bool:
        """Whether nothing is wrong, for certain."""
        return self.ok is True

    def text(self) -> str:
        """For the terminal."""
        names = list(dict.fromkeys(finding.bug or "no mistake that is known" for finding in self.findings))
        head = {True: "right", None: "undecided"}.get(self.ok, f"wrong: {' and '.join(names)}")
        lines = [f"{head}: backward of {self.name}" if self.ok is not False else f"{head}\nbackward of {self.name}"]
        for at, finding in enumerate(self.findings, 1):
            number = f"{at}. " if len(self.findings) > 1 else ""
            indent = " " * len(number)
            lines += ["", *wrap(number + finding.says, COLUMNS, subsequent_indent=indent)]
            for label, words in (("evidence: ", finding.evidence), ("change:   ", finding.fix)):
                lines += wrap(indent + label + words, COLUMNS, subsequent_indent=indent + " " * len(label))
        for label, remarks in (("undecided: ", self.undecided), ("note: ", self.notes)):
            for remark in remarks:
                lines += wrap(label + remark, COLUMNS, subsequent_indent=" " * len(label))
        return "\n".join(lines)

    def __str__(self) -> str:
        """For print."""
        return self.text()

    def json(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "ok": self.ok, "findings": [finding.json() for finding in self.findings],
            "undecided": list(self.undecided), "notes": list(self.notes),
        }  # fmt: skip


def check_autograd(function: Any, *inputs: object, seed: int = 0) -> AutogradVerdict:
    """Whether the backward of a custom autograd function is the derivative of its forward; if not, why not.

    ``function`` is a subclass of ``torch.autograd.Function``, or a function of tensors that uses one. ``inputs`` are
    what it takes; all is computed in float64. Checked are the inputs that require a gradient, or all that are of
    floating point where none does. ``seed`` draws the gradient that comes in. Raises InputError where the function
    cannot be called so, and MissingExtraError without PyTorch.
    """
    with np.errstate(all="ignore"):
        return _Check(function, inputs, seed).verdict()


class _BackwardError(Exception):
    """A call of backward that raised an error."""


class _Check:
    """The function as it is called here: with the inputs ``at`` that need a gradient, and recorded."""

    def __init__(self, function: Any, inputs: Sequence[object], seed: int) -> None:
        self.torch = pytorch("check_autograd")
        self.random = np.random.default_rng(seed)
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
        self.findings: list[AutogradFinding] = []
        self.undecided: list[str] = []
        self.notes: list[str] = []

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

    # calls -----------------------------------------------------------------------------------------

    def forward(self, moved: Mapping[int, Any] | None = None) -> tuple[list[Any], list[Any], list[Any]]:
        """The inputs that need a gradient, what the function was called with, and its outputs."""
        leaves = {i: (moved or self.inputs).__getitem__(i).clone().requires_grad_() for i in self.at}
        called = [leaves[i].clone() if i in leaves else self._copy(x) for i, x in enumerate(self.inputs)]
        with self.torch.enable_grad():
            try:
                y = self.call(*called)
            except (RuntimeError, TypeError, ValueError) as error:
                raise InputError(f"{self.name}: its forward fails: {_first(error)}") from error
        outputs = self._outputs(y)
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

    def _outputs(self, y: object) -> list[Any]:
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
            raise _BackwardError(_first(error)) from error
        return [None if g is None else float64(g) for g in found]

    def cost(self, G: Sequence[Array], i: int) -> Callable[[Array], float]:
        """ΣG·f as a function of input i."""
        shape = self.inputs[i].shape

        def of(x: Array) -> float:
            moved = self.torch.as_tensor(x.reshape(shape).copy(), device=self.inputs[i].device)
            called = [moved if k == i else self._copy(other) for k, other in enumerate(self.inputs)]
            with self.torch.no_grad():
                y = self.call(*called)
            return float(sum(np.vdot(g, float64(t)) for g, t in zip(G, self._outputs(y), strict=True)))

        return of

    # the verdict -----------------------------------------------------------------------------------

    def verdict(self) -> AutogradVerdict:
        """Everything that is checked."""
        leaves, called, outputs = self.forward()
        for i, leaf in zip(self.at, leaves, strict=True):
            if not any(y is called[i] for y in outputs) and not bool(self.torch.equal(leaf, called[i])):
                self._find(
                    i,
                    "input-overwritten",
                    f"forward changes input {i} in place, and does not say so",
                    "after the call the input has other numbers",
                    "work on a copy, or ctx.mark_dirty(it)",
                )
        G = [self.random.normal(size=tuple(y.shape)) for y in outputs]
        tensors = self.tensors(G, outputs)
        try:
            first = self.backward(leaves, outputs, tensors)
        except _BackwardError as error:
            self._failed(str(error))
            return self._done()
        raw = self.raw
        if any(not np.array_equal(float64(t), g) for t, g in zip(tensors, G, strict=True)):
            self._find(
                None,
                "incoming-gradient-overwritten",
                "backward changes the gradient that comes in, in place",
                "after the call it has other numbers",
                "work on a copy of grad_output",
            )
        self._repeat(leaves, outputs, G, first)
        if not any(finding.bug == "incoming-gradient-overwritten" for finding in self.findings):
            self._laid_out_otherwise(outputs, G, first)
        exact = [self._differences(G, i) for i in self.at]
        for k, i in enumerate(self.at):
            self._judge(k, i, G, outputs, first, exact, raw)
        return self._done()

    def _done(self) -> AutogradVerdict:
        return AutogradVerdict(self.name, tuple(self.findings), tuple(self.undecided), tuple(self.notes))

    def _find(self, i: int | None, bug: str | None, says: str, evidence: str, fix: str) -> None:
        self.findings.append(AutogradFinding(i, bug, says, evidence, fix))

    def _failed(self, message: str) -> None:
        if "inplace" in message or "in-place" in message:
            self._find(
                None,
                "saved-tensor-overwritten",
                "a tensor that was saved for backward is changed in place",
                message,
                "save a copy, or save it before it is changed",
            )
        elif "invalid gradient" in message or "shape" in message:
            self._find(
                None,
                "wrong-shape",
                "backward returns a gradient of a shape that its input does not have",
                message,
                "each gradient has its input's shape: sum it over the axes that were broadcast",
            )
        else:
            self._find(None, "backward-fails", "backward raises an error", message, "see the error")

    def _repeat(
        self, leaves: Sequence[Any], outputs: Sequence[Any], G: Sequence[Array], first: Sequence[Array | None]
    ) -> None:
        try:
            again = self.backward(leaves, outputs, self.tensors(G, outputs))
        except _BackwardError as error:
            self.notes.append(f"backward cannot be called a second time: {error}")
        else:
            if not _same(first, again):
                self._find(
                    None,
                    "saved-tensor-overwritten",
                    "backward changes what was saved for it",
                    "called a second time for the same forward, it gives other numbers",
                    "work on copies of ctx.saved_tensors",
                )
                return
        leaves, _, outputs = self.forward()
        moved = {i: self.inputs[i] + 1 + self.inputs[i].abs() for i in self.at}
        try:
            self.forward(moved)
            between = self.backward(leaves, outputs, self.tensors(G, outputs))
        except (_BackwardError, InputError):
            return
        if not _same(first, between):
            self._find(
                None,
                "saved-tensor-overwritten",
                "what forward saves is overwritten by the next forward",
                "with a forward of other inputs in between, backward gives other numbers",
                "save in ctx, by ctx.save_for_backward, not in the class or in a buffer that is used again",
            )

    def _laid_out_otherwise(self, outputs: Sequence[Any], G: Sequence[Array], first: Sequence[Array | None]) -> None:
        tensors = self.tensors(G, outputs)
        ones = [self.torch.ones_like(t) for t in tensors]
        layouts = (
            ("laid out column by column", [self._strided(t) for t in tensors], tensors),
            ("expanded from one number, as .sum() sends it back", [t.new_ones(()).expand(t.shape) for t in ones], ones),
        )
        for how, laid, plain in layouts:
            if all(t.is_contiguous() for t in laid):
                continue
            evidence = f"a gradient {how} gives other numbers than the same one laid out row by row"
            try:
                expected = first if plain is tensors else self.once(plain)
            except _BackwardError:
                continue
            try:
                if _same(expected, self.once(laid)):
                    continue
            except _BackwardError as error:
                evidence = f"with a gradient {how} it fails: {error}"
            self._find(
                None,
                "non-contiguous-gradient",
                "backward reads the gradient that comes in by its storage, and not by its strides",
                evidence,
                "grad_output = grad_output.contiguous() first",
            )
            return

    def _strided(self, t: Any) -> Any:
        """The same numbers, of which neighbours are not side by side."""
        if t.ndim >= 2:
            return t.transpose(-1, -2).contiguous().transpose(-1, -2)
        return self.torch.stack([t, t + 1], dim=-1)[..., 0]

    # derivatives -----------------------------------------------------------------------------------

    def _differences(self, G: Sequence[Array], i: int) -> tuple[Array, Array, Array]:
        """∂ΣG·f/∂ of input i by differences, their error, and by how much the slopes from both sides differ; NaN where
        not drawn."""
        x = float64(self.inputs[i]).ravel()
        cost = self.cost(G, i)
        chosen = np.arange(x.size)
        if x.size > MOST_ENTRIES:
            chosen = self.random.choice(x.size, MOST_ENTRIES, replace=False)
            remark = f"of input {i}, {MOST_ENTRIES} of {x.size:,} entries were compared"
            if remark not in self.notes:
                self.notes.append(remark)
        value, error, sides = (np.full(x.size, np.nan) for _ in range(3))
        for k in chosen:
            value[k], error[k], sides[k] = _derivative(cost, x, int(k), ladder(0))
        shape = tuple(self.inputs[i].shape)
        return value.reshape(shape), error.reshape(shape), sides.reshape(shape)

    def _judge(
        self,
        k: int,
        i: int,
        G: Sequence[Array],
        outputs: Sequence[Any],
        first: Sequence[Array | None],
        exact: Sequence[tuple[Array, Array, Array]],
        raw: tuple[Any, ...] | None,
    ) -> None:
        right, error, sides = exact[k]
        g, known, drawn = first[k], np.isfinite(right), ~np.isnan(error)
        size = float(np.abs(right[known]).max(initial=0))
        allowed = 4 * error + 1e-9 * np.abs(right) + 1e-12 * size
        kink = known & (sides > 0)
        unsure = drawn & ~(known & (error <= SURE * np.maximum(np.abs(right), 1e-3 * size) + 1e-12))
        if g is None:
            if (np.abs(right[known]) > allowed[known]).any():
                at = np.unravel_index(int(np.nan_to_num(np.abs(right)).argmax()), right.shape)
                self._find(
                    i,
                    "no-gradient",
                    f"input {i} needs a gradient, and backward returns None for it",
                    f"its derivative is not 0: {_place(i, at)} is {right[at]:.6g} by differences",
                    "return its gradient in its place; ctx.needs_input_grad says which are needed",
                )
            return
        if self.is_class and raw is not None and i < len(raw) and raw[i] is not None:
            shape = tuple(raw[i].shape)
            if shape != right.shape:
                self.notes.append(
                    f"backward returns {shape} for input {i}, which is {right.shape}: an unsummed broadcast axis. "
                    f"autograd sums it afterwards; whoever calls backward directly does not"
                )
        if not np.isfinite(g).all():
            self._find(
                i,
                "not-finite",
                f"the gradient of input {i} is not finite",
                "NaN or ∞ among its entries",
                "a division by 0, or an overflow, in backward",
            )
            return
        between = kink & ~unsure & (np.abs(g - right) <= sides / 2 + allowed)
        if between.any():
            self.notes.append(
                f"input {i}: {int(between.sum())} of {right.size} entries lie at a kink of forward, where "
                f"backward takes a slope between those of both sides: a convention"
            )
        off = known & ~between & (np.abs(g - right) > allowed)
        if not (off & ~unsure).any():
            if unsure.any():
                self.undecided.append(
                    f"input {i}: {int(unsure.sum())} of {right.size} entries lie at a kink or a jump of forward, or it "
                    f"is too noisy there"
                )
            return
        sure = known & ~unsure & ~between
        bug, says, fix = self._named(k, i, g, right, allowed, sure, G, outputs, first, exact)
        worst = np.unravel_index(int(np.where(sure, np.abs(g - right), 0).argmax()), right.shape)
        evidence = (
            f"{int((off & sure).sum())} of {int(sure.sum())} entries are wrong; {_place(i, worst)}: backward "
            f"{g[worst]:.8g}, by differences {right[worst]:.8g} ± {error[worst]:.0e}"
        )
        self._find(i, bug, says, evidence, fix)

    def _named(
        self,
        k: int,
        i: int,
        g: Array,
        right: Array,
        allowed: Array,
        sure: Array,
        G: Sequence[Array],
        outputs: Sequence[Any],
        first: Sequence[Array | None],
        exact: Sequence[tuple[Array, Array, Array]],
    ) -> tuple[str | None, str, str]:
        loose = allowed + 1e-7 * np.abs(g)

        def agrees(prediction: Array) -> bool:
            if prediction.shape != g.shape:
                return False
            there = sure & np.isfinite(prediction)
            return bool(there.any()) and bool((np.abs(g - prediction) <= loose)[there].all())

        if not g[sure].any():
            return "zeros", f"the gradient of input {i} is 0 everywhere", "return the gradient itself"
        if g.size > 1 and g.ndim == 2 and g.shape[0] == g.shape[1] and agrees(right.T):
            return "transposed", f"the gradient of input {i} is transposed", "return grad.T"
        for other, (theirs, *_) in enumerate(exact):
            if other != k and theirs.shape == g.shape and agrees(theirs):
                return (
                    "swapped",
                    f"the gradient returned for input {i} is that of input {self.at[other]}",
                    "return the gradients in the order of forward's inputs",
                )
        broadcast = self._broadcast(i, right.shape, G)
        if broadcast:
            for which in (0, -1):
                part = [np.where(_slice_mask(y.shape, right.shape, which), y, 0) for y in G]
                if agrees(self._differences(part, i)[0]):
                    return (
                        "unsummed-broadcast-axis",
                        f"input {i} was broadcast, and its gradient is that of the {'first' if which == 0 else 'last'} "
                        f"slice alone",
                        "sum over the axes that were broadcast: grad.sum(0)",
                    )
        c = float((g[sure] * right[sure]).sum() / (right[sure] ** 2).sum()) if right[sure].any() else 0.0
        if c and agrees(c * right) and int((right[sure] != 0).sum()) > 1:
            if abs(c + 1) < 1e-6:
                return "sign", f"the gradient of input {i} has the wrong sign", "return -grad"
            if broadcast and abs(c * broadcast - 1) < 1e-6:
                return (
                    "broadcast-averaged",
                    f"input {i} was broadcast, and its gradient is the mean over the {broadcast} slices, not the sum",
                    "sum over the axes that were broadcast: grad.sum(0)",
                )
            nice = round(c) if abs(c) > 0.9 else c
            text = f"{nice}" if abs(c - nice) < 1e-6 and nice == round(nice) else f"{c:.6g}"
            return "constant-factor", f"the gradient of input {i} is {text} × what it should be", f"divide it by {text}"
        if len(outputs) == 1 and G[0].shape == right.shape:
            named = self._elementwise(i, G[0], float64(outputs[0]), agrees)
            if named:
                return named
        return None, f"the gradient of input {i} is wrong, in a way that has no name", "compare backward with forward"

    def _broadcast(self, i: int, shape: tuple[int, ...], G: Sequence[Array]) -> int:
        """Into how many slices of the output input i was broadcast; 0 if it was not."""
        if len(G) != 1 or G[0].shape == shape or not G[0].size or len(shape) > G[0].ndim:
            return 0
        try:
            whole = np.broadcast_shapes(shape, G[0].shape)
        except ValueError:
            return 0
        size = int(np.prod(shape))
        return G[0].size // size if whole == G[0].shape and size else 0

    def _elementwise(self, i: int, G: Array, y: Array, agrees: Callable[[Array], bool]) -> tuple[str, str, str] | None:
        if agrees(G):
            return (
                "missing-slope",
                f"backward returns the gradient that comes in as it is: σ′, the slope by input {i}, is missing",
                "return grad_output * σ′(x)",
            )
        x = float64(self.inputs[i])
        with np.errstate(all="ignore"):
            σ = next((τ for τ in ACTIVATIONS.values() if τ.elementwise and np.allclose(τ.value(x), y, 1e-9)), None)
            if σ and agrees(G * σ.derivative(y)):
                return "slope-of-a", f"{σ.name}′ is taken of the output, not of the input", "σ′(x), not σ′(σ(x))"
            if σ and agrees(G * σ.derivative(x) ** 2):
                return "slope-twice", f"{σ.name}′ is applied twice", "return grad_output * σ′(x), once"
            for τ in ACTIVATIONS.values():
                if τ.elementwise and τ is not σ and agrees(G * τ.derivative(x)):
                    of = f", but forward is {σ.name}" if σ else ""
                    return "slope-of-another-activation", f"backward is that of {τ.name}{of}", "σ′ of forward's own σ"
        return None


def _derivative(cost: Callable[[Array], float], x: Array, k: int, steps: Array) -> tuple[float, float, float]:
    """∂cost/∂x[k], its error, and by how much the slopes from the two sides differ however near: at a kink."""

    def at(t: float) -> float:
        moved = x.copy()
        moved[k] += t
        return cost(moved)

    unit = 2.0 ** frexp(max(abs(float(x[k])), 1e-3))[1]
    found = slope(at, cost(x), unit, steps)
    return found.value, found.error, abs(found.right - found.left) if found.kink else 0.0


def _same(one: Sequence[Array | None], other: Sequence[Array | None]) -> bool:
    for a, b in zip(one, other, strict=True):
        if a is None or b is None:
            if a is not b:
                return False
            continue
        if np.array_equal(a, b, equal_nan=True):
            continue
        size = max(float(np.abs(a).max(initial=0)), float(np.abs(b).max(initial=0)))
        if a.shape != b.shape or not (np.abs(a - b) <= SAME * size).all():
            return False
    return True


def _slice_mask(whole: tuple[int, ...], shape: tuple[int, ...], which: int) -> Array:
    """Where an output belongs to the first or last slice along every axis that was broadcast."""
    padded = (1,) * (len(whole) - len(shape)) + tuple(shape)
    mask = np.ones(whole, bool)
    for axis, (n, m) in enumerate(zip(whole, padded, strict=True)):
        if n != m:
            line = np.arange(n) == (n - 1 if which else 0)
            mask &= line.reshape([-1 if a == axis else 1 for a in range(len(whole))])
    return mask


def _place(i: int, at: Sequence[Any]) -> str:
    return f"input {i}[{','.join(str(int(j)) for j in at)}]"


def _first(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]

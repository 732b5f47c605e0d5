"""A custom ``torch.autograd.Function``: its backward compared with differences of its own forward.

With a random C = Σ G·f(x), backward of G is ∂C/∂x. It is asked for again and again, with G laid out otherwise in
memory and with another forward in between: what comes back has to be the same numbers.
"""

from collections.abc import Callable, Sequence
from math import frexp
from typing import Any

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.autograd_call import BackwardError, Call
from chainrule.checking.autograd_names import Wrong, named, of_elements
from chainrule.checking.autograd_verdict import AutogradFinding, AutogradVerdict
from chainrule.checking.slope import ladder, slope
from chainrule.checking.torch_model import float64
from chainrule.errors import InputError

MOST_ENTRIES = 400
"""So many entries of an input are compared; of more, so many are drawn."""

SURE = 1e-4
"""A difference known to so much of itself decides; four times its error is allowed."""

SAME = 1e-10
"""Two calls of one backward may differ by so much, of the largest entry: by the order of their sums."""


def check_autograd(function: Any, *inputs: object, seed: int = 0) -> AutogradVerdict:
    """Whether the backward of a custom autograd function is the derivative of its forward; if not, why not.

    ``function`` is a subclass of ``torch.autograd.Function``, or a function of tensors that uses one. ``inputs`` are
    what it takes; all is computed in float64. Checked are the inputs that require a gradient, or all that are of
    floating point where none does. ``seed`` draws the gradient that comes in. Raises InputError where the function
    cannot be called so, and MissingExtraError without PyTorch.
    """
    with np.errstate(all="ignore"):
        return _Check(Call(function, inputs), seed).verdict()


class _Check:
    """One check: the function, and what was found of it."""

    def __init__(self, f: Call, seed: int) -> None:
        self.f = f
        self.random = np.random.default_rng(seed)
        self.findings: list[AutogradFinding] = []
        self.undecided: list[str] = []
        self.notes: list[str] = []

    def verdict(self) -> AutogradVerdict:
        """Everything that is checked."""
        leaves, called, outputs = self.f.forward()
        for i, leaf in zip(self.f.at, leaves, strict=True):
            if not any(y is called[i] for y in outputs) and not bool(self.f.torch.equal(leaf, called[i])):
                self._find(
                    i,
                    "input-overwritten",
                    f"forward changes input {i} in place, and does not say so",
                    "after the call the input has other numbers",
                    "work on a copy, or ctx.mark_dirty(it)",
                )
        G = [self.random.normal(size=tuple(y.shape)) for y in outputs]
        tensors = self.f.tensors(G, outputs)
        try:
            first = self.f.backward(leaves, outputs, tensors)
        except BackwardError as error:
            self._failed(str(error))
            return self._done()
        raw = self.f.raw
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
        exact = [self._differences(G, i) for i in self.f.at]
        for k, i in enumerate(self.f.at):
            self._judge(k, i, G, outputs, first, exact, raw)
        return self._done()

    def _done(self) -> AutogradVerdict:
        return AutogradVerdict(self.f.name, tuple(self.findings), tuple(self.undecided), tuple(self.notes))

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
            again = self.f.backward(leaves, outputs, self.f.tensors(G, outputs))
        except BackwardError as error:
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
        leaves, _, outputs = self.f.forward()
        moved = {i: self.f.inputs[i] + 1 + self.f.inputs[i].abs() for i in self.f.at}
        try:
            self.f.forward(moved)
            between = self.f.backward(leaves, outputs, self.f.tensors(G, outputs))
        except (BackwardError, InputError):
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
        tensors = self.f.tensors(G, outputs)
        ones = [self.f.torch.ones_like(t) for t in tensors]
        layouts = (
            ("laid out column by column", [self._strided(t) for t in tensors], tensors),
            ("expanded from one number, as .sum() sends it back", [t.new_ones(()).expand(t.shape) for t in ones], ones),
        )
        for how, laid, plain in layouts:
            if all(t.is_contiguous() for t in laid):
                continue
            evidence = f"a gradient {how} gives other numbers than the same one laid out row by row"
            try:
                expected = first if plain is tensors else self.f.once(plain)
            except BackwardError:
                continue
            try:
                if _same(expected, self.f.once(laid)):
                    continue
            except BackwardError as error:
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
        return self.f.torch.stack([t, t + 1], dim=-1)[..., 0]

    # derivatives -----------------------------------------------------------------------------------

    def _differences(self, G: Sequence[Array], i: int) -> tuple[Array, Array, Array]:
        """∂ΣG·f/∂ of input i by differences, their error, and by how much the slopes from both sides differ; NaN where
        not drawn."""
        x = float64(self.f.inputs[i]).ravel()
        cost = self.f.cost(G, i)
        chosen = np.arange(x.size)
        if x.size > MOST_ENTRIES:
            chosen = self.random.choice(x.size, MOST_ENTRIES, replace=False)
            remark = f"of input {i}, {MOST_ENTRIES} of {x.size:,} entries were compared"
            if remark not in self.notes:
                self.notes.append(remark)
        value, error, sides = (np.full(x.size, np.nan) for _ in range(3))
        for k in chosen:
            value[k], error[k], sides[k] = _derivative(cost, x, int(k), ladder(0))
        shape = tuple(self.f.inputs[i].shape)
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
        if self.f.is_class and raw is not None and i < len(raw) and raw[i] is not None:
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
        wrong = Wrong(i, g, right, allowed, sure)
        others = {self.f.at[other]: theirs for other, (theirs, *_) in enumerate(exact) if other != k}
        bug, says, fix = named(wrong, others, G, lambda part: self._differences(part, i)[0])
        if bug is None and len(outputs) == 1 and G[0].shape == right.shape:
            bug, says, fix = of_elements(wrong, G[0], float64(self.f.inputs[i]), float64(outputs[0]))
        worst = np.unravel_index(int(np.where(sure, np.abs(g - right), 0).argmax()), right.shape)
        evidence = (
            f"{int((off & sure).sum())} of {int(sure.sum())} entries are wrong; {_place(i, worst)}: backward "
            f"{g[worst]:.8g}, by differences {right[worst]:.8g} ± {error[worst]:.0e}"
        )
        self._find(i, bug, says, evidence, fix)


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


def _place(i: int, at: Sequence[Any]) -> str:
    return f"input {i}[{','.join(str(int(j)) for j in at)}]"

"""A custom autograd function: right ones pass, and each mistake of its backward has its name.

PyTorch is an extra: ``pip install 'chainrule[torch]'``. Without it, all of this is skipped.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingParameterType=false, reportUnknownLambdaType=false

import sys
from pathlib import Path
from typing import Any

import pytest

from chainrule import check_autograd
from chainrule.errors import InputError

torch: Any = pytest.importorskip("torch", reason="PyTorch is not installed (pip install 'chainrule[torch]')")
torch.set_num_threads(1)
ROOT = Path(__file__).resolve().parent.parent


def function(forward: Any, backward: Any) -> Any:
    base: Any = torch.autograd.Function
    return type(base)("F", (base,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})


def drawn(*shape: int, seed: int = 0) -> Any:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def bugs(*arguments: Any) -> set[str | None]:
    verdict = check_autograd(*arguments)
    assert verdict.text()
    assert verdict.json()["ok"] is verdict.ok
    return {finding.bug for finding in verdict.findings} if verdict.findings else {"right" if verdict else "undecided"}


# one input -----------------------------------------------------------------------------------------


def tanh_forward(ctx: Any, x: Any) -> Any:
    a = torch.tanh(x)
    ctx.save_for_backward(x, a)
    return a


def sigmoid(x: Any) -> Any:
    return torch.sigmoid(x)


@pytest.mark.parametrize(
    ("backward", "bug"),
    [
        (lambda g, x, a: g * (1 - a * a), "right"),
        (lambda g, x, a: g, "missing-slope"),
        (lambda g, x, a: 2 * g * (1 - a * a), "constant-factor"),
        (lambda g, x, a: 1.001 * g * (1 - a * a), "constant-factor"),
        (lambda g, x, a: -g * (1 - a * a), "sign"),
        (lambda g, x, a: g * (1 - torch.tanh(a) ** 2), "slope-of-a"),
        (lambda g, x, a: g * (1 - a * a) ** 2, "slope-twice"),
        (lambda g, x, a: g * sigmoid(x) * (1 - sigmoid(x)), "slope-of-another-activation"),
        (lambda g, x, a: (g * (1 - a * a)).T, "transposed"),
        (lambda g, x, a: 0 * g, "zeros"),
        (lambda g, x, a: None, "no-gradient"),
        (lambda g, x, a: g / 0, "not-finite"),
        (lambda g, x, a: g * (1 - a * a) + 0.01 * x, None),
        (lambda g, x, a: (g * (1 - a * a))[:2], "wrong-shape"),
        # the incoming gradient, and what was saved
        (lambda g, x, a: torch.as_strided(g, g.shape, (4, 1)) * (1 - a * a), "non-contiguous-gradient"),
        (lambda g, x, a: (g.view(-1) * (1 - a * a).view(-1)).view(4, 4), "non-contiguous-gradient"),
        (lambda g, x, a: g.mul_(1 - a * a), "incoming-gradient-overwritten"),
        (lambda g, x, a: a.data.pow_(2).neg_().add_(1).mul_(g).clone(), "saved-tensor-overwritten"),
    ],
)
def test_each_mistake_has_its_name(backward: Any, bug: str) -> None:
    f = function(tanh_forward, lambda ctx, g: backward(g, *ctx.saved_tensors))
    assert bugs(f, drawn(4, 4)) == {bug}


def test_what_is_saved_in_a_buffer_that_is_used_again_is_found() -> None:
    buffer: dict[str, Any] = {}

    def forward(ctx: Any, x: Any) -> Any:
        buffer["a"] = torch.tanh(x)
        return buffer["a"].clone()

    f = function(forward, lambda ctx, g: g * (1 - buffer["a"] ** 2))
    assert bugs(f, drawn(3, 4)) == {"saved-tensor-overwritten"}


def test_an_input_that_forward_overwrites_is_found() -> None:
    def forward(ctx: Any, x: Any) -> Any:
        x.tanh_()
        ctx.save_for_backward(x)
        return x.clone()

    f = function(forward, lambda ctx, g: g * (1 - ctx.saved_tensors[0] ** 2))
    assert bugs(f, drawn(3, 4)) == {"input-overwritten"}


def test_a_slope_at_a_kink_is_a_convention_between_both_sides() -> None:
    def relu(slope: float) -> Any:
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x.clamp(min=0)

        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return torch.where(x == 0, slope * g, g * (x > 0))

        return function(forward, backward)

    x = torch.tensor([0.0, 1.0, -1.0, 1e-4])
    for slope in (0.0, 0.5, 1.0):
        verdict = check_autograd(relu(slope), x)
        assert verdict.ok, verdict
        assert "a convention" in verdict.notes[0]
    assert check_autograd(relu(2.0), x).ok is False
    assert check_autograd(relu(0.0), drawn(3, 4)).notes == ()


def test_a_jump_is_undecided_and_not_right() -> None:
    verdict = check_autograd(lambda x: x.floor() + x, torch.tensor([0.5, 2.0]))
    assert verdict.ok is None
    assert not verdict
    assert verdict.text().startswith("undecided")


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize(
    "name", ["sin", "tanh", "sigmoid", "expm1", "nn.functional.gelu", "nn.functional.silu", "nn.functional.softplus"]
)
def test_pytorch_s_own_functions_are_right(name: str, scale: float) -> None:
    f: Any = torch
    for part in name.split("."):
        f = getattr(f, part)
    assert check_autograd(lambda x: f(x / scale) * scale, scale * drawn(3, 4)).ok


def test_many_entries_are_drawn_and_said() -> None:
    verdict = check_autograd(lambda x: (x.sin() ** 2).sum(), drawn(30, 30))
    assert verdict.ok
    assert verdict.notes == ("of input 0, 400 of 900 entries were compared",)


# several inputs ------------------------------------------------------------------------------------


def linear(of_bias: Any, of_weight: Any = lambda g, x: g.T @ x, of_x: Any = lambda g, w: g @ w) -> Any:
    def forward(ctx: Any, x: Any, w: Any, b: Any) -> Any:
        ctx.save_for_backward(x, w)
        return x @ w.T + b

    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        return of_x(g, w), of_weight(g, x), of_bias(g)

    return function(forward, backward)


@pytest.mark.parametrize(
    ("f", "bug", "at"),
    [
        (linear(lambda g: g.sum(0)), "right", None),
        (linear(lambda g: g.mean(0)), "broadcast-averaged", 2),
        (linear(lambda g: g[0]), "unsummed-broadcast-axis", 2),
        (linear(lambda g: g[-1]), "unsummed-broadcast-axis", 2),
        (linear(lambda g: g.sum(1)), "wrong-shape", None),
        (linear(lambda g: None), "no-gradient", 2),
        (linear(lambda g: g.sum(0), lambda g, x: x.T @ g), "transposed", 1),
        (linear(lambda g: g.sum(0), of_x=lambda g, w: g @ w.T), None, 0),
    ],
)
def test_each_input_has_its_own_finding(f: Any, bug: str | None, at: int | None) -> None:
    inputs = (drawn(5, 4), drawn(4, 4, seed=1), drawn(4, seed=2))
    assert bugs(f, *inputs) == {bug}
    assert [finding.input for finding in check_autograd(f, *inputs).findings] == ([] if bug == "right" else [at])


def test_an_axis_that_autograd_sums_itself_is_told() -> None:
    verdict = check_autograd(linear(lambda g: g), drawn(5, 4), drawn(4, 4, seed=1), drawn(4, seed=2))
    assert verdict.ok
    assert "returns (5, 4) for input 2, which is (4,): an unsummed broadcast axis" in verdict.notes[0]


def test_gradients_in_the_wrong_order_are_found() -> None:
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        ctx.save_for_backward(x, y)
        return x * y, x - y

    def backward(ctx: Any, g: Any, h: Any) -> Any:
        x, y = ctx.saved_tensors
        return g * x - h, g * y + h

    f = function(forward, backward)
    assert bugs(f, drawn(3, 4), drawn(3, 4, seed=1)) == {"swapped"}


def test_only_what_needs_a_gradient_is_checked() -> None:
    f = linear(lambda g: None)
    x, w, b = drawn(5, 4), drawn(4, 4, seed=1), drawn(4, seed=2)
    assert check_autograd(f, x.requires_grad_(), w.requires_grad_(), b).ok


def test_what_cannot_be_called_is_an_error() -> None:
    with pytest.raises(InputError, match="none is a tensor of floating-point numbers"):
        check_autograd(torch.tanh, torch.arange(3))
    with pytest.raises(InputError, match="forward fails"):
        check_autograd(linear(lambda g: g), drawn(5, 4), drawn(3, 3), drawn(4))
    with pytest.raises(InputError, match="function"):
        check_autograd(3, drawn(5))


# the guide -----------------------------------------------------------------------------------------


def test_the_guide_prints_what_it_shows() -> None:
    sys.path.insert(0, str(ROOT / "docs"))
    import execute

    document = (ROOT / "docs/check-pytorch.md").read_text(encoding="utf-8")
    assert execute.executed(document) == document, "run: python docs/execute.py docs/check-pytorch.md"

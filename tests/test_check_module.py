"""PyTorch's gradients are right in every type, mistakes in them are named, and what cannot be read is refused by name.

PyTorch is an extra: ``pip install 'chainrule[torch]'``. Without it, all of this is skipped but for one test.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingParameterType=false, reportUnknownLambdaType=false

import sys
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from chainrule import check_module
from chainrule.errors import InputError, MissingExtraError

torch: Any = None
if find_spec("torch") is not None:
    import torch  # pyright: ignore  # an extra

    torch.set_num_threads(1)
nn: Any = torch and torch.nn

needs_torch = pytest.mark.skipif(torch is None, reason="PyTorch is not installed (pip install 'chainrule[torch]')")
TYPES = ("float64", "float32", "float16", "bfloat16")


def test_without_pytorch_the_message_has_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        return None

    monkeypatch.setattr("chainrule.checking.torch_model.find_spec", absent)
    with pytest.raises(MissingExtraError, match=r"pip install 'chainrule\[torch\]'"):
        check_module(object(), object(), [[1.0]], [[1.0]])


# random models -------------------------------------------------------------------------------------


def activations() -> list[Callable[[], Any]]:
    return [
        nn.ReLU,
        lambda: nn.LeakyReLU(0.01),
        nn.Sigmoid,
        nn.Tanh,
        nn.ELU,
        nn.Softplus,
        nn.SiLU,
        nn.GELU,
        nn.Identity,
    ]


def one_of(random: np.random.Generator) -> Callable[[], Any]:
    every = activations()
    return every[int(random.integers(len(every)))]


def drawn_loss(random: np.random.Generator, n: int, n_L: int, dtype: Any) -> tuple[list[Any], Any, Any]:
    """What ends the model, a loss, and targets."""
    reduction = str(random.choice(["mean", "mean", "sum"]))
    numbers = torch.tensor(random.normal(size=(n, n_L))).to(dtype)
    classes = torch.tensor(random.integers(n_L, size=n))
    bits = torch.tensor(random.integers(2, size=(n, n_L))).to(dtype)
    weight = torch.tensor(random.uniform(0.5, 2, n_L)).to(dtype)
    some = one_of(random)
    return [
        lambda: ([some()], nn.MSELoss(reduction=reduction), numbers),
        lambda: ([some()], nn.HuberLoss(reduction=reduction), numbers),
        lambda: ([], nn.CrossEntropyLoss(reduction=reduction, label_smoothing=0.1), classes),
        lambda: ([], nn.CrossEntropyLoss(weight=weight, reduction=reduction), classes),
        lambda: ([], nn.CrossEntropyLoss(reduction=reduction), torch.softmax(numbers.double(), 1).to(dtype)),
        lambda: ([nn.LogSoftmax(1)], nn.NLLLoss(reduction=reduction), classes),
        lambda: ([nn.Sigmoid()], nn.BCELoss(reduction=reduction), bits),
        lambda: ([], nn.BCEWithLogitsLoss(reduction=reduction), bits),
        lambda: ([], nn.PoissonNLLLoss(reduction=reduction), torch.tensor(random.poisson(2, (n, n_L))).to(dtype)),
    ][int(random.integers(9))]()


def drawn(seed: int, dtype: Any) -> tuple[Any, Any, Any, Any]:
    """A random model, loss, inputs and targets; every second one is wide."""
    random = np.random.default_rng(seed)
    most = 60 if seed % 2 else 8
    sizes = [int(n) for n in random.integers(1, most, size=random.integers(2, 6))]
    n = int(random.integers(1, 150 if seed % 2 else 9))
    parts: list[Any] = [nn.Flatten()] if random.random() < 0.3 else []
    for k, m in pairwise(sizes[:-1]):
        parts.append(nn.Linear(k, m, bias=bool(random.random() < 0.8)))
        parts.append(one_of(random)())
        if random.random() < 0.2:
            parts.append(nn.Dropout(0.5).eval())
    head, loss, Y = drawn_loss(random, n, sizes[-1], dtype)
    inner = nn.Sequential(nn.Linear(sizes[-2], sizes[-1]), *head)
    module = nn.Sequential(*parts, inner).to(torch.float64)
    spread = random.choice([0.5, 1.0])
    for p in module.parameters():
        p.data = torch.tensor(random.normal(size=tuple(p.shape)) * spread / np.sqrt(p.shape[-1] if p.ndim > 1 else 1))
    return module.to(dtype), loss, torch.tensor(random.normal(size=(n, sizes[0]))).to(dtype), Y


@needs_torch
@pytest.mark.parametrize("name", TYPES)
def test_pytorch_s_own_gradients_are_right(name: str, pytestconfig: pytest.Config) -> None:
    """In each type, of random models with every activation and every loss: no false alarm."""
    checked, networks = 0, int(pytestconfig.getoption("--networks") or 300)
    for seed in range(networks):
        module, loss, X, Y = drawn(seed, getattr(torch, name))
        loss(module(X), Y).backward()
        if not all(bool(torch.isfinite(p.grad).all()) for p in module.parameters()):
            assert name == "float16", "only float16 overflows here"
            continue
        verdict = check_module(module, loss, X, Y)
        assert verdict.ok, f"seed {seed}\n{module}\n{loss}\n{verdict}"
        assert verdict.precision == name
        checked += 1
    assert checked > 0.9 * networks


@needs_torch
@pytest.mark.parametrize(("name", "share"), [("float64", 1), ("float32", 1), ("float16", 0.95), ("bfloat16", 0.8)])
def test_a_doubled_array_is_seen_in_every_type(name: str, share: float) -> None:
    """The bounds of the short types are not so wide that anything would pass, though few examples tell less."""
    seen = tried = 0
    for seed in range(0, 120, 2):
        module, loss, X, Y = drawn(seed, getattr(torch, name))
        loss(module(X), Y).backward()
        grads = [p.grad for p in module.parameters()]
        largest = max(grads, key=lambda g: float(g.abs().max()))
        largest *= 2
        if not bool(torch.isfinite(largest).all()) or float(largest.abs().max()) == 0:
            continue
        tried += 1
        seen += not check_module(module, loss, X, Y).ok
    assert seen >= share * tried
    assert tried > 50


# mistakes ------------------------------------------------------------------------------------------


def small(*parts: Any) -> Any:
    torch.manual_seed(0)
    return nn.Sequential(*parts).double()


def data(n: int = 6, n_0: int = 3, n_L: int = 2) -> tuple[Any, Any]:
    generator = torch.Generator().manual_seed(1)
    return (torch.randn(n, k, generator=generator, dtype=torch.float64) for k in (n_0, n_L))  # pyright: ignore


def function(name: str, forward: Any, backward: Any) -> Any:
    base: Any = torch.autograd.Function
    return type(base)(name, (base,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})


def tanh_with(backward: Any) -> Any:
    """A module that computes tanh, with a backward of (grad_output, a)."""

    def forward(ctx: Any, x: Any) -> Any:
        a = torch.tanh(x)
        ctx.save_for_backward(a)
        return a

    f = function("Tanh", forward, lambda ctx, g: backward(g, *ctx.saved_tensors))

    class Own(nn.Module):
        def forward(self, x: Any) -> Any:
            return f.apply(x)

    return Own()


@needs_torch
@pytest.mark.parametrize(
    ("backward", "bug"),
    [
        (lambda g, a: g * (1 - a * a), None),
        (lambda g, a: g, "missing-slope"),
        (lambda g, a: 2 * g * (1 - a * a), "stray-factor-in-delta"),
        (lambda g, a: -g * (1 - a * a), "sign-of-layer"),
        (lambda g, a: g * a * (1 - a), "slope-by-anothers-form"),
    ],
)
def test_a_mistake_in_a_custom_function_is_named(backward: Any, bug: str | None) -> None:
    module = small(nn.Linear(3, 4), tanh_with(backward), nn.Linear(4, 2))
    X, Y = data()
    verdict = check_module(module, nn.MSELoss(), X, Y, meant={"1": "tanh"})
    names = {finding.bug for finding in verdict.findings}
    assert names == (set() if bug is None else {bug}), verdict
    if bug:
        assert verdict.wrong == ("w1", "b1")
        assert "w1 = 0.weight, b1 = 0.bias" in " ".join(verdict.text().split())
    assert all(p.grad is None for p in module.parameters()), "the module was touched"


@needs_torch
def test_a_custom_function_that_returns_none_cuts_the_way_back() -> None:
    module = small(nn.Linear(3, 4), tanh_with(lambda g, a: None), nn.Linear(4, 2))
    X, Y = data()
    verdict = check_module(module, nn.MSELoss(), X, Y, meant={"1": "tanh"})
    assert [finding.bug for finding in verdict.findings] == ["no-gradient", "no-gradient"]
    assert "0.weight needs a gradient and got None" in verdict.text()


@needs_torch
def test_a_custom_linear_layer_is_checked_by_its_weight_and_bias() -> None:
    def forward(ctx: Any, x: Any, weight: Any, bias: Any) -> Any:
        ctx.save_for_backward(x, weight)
        return x @ weight.T + bias

    def layer(of_bias: Callable[[Any], Any]) -> Any:
        def backward(ctx: Any, g: Any) -> Any:
            x, weight = ctx.saved_tensors
            return g @ weight, g.T @ x, of_bias(g)

        f = function("Linear", forward, backward)

        class Own(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.weight, self.bias = nn.Parameter(torch.randn(2, 4)), nn.Parameter(torch.randn(2))

            def forward(self, x: Any) -> Any:
                return f.apply(x, self.weight, self.bias)

        return Own()

    X, Y = data()
    # autograd itself sums what backward left unsummed
    for of_bias, ok in ((lambda g: g.sum(0), True), (lambda g: g, True), (lambda g: g[0], False)):
        module = small(nn.Linear(3, 4), nn.Tanh(), layer(of_bias))
        verdict = check_module(module, nn.MSELoss(), X, Y, meant={"2": "linear"})
        assert verdict.ok is ok, verdict
        assert verdict.wrong == (() if ok else ("b2",))


@needs_torch
@pytest.mark.parametrize(
    ("wrong", "bug", "arrays"),
    [
        (lambda g: g["2.weight"].mul_(2), "stray-factor", ("w2",)),
        (lambda g: g["0.bias"].neg_(), "stray-factor", ("b1",)),
        (lambda g: [each.mul_(3) for each in g.values()], "accumulated-twice", ("w1", "b1", "w2", "b2")),
        (lambda g: g["2.weight"].zero_(), "zeros-in-one", ("w2",)),
        (lambda g: g["0.weight"][1, 2].add_(0.1), None, ("w1",)),
    ],
)
@pytest.mark.parametrize("by_hand", [False, True])
def test_a_wrong_grad_is_named(wrong: Any, bug: str | None, arrays: tuple[str, ...], by_hand: bool) -> None:
    module = small(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    X, Y = data()
    nn.MSELoss()(module(X), Y).backward()
    grads = {name: p.grad for name, p in module.named_parameters()}
    if by_hand:
        grads = {name: grad.clone() for name, grad in grads.items()}
    assert check_module(module, nn.MSELoss(), X, Y).ok
    wrong(grads)
    verdict = check_module(module, nn.MSELoss(), X, Y, gradients=grads if by_hand else None)
    assert verdict.wrong == arrays, verdict
    assert verdict.findings[0].bug == bug or bug in verdict.findings[0].equally, verdict
    if by_hand:
        assert check_module(module, nn.MSELoss(), X, Y).ok


@needs_torch
def test_the_scale_of_a_loss_is_known() -> None:
    """A mean over the outputs, too, or a sum over the examples: right, and said to be told otherwise."""
    X, Y = data()
    for loss in (nn.HuberLoss(), nn.MSELoss(reduction="sum"), nn.HuberLoss(reduction="sum"), nn.SmoothL1Loss()):
        module = small(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
        loss(module(X), Y).backward()
        verdict = check_module(module, loss, X, Y)
        assert verdict.ok, f"{loss}: {verdict}"
        assert verdict.notes
    # the gradient of a sum, given as that of the mean
    grads = {name: p.grad for name, p in module.named_parameters()}  # pyright: ignore[reportPossiblyUnboundVariable]
    verdict = check_module(module, nn.SmoothL1Loss(), X, Y, gradients={k: 6 * g for k, g in grads.items()})  # pyright: ignore
    assert verdict.findings[0].bug == "mean-missing", verdict


@needs_torch
def test_ignored_classes_and_class_weights_are_example_weights() -> None:
    module = small(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3))
    X, _ = data()
    for loss in (nn.CrossEntropyLoss(), nn.CrossEntropyLoss(weight=torch.tensor([0.5, 1, 3]).double())):
        module.zero_grad()
        Y = torch.tensor([0, 2, -100, 1, -100, 2])
        loss(module(X), Y).backward()
        verdict = check_module(module, loss, X, Y)
        assert verdict.ok, verdict
        verdict = check_module(module, nn.CrossEntropyLoss(), X, Y.clamp(min=0))
        assert not verdict.ok


@needs_torch
def test_functions_of_torch_nn_functional_are_losses() -> None:
    module = small(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    X, Y = data()
    assert check_module(module, torch.nn.functional.mse_loss, X, Y).ok
    assert check_module(module, torch.nn.functional.cross_entropy, X, Y[:, 0].gt(0).long()).ok


@needs_torch
def test_softplus_beyond_its_threshold_is_allowed_for_and_said() -> None:
    module = small(nn.Linear(3, 4), nn.Softplus(), nn.Linear(4, 2))
    with torch.no_grad():
        module[0].weight.mul_(20)
    X, Y = data()
    verdict = check_module(module, nn.MSELoss(), 4 * X, Y)
    assert verdict.ok, verdict
    assert any("line beyond 20" in note for note in verdict.notes)


@needs_torch
def test_bce_that_has_lost_its_gradient_is_named() -> None:
    """Sigmoid has rounded to 1 where the target is 0: BCELoss gives 0, and the derivative is 1."""
    module = small(nn.Linear(3, 1), nn.Sigmoid())
    with torch.no_grad():
        module[0].bias.fill_(50)
    X = torch.zeros(4, 3, dtype=torch.float64)
    Y = torch.tensor([[0.0], [1.0], [1.0], [1.0]], dtype=torch.float64)
    verdict = check_module(module, nn.BCELoss(), X, Y)
    assert [finding.bug for finding in verdict.findings] == ["bce-without-gradient"]
    assert "in 1 output," in verdict.findings[0].says
    assert check_module(module[0], nn.BCEWithLogitsLoss(), X, Y).ok


@needs_torch
def test_the_module_stays_as_it_is() -> None:
    module = small(nn.Linear(3, 4), nn.Tanh(), nn.Dropout(0.0), nn.Linear(4, 2))
    before = {name: p.clone() for name, p in module.state_dict().items()}
    X, Y = data()
    check_module(module, nn.MSELoss(), X, Y)
    assert all(p.grad is None for p in module.parameters())
    assert all(bool(torch.equal(before[name], p)) for name, p in module.state_dict().items())
    nn.MSELoss()(module(X), Y).backward()
    grads = [p.grad.clone() for p in module.parameters()]
    check_module(module, nn.MSELoss(), X, Y)
    assert all(bool(torch.equal(p.grad, g)) for p, g in zip(module.parameters(), grads, strict=True))


@needs_torch
def test_frozen_parameters_are_left_out() -> None:
    module = small(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    module[0].requires_grad_(False)
    X, Y = data()
    nn.MSELoss()(module(X), Y).backward()
    verdict = check_module(module, nn.MSELoss(), X, Y)
    assert verdict.ok
    assert set(verdict.given) == {"w2", "b2"}
    with torch.no_grad():
        module[2].weight.grad.mul_(3)
    assert check_module(module, nn.MSELoss(), X, Y).wrong == ("w2",)


@needs_torch
def test_a_parameter_that_got_no_gradient_is_found() -> None:
    module = small(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    X, Y = data()
    nn.MSELoss()(module(X), Y).backward()
    module[0].bias.grad = None
    verdict = check_module(module, nn.MSELoss(), X, Y)
    assert [(finding.bug, finding.parameters) for finding in verdict.findings] == [("no-gradient", ("b1",))]


# what is refused -----------------------------------------------------------------------------------


@needs_torch
@pytest.mark.parametrize(
    ("parts", "says"),
    [
        (lambda: [nn.Linear(3, 2), nn.BatchNorm1d(2)], r"1 \(BatchNorm1d\): not one of the layers that can be checked"),
        (lambda: [nn.Linear(3, 2), nn.GELU(approximate="tanh")], r"1 \(GELU\): only GELU\(approximate='none'\)"),
        (lambda: [nn.Linear(3, 2), nn.LeakyReLU(0.2)], r"1 \(LeakyReLU\): only LeakyReLU\(0.01\)"),
        (lambda: [nn.Linear(3, 2), nn.ELU(0.5)], r"only ELU\(alpha=1\)"),
        (lambda: [nn.Linear(3, 2), nn.Softplus(2)], r"only Softplus\(beta=1\)"),
        (lambda: [nn.Linear(3, 2), nn.Dropout(0.5)], r"1 \(Dropout\): random while the model trains; call model.eval"),
        (lambda: [nn.Linear(3, 2), nn.ReLU(), nn.Tanh()], r"2 \(Tanh\): a second activation after '1'"),
        (lambda: [nn.ReLU(), nn.Linear(3, 2)], r"0 \(ReLU\): comes before any Linear"),
        (lambda: [nn.Linear(3, 2), nn.Linear(3, 2)], r"1 \(Linear\): takes 3 inputs, but 0 before it has 2 outputs"),
        (lambda: [nn.Linear(3, 2), nn.Flatten()], r"1 \(Flatten\): only before the first Linear"),
        (lambda: [nn.Linear(3, 4), nn.Softmax(1), nn.Linear(4, 2)], "softmax inside the network"),
        (lambda: [nn.Linear(3, 2), nn.Softmax(1)], "softmax does not go with MSELoss"),
        (lambda: [nn.Linear(3, 2), nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))], r"1 \(Parametrized"),
        (lambda: [nn.Identity()], "has no Linear"),
        (lambda: [nn.Linear(3, 2), tanh_with(lambda g, a: g)], "meant={'1': 'tanh'}"),
    ],
)
def test_a_layer_that_cannot_be_read_is_named(parts: Any, says: str) -> None:
    X, Y = data()
    with pytest.raises(InputError, match=says):
        check_module(nn.Sequential(*parts()).double(), nn.MSELoss(), X, Y)


@needs_torch
@pytest.mark.parametrize(
    ("end", "loss", "says"),
    [
        ("Softmax", lambda: nn.CrossEntropyLoss(), "a second time here"),
        ("Identity", lambda: nn.NLLLoss(), r"put LogSoftmax\(dim=1\) at its end"),
        ("Identity", lambda: nn.BCELoss(), "BCELoss takes probabilities"),
        ("Sigmoid", lambda: nn.BCEWithLogitsLoss(), "makes sigmoid of them itself"),
        ("Identity", lambda: nn.PoissonNLLLoss(log_input=False), "log_input=True"),
        ("Identity", lambda: nn.HuberLoss(delta=2.0), "changes from square to line at 1"),
        ("Identity", lambda: nn.L1Loss(), "not one of those that can be checked"),
        ("Identity", lambda: lambda a, y: a, "not one of those that can be checked"),
        ("Identity", lambda: nn.MSELoss(reduction="none"), "reduction"),
        ("Identity", lambda: nn.BCEWithLogitsLoss(pos_weight=torch.ones(2)), "leave weight and pos_weight out"),
    ],
)
def test_a_loss_that_cannot_be_read_is_refused(end: str, loss: Any, says: str) -> None:
    X, Y = data()
    module = small(nn.Linear(3, 2), *([nn.Softmax(1)] if end == "Softmax" else [getattr(nn, end)()]))
    with pytest.raises(InputError, match=says):
        check_module(module, loss(), X, Y.abs().clamp(max=1))


@needs_torch
def test_shapes_that_pytorch_would_broadcast_are_refused() -> None:
    module = small(nn.Linear(3, 1))
    X, Y = data(n_L=1)
    with pytest.raises(InputError, match=r"Y.unsqueeze\(1\)"):
        check_module(module, nn.MSELoss(), X, Y[:, 0])
    with pytest.raises(InputError, match=r"X.unsqueeze\(0\)"):
        check_module(module, nn.MSELoss(), X[0], Y[:1])
    with pytest.raises(InputError, match="the class of example 1 is 7; classes here are 0 to 1"):
        check_module(small(nn.Linear(3, 2)), nn.CrossEntropyLoss(), X, torch.tensor([0, 7, 1, 1, 0, 0]))


@needs_torch
def test_names_are_those_of_the_module() -> None:
    module = small(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    X, Y = data()
    with pytest.raises(InputError, match=r"'0.weights' is no parameter of this model. Did you mean '0.weight'"):
        check_module(module, nn.MSELoss(), X, Y, gradients={"0.weights": torch.zeros(4, 3)})
    with pytest.raises(InputError, match=r"'0.bias', '2.weight', '2.bias' missing"):
        check_module(module, nn.MSELoss(), X, Y, gradients={"0.weight": torch.zeros(4, 3)})
    with pytest.raises(InputError, match=r"meant: '7' is no module of this model"):
        check_module(module, nn.MSELoss(), X, Y, meant={"7": "tanh"})


@needs_torch
def test_a_forward_that_is_something_else_is_refused() -> None:
    X, Y = data()
    module = small(nn.Linear(3, 4), tanh_with(lambda g, a: g * (1 - a * a)), nn.Linear(4, 2))
    with pytest.raises(InputError, match="1: is not sigmoid on its way forward"):
        check_module(module, nn.MSELoss(), X, Y, meant={"1": "sigmoid"})
    module = small(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    module[0].register_forward_hook(lambda m, inputs, output: output + 1)
    with pytest.raises(InputError, match="0: does not compute x·weightᵀ"):
        check_module(module, nn.MSELoss(), X, Y)


@needs_torch
def test_tf32_has_its_own_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both factors of every product cut to 10 bits, as a GPU may: right as tf32, wrong as float32."""

    class Cut(torch.autograd.Function if torch else object):  # pyright: ignore
        @staticmethod
        def forward(ctx: Any, x: Any, w: Any, b: Any) -> Any:
            ctx.save_for_backward(x, w)
            return cut(x) @ cut(w).T + b

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
            x, w = ctx.saved_tensors
            return cut(g) @ cut(w), cut(g).T @ cut(x), g.sum(0)

    def cut(x: Any) -> Any:
        return (x.contiguous().view(torch.int32) & ~0x1FFF).view(torch.float32)

    for seed in range(40):
        torch.manual_seed(seed)
        module = nn.Sequential(nn.Linear(30, 40), nn.Tanh(), nn.Linear(40, 5))
        X, Y = torch.randn(64, 30), torch.randn(64, 5)
        a = torch.tanh(Cut.apply(X, module[0].weight, module[0].bias))
        nn.MSELoss()(Cut.apply(a, module[2].weight, module[2].bias), Y).backward()
        assert check_module(module, nn.MSELoss(), X, Y, precision="tf32").ok
        assert not check_module(module, nn.MSELoss(), X, Y, precision="float32").ok
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("high")
        assert check_module(module, nn.MSELoss(), X, Y).precision == "tf32"  # pyright: ignore
    finally:
        torch.set_float32_matmul_precision(before)


def test_chainrule_is_imported_without_pytorch() -> None:
    import subprocess

    code = "import sys, chainrule; chainrule.check_module; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)

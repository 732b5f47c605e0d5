"""Each activation and its derivative against mpmath, out to where nothing is left of them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from oracles.multiprecision import exact, mp

from chainrule.calculus.activation import (
    ACTIVATIONS,
    log_sigmoid,
    log_sigmoid_derivative,
    log_softmax,
    log_softplus,
    log_softplus_derivative,
    normal_cdf,
    softmax,
    softmax_jacobian,
    sum_of_others,
)

Array = np.ndarray[Any, Any]
Float = type[np.floating[Any]]

ULPS = 8
"""No formula here makes more than eight roundings, each of at most one eps of the term that is rounded.

Where a factor underflows, η is lost, the smallest subnormal, and |z|·η of silu and gelu, which multiply by z.
"""


@pytest.fixture(autouse=True)
def sixty_digits() -> Iterator[None]:
    with mp.workdps(60):
        yield


def s(z: Any) -> Any:
    return 1 / (1 + mp.exp(-z))


def softplus(z: Any) -> Any:
    return mp.log1p(mp.exp(z))


VALUES: Mapping[str, Callable[[Any], Any]] = {
    "identity": lambda z: z,
    "sigmoid": s,
    "tanh": mp.tanh,
    "relu": lambda z: max(z, mp.mpf(0)),
    "leaky-relu": lambda z: z if z > 0 else z / 100,
    "elu": lambda z: z if z > 0 else mp.expm1(z),
    "softplus": softplus,
    "silu": lambda z: z * s(z),
    "gelu": lambda z: z * mp.ncdf(z),
    "exp": mp.exp,
}
DERIVATIVES: Mapping[str, Callable[[Any], Any]] = {
    "identity": lambda z: mp.mpf(1),
    "sigmoid": lambda z: s(z) * s(-z),
    "tanh": lambda z: mp.sech(z) ** 2,
    "relu": lambda z: mp.mpf(int(z > 0)),
    "leaky-relu": lambda z: mp.mpf(1) if z > 0 else mp.mpf(1) / 100,
    "elu": lambda z: mp.exp(min(z, mp.mpf(0))),
    "softplus": s,
    "silu": lambda z: s(z) * (1 + z * s(-z)),
    "gelu": lambda z: mp.ncdf(z) + z * mp.npdf(z),
    "exp": mp.exp,
}
SLOPE_TERMS: Mapping[str, Callable[[Any], Any]] = {
    "silu": lambda z: s(z) * (1 + abs(z) * s(-z)),
    "gelu": lambda z: mp.ncdf(z) + abs(z) * mp.npdf(z),
}
DTYPES: list[Float] = [np.float64, np.float32]


def points(dtype: Float, most: float) -> Array:
    """Both tails, both zeros, subnormals, and many points between."""
    random = np.random.default_rng(0)
    number = np.finfo(dtype)
    least = -700.0 if dtype is np.float64 else -100.0
    tiny, η = float(number.tiny), float(number.smallest_subnormal)
    edges = np.array([0.0, -0.0, tiny, -tiny, η, -η, least, most])
    near = random.choice([-1, 1], 20) * 10 ** random.uniform(-30, 0, 20)
    middle = np.concatenate([random.normal(0, 1, 60), random.uniform(-40, 40, 60), random.uniform(least, most, 60)])
    return np.concatenate([edges, near, middle]).astype(dtype)


def most(name: str, dtype: Float) -> float:
    """The end of the right tail: ±700 in float64, ±100 in float32, but e^z must be a float32."""
    return 700 if dtype is np.float64 else 88 if name == "exp" else 100


def check(
    got: Array,
    z: Array,
    reference: Callable[[Any], Any],
    dtype: Float,
    magnitude: Callable[[Any], Any] | None = None,
) -> None:
    """|got − reference| ≤ ULPS·eps·magnitude + (ULPS + |z|)·η for every z; magnitude is |reference| if not given."""
    eps, η = exact(np.finfo(dtype).eps), exact(np.finfo(dtype).smallest_subnormal)
    assert got.dtype == dtype
    assert got.shape == z.shape
    for at, found in zip(map(exact, z), map(exact, got), strict=True):
        wanted = reference(at)
        size = abs(wanted) if magnitude is None else magnitude(at)
        assert abs(found - wanted) <= ULPS * eps * size + (ULPS + abs(at)) * η, f"at {at}: {found}, not {wanted}"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", VALUES)
def test_activation_is_exact_to_eight_ulp(name: str, dtype: Float) -> None:
    z = points(dtype, most(name, dtype))
    check(ACTIVATIONS[name].value(z), z, VALUES[name], dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivative_is_exact_to_eight_ulp_of_its_terms(name: str, dtype: Float) -> None:
    """Only silu′ and gelu′ are sums of terms of either sign; for the others this is eight ulp of the value."""
    z = points(dtype, most(name, dtype))
    check(ACTIVATIONS[name].derivative(z), z, DERIVATIVES[name], dtype, SLOPE_TERMS.get(name))


LOG_FORMS: Mapping[str, tuple[Callable[[Array], Array], Callable[[Any], Any]]] = {
    "ln sigmoid": (log_sigmoid, lambda z: -softplus(-z)),
    "(ln sigmoid)′": (log_sigmoid_derivative, lambda z: s(-z)),
    "ln softplus": (log_softplus, lambda z: mp.log(softplus(z))),
    "(ln softplus)′": (log_softplus_derivative, lambda z: s(z) / softplus(z)),
    "Φ": (normal_cdf, mp.ncdf),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LOG_FORMS)
def test_logarithmic_form_keeps_its_digits_in_both_tails(name: str, dtype: Float) -> None:
    form, reference = LOG_FORMS[name]
    z = points(dtype, 700 if dtype is np.float64 else 100)
    # ln of a number that is off by eps is itself off by eps, however small it is: ln softplus is 0 at z = 0.54
    least = 1 if name == "ln softplus" else 0
    check(form(z), z, reference, dtype, magnitude=lambda z: abs(reference(z)) + least)


def test_logarithms_are_the_logarithms_of_their_activations() -> None:
    z = np.linspace(-20, 20, 41)
    for activation in ACTIVATIONS.values():
        if activation.log is not None and activation.elementwise:
            assert activation.log_derivative is not None
            # ln a is off by what a is off by, eight eps, and by as much of itself
            bound = 8 * np.finfo(np.float64).eps
            np.testing.assert_allclose(activation.log(z), np.log(activation.value(z)), rtol=bound, atol=2 * bound)
            slope = activation.derivative(z) / activation.value(z)
            np.testing.assert_allclose(activation.log_derivative(z), slope, rtol=4 * bound)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_derivative_at_a_kink_is_the_one_from_the_left(zero: float, dtype: Float) -> None:
    z = np.array([zero], dtype)
    assert {name for name, activation in ACTIVATIONS.items() if activation.kinks} == {"relu", "leaky-relu"}
    for name, slope in (("relu", 0), ("leaky-relu", dtype(0.01)), ("elu", 1)):
        activation = ACTIVATIONS[name]
        assert activation.derivative(z)[0] == slope
        assert all(kink == 0 for kink in activation.kinks)
        assert bool(activation.at_kink) == bool(activation.kinks)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_leaves_its_argument_alone_and_returns_a_new_array(name: str, dtype: Float) -> None:
    z = np.array([[-1.0, 0.0, 2.0]], dtype)
    before = z.copy()
    for f in (ACTIVATIONS[name].value, ACTIVATIONS[name].derivative):
        result = f(z)
        assert result.dtype == dtype
        result += 1
        assert (z == before).all()


def test_exp_beyond_the_dtype_is_infinite_without_a_warning() -> None:
    assert ACTIVATIONS["exp"].value(np.array([710.0]))[0] == np.inf
    assert ACTIVATIONS["exp"].value(np.array([89.0], np.float32))[0] == np.inf


# softmax -------------------------------------------------------------------------------------------

ROWS = [
    [0.3],
    [0.0, 0.0],
    [1.0, -2.0, 0.5, 3.0],
    [700.0, -700.0, 0.0],
    [-40.0, 40.0, 39.0],
    [650.0, 650.0, -3.0, 649.0],
]


def below_top(z: Array) -> Array:
    """z_m − z_j, m the largest: e^(z_j − z_m) is off by as many eps, since z_j − z_m is rounded."""
    return z.max() - z


@pytest.mark.parametrize("row", ROWS)
def test_softmax_is_exact_to_the_rounding_of_its_differences(row: list[float]) -> None:
    z = np.array(row)
    e = [mp.exp(exact(z_j)) for z_j in z]
    eps = np.finfo(np.float64).eps
    for got, e_j, d in zip(softmax(z), e, below_top(z), strict=True):
        reference = e_j / sum(e)
        bound = (ULPS + len(row) + d + below_top(z)[below_top(z) < 40].max()) * eps  # e^(−40) is below eps
        assert abs(exact(got) - reference) <= bound * abs(reference) + mp.mpf("5e-324")


@pytest.mark.parametrize("row", ROWS)
def test_log_softmax_keeps_its_digits_where_softmax_is_almost_one(row: list[float]) -> None:
    z = np.array(row)
    e = [mp.exp(exact(z_j)) for z_j in z]
    d, m = below_top(z), int(z.argmax())
    # eight eps of the result, and what the others are off by
    others = sum((ULPS + len(row) + d[k]) * np.exp(-d[k]) for k in range(len(row)) if k != m)
    with mp.workdps(700):
        for j, got in enumerate(log_softmax(z)):
            reference = exact(z[j]) - exact(z[m]) - mp.log1p(sum(e_k for k, e_k in enumerate(e) if k != m) / e[m])
            bound = np.finfo(np.float64).eps * (ULPS * abs(reference) + others) + mp.mpf("5e-324")
            assert abs(exact(got) - reference) <= bound


@pytest.mark.parametrize("row", ROWS)
def test_softmax_jacobian_is_that_of_mpmath_and_its_columns_sum_to_zero(row: list[float]) -> None:
    z = np.array(row)
    J = softmax_jacobian(z)
    n, eps = len(row), np.finfo(np.float64).eps
    assert J.shape == (n, n)
    with mp.workdps(700):  # so that 1 − a may be taken literally
        e = [mp.exp(exact(z_j)) for z_j in z]
        a = [e_j / sum(e) for e_j in e]
        for j in range(n):
            for k in range(n):
                reference = a[j] * ((j == k) - a[k])
                bound = 2 * (ULPS + n + below_top(z).max()) * eps  # two factors of a
                assert abs(exact(J[j, k]) - reference) <= bound * abs(reference) + mp.mpf("1e-323")
    np.testing.assert_allclose(J.sum(axis=0), 0, atol=2 * n * eps)


def test_softmax_jacobian_of_a_stack_is_the_stack_of_jacobians() -> None:
    z = np.random.default_rng(3).normal(size=(2, 3, 4))
    stack = softmax_jacobian(z)
    assert stack.shape == (2, 3, 4, 4)
    for i in np.ndindex(2, 3):
        assert (stack[i] == softmax_jacobian(z[i])).all()


def test_sum_of_others_keeps_what_a_difference_would_lose() -> None:
    others = sum_of_others(np.array([1.0, 1e-200, 1e-300]))
    assert others.tolist() == [1e-200, 1.0, 1.0]
    assert sum_of_others(np.array([5.0])).tolist() == [0.0]

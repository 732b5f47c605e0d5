"""The gradient is exact: over random networks no entry is further from an oracle than rounding can take it.

``pytest tests/test_exactness.py --networks 10000`` tries that many; the default is 300. The bound, ROUNDINGS·eps·
Σ|terms over all paths|, is derived in oracles/terms.py.
"""

from functools import cache
from typing import Any

import numpy as np
import pytest
from oracles.complex_step import STEP, VALUES, WIDE, complex_step
from oracles.multiprecision import VALUES as MP_VALUES
from oracles.multiprecision import difference, exact, mp, multiprecision
from oracles.networks import COMBINATIONS, Case, random_case
from oracles.terms import EPS32, EPS64, faults, normwise_faults, reachable, roundings, terms

from chainrule.calculus.gradient import gradient

Array = np.ndarray[Any, Any]

CHUNK = 50

needs_wide = pytest.mark.skipif(not WIDE, reason="the complex-step oracle needs an 80-bit longdouble")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seeds" in metafunc.fixturenames:
        n: int = metafunc.config.option.networks
        chunks = [range(start, min(start + CHUNK, n)) for start in range(0, n, CHUNK)]
        metafunc.parametrize("seeds", chunks, ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")


def strict_gradient(case: Case) -> tuple[float, Array]:
    """C and ∇C of the package, where an overflow, a NaN or a division by 0 is an error."""
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        C, nabla_C = gradient(case.parameters, case.X, case.Y, case.weights)
    assert np.isfinite(C)
    assert np.isfinite(nabla_C.vector).all()
    return C, nabla_C.vector


def entry_faults(case: Case, C: float, nabla_C: Array, C_ref: Any, nabla_C_ref: Array) -> list[str]:
    limits = terms(case.parameters, case.X, case.Y, case.weights)
    return [f"{case}: {fault}" for fault in faults(C, nabla_C, C_ref, nabla_C_ref, limits, EPS64)]


def float64_faults(case: Case, C: float, nabla_C: Array, C_ref: Any, nabla_C_ref: Array) -> list[str]:
    normwise = [f"{case}: {fault}" for fault in normwise_faults(nabla_C, nabla_C_ref)]
    return entry_faults(case, C, nabla_C, C_ref, nabla_C_ref) + normwise


def float32_faults(case: Case, C: float, nabla_C: Array) -> list[str]:
    """Against the float64 gradient of the same float32 numbers."""
    weights = None if case.weights is None else case.weights.astype(np.float64)
    C_ref, reference = gradient(
        case.parameters.astype(np.float64), case.X.astype(np.float64), case.Y.astype(np.float64), weights
    )
    limits = terms(case.parameters, case.X, case.Y, case.weights)
    return [f"{case}: {fault}" for fault in faults(C, nabla_C, C_ref, reference.vector, limits, EPS32)]


@needs_wide
def test_float64_gradient_is_the_complex_step_s_but_for_rounding(seeds: range) -> None:
    found: list[str] = []
    for seed in seeds:
        case = random_case(seed)
        found += float64_faults(
            case, *strict_gradient(case), *complex_step(case.parameters, case.X, case.Y, case.weights)
        )
    assert not found, "\n".join(found)


@needs_wide
def test_entries_keep_their_bounds_where_float64_does_not_determine_the_norm(seeds: range) -> None:
    found: list[str] = []
    for seed in seeds:
        case = random_case(seed, within_reach=False)
        found += entry_faults(
            case, *strict_gradient(case), *complex_step(case.parameters, case.X, case.Y, case.weights)
        )
    assert not found, "\n".join(found)


@needs_wide
def test_float32_gradient_is_float64_s_but_for_rounding(seeds: range) -> None:
    found: list[str] = []
    for seed in seeds:
        case = random_case(seed, np.float32)
        found += float32_faults(case, *strict_gradient(case))
    assert not found, "\n".join(found)


@cache
def multiprecision_of(seed: int) -> tuple[Any, Array]:
    case = random_case(seed)
    return multiprecision(case.parameters, case.X, case.Y, case.weights)


@pytest.mark.parametrize("seed", range(0, 300, 15))
def test_float64_gradient_is_the_1100_digit_one_but_for_rounding(seed: int) -> None:
    case = random_case(seed)
    found = float64_faults(case, *strict_gradient(case), *multiprecision_of(seed))
    assert not found, "\n".join(found)


# the oracles themselves ----------------------------------------------------------------------------


def test_300_networks_have_every_legal_output_with_and_without_each_penalty_and_weights() -> None:
    cases = [random_case(seed) for seed in range(300)]
    pairs = {(cost, last) for cost, last, _, _ in COMBINATIONS}
    assert len(pairs) == 44
    settings = {
        (case.network.cost, case.network.activation[-1], *setting)
        for case in cases
        for setting in (
            ("l1", case.network.l1 > 0), ("l2", case.network.l2 > 0), ("weighted", case.weights is not None),
        )
    }  # fmt: skip
    assert settings == {
        (*pair, name, on) for pair in pairs for name in ("l1", "l2", "weighted") for on in (False, True)
    }
    assert len({case.network.activation[0] for case in cases if case.network.depth > 1}) == len(VALUES)
    assert {len(case.X) for case in cases} == set(range(1, 9))
    assert {case.network.depth for case in cases} == set(range(1, 7))


def test_the_networks_beyond_normwise_reach_are_among_those_whose_entries_are_held() -> None:
    beyond = 0
    for seed in range(300):
        case = random_case(seed, within_reach=False)
        beyond += not reachable(strict_gradient(case)[1], terms(case.parameters, case.X, case.Y, case.weights))
    assert 0 < beyond < 30


def test_560_seeds_have_every_combination() -> None:
    """Legal output × penalties × weighting; 560 seeds because every cost is equally frequent."""
    assert len(COMBINATIONS) == 560
    assert len(set(COMBINATIONS)) == 44 * 4 * 2


@needs_wide
@pytest.mark.parametrize("name", VALUES)
def test_complex_step_of_an_activation_is_mpmath_s_derivative(name: str) -> None:
    random = np.random.default_rng(1)
    ends = [-700, -38.4, -1e-8, 1e-8, 38.4, 700]
    points = np.concatenate([ends, random.normal(0, 1, 12), random.uniform(-40, 40, 12)])
    values = VALUES[name](points + 1j * STEP)
    with mp.workdps(1100):
        for z, got in zip(points, values, strict=True):
            σ = MP_VALUES[name]
            for what, reference in ((got.real, σ(exact(z))), (got.imag / STEP, difference(σ, exact(z)))):
                # 80-bit numbers have 19 digits; e^(−z²/2) and the zeros of silu′ and gelu′ may take three.
                # The difference itself is good to 1e-300 where σ is of order 1.
                assert abs(exact(what) - reference) <= 1e-16 * abs(reference) + mp.mpf("1e-299")


@needs_wide
@pytest.mark.parametrize("seed", range(0, 300, 15))
def test_the_two_oracles_agree_far_below_the_bound(seed: int) -> None:
    case = random_case(seed)
    C, nabla_C = complex_step(case.parameters, case.X, case.Y, case.weights)
    C_mp, nabla_C_mp = multiprecision_of(seed)
    limits = terms(case.parameters, case.X, case.Y, case.weights)
    # one eps of float64 is 2048 of longdouble's
    assert roundings(C, C_mp, limits.cost, EPS64) <= 1
    assert (roundings(nabla_C, nabla_C_mp, limits.gradient, EPS64) <= 1).all()

"""The line to change is right: executed with a case's numbers it gives the exact array, for every mistake."""

import re
from dataclasses import replace
from functools import cache
from statistics import NormalDist
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from oracles.planted import ELEMENTWISE, LAST, Problem, places, planted_in, random_problem

import chainrule as cr
from chainrule.checking.calculation import Calculation
from chainrule.checking.case import Case
from chainrule.checking.mistake import Fitted, Mistake, catalogue
from chainrule.checking.right_line import line_of, δ_line

Array = np.ndarray[Any, Any]
IN_WORDS = {
    "another-activation", "classes-permuted", "kink-convention", "labels-inverted", "labels-permuted",
    "labels-shifted", "labels-shuffled", "labels-swapped", "layers-reversed", "updated-weights",
}  # fmt: skip
"""Mistakes whose remedy is no line of the gradient."""


def case_of(q: Problem) -> Case:
    network = cr.Network(q.sizes, q.f[1:], q.cost, q.l1, q.l2)
    arrays = {f"{letter}{l}": p for letter, ps in (("w", q.w), ("b", q.b)) for l, p in ps.items()}
    model = cr.Model(cr.ParameterVector.from_arrays(network, arrays))
    earlier = cr.ParameterVector.from_arrays(network, q.earlier)
    return Case.of(model, model.examples(q.X, q.Y, q.s)).but(earlier=earlier)


@cache
def cases() -> list[tuple[Problem, Case]]:
    """60 problems with and without a penalty and weights, of one example and of more, in turn."""
    found: list[tuple[Problem, Case]] = []
    for seed in range(60):
        random = np.random.default_rng([seed, 11])
        q = random_problem(random, square=seed % 3 == 0)
        n = 1 if seed % 5 == 0 else q.n
        s = random.uniform(0.5, 2, n) if seed % 2 else None
        l1, l2 = 0.01 * (seed % 4 > 1), 0.02 * (seed % 3 > 0)
        q = replace(q, X=q.X[:n], Y=q.Y[:n], s=s, l1=l1, l2=l2)
        found.append((q, case_of(q)))
    return found


def exact(case: Case, name: str) -> Array:
    """Of an assigned name, such as dw1, δ2 or dC_da1."""
    kind, l = re.fullmatch(r"(\D+?)(\d*)", name).groups()  # pyright: ignore[reportOptionalMemberAccess]
    calculation = Calculation(case)
    ways = {"dw": calculation.w, "db": calculation.b, "δ": calculation.δ, "dC_da": calculation.dC_da}
    ways |= {"z": lambda l: case.trace.z[l], "a": lambda l: case.trace.a[l], "Y": lambda l: case.Y}
    return ways[kind](int(l or 0))


def normal(f: Any) -> Any:
    return np.vectorize(f, otypes=[float])


def assigned(line: str, case: Case) -> dict[str, Array]:
    """What a line assigns, executed with the numbers of the case."""
    calculation = Calculation(case)
    norm = SimpleNamespace(cdf=normal(NormalDist().cdf), pdf=normal(NormalDist().pdf))
    l1, l2 = case.network.l1, case.network.l2
    names: dict[str, Any] = {"np": np, "norm": norm, "X": case.X, "Y": case.Y, "s": case.weights, "l1": l1, "l2": l2}
    names["labels"] = case.Y.argmax(axis=1)
    for l in case.layers:
        names |= {f"w{l}": case.p.w[l], f"b{l}": case.p.b[l], f"z{l}": case.trace.z[l], f"a{l}": case.trace.a[l]}
        names[f"δ{l}"] = calculation.δ(l)
    targets = re.findall(r"(?:^|;)\s*(\w+) = ", line)
    for target in targets:
        names.pop(target, None)
    exec(line, names)
    return {target: names[target] for target in targets}


def assert_right(line: str, case: Case) -> None:
    results = assigned(line, case)
    assert results, line
    for name, array in results.items():
        right = exact(case, name)
        assert array.shape == right.shape, line
        assert np.abs(array - right).max() <= 1e-9 * max(1.0, float(np.abs(right).max())), line


@pytest.mark.parametrize("cost", LAST)
@pytest.mark.parametrize("hidden", ELEMENTWISE)
def test_the_right_lines_compute_the_gradient_for_every_activation_and_cost(hidden: str, cost: str) -> None:
    for at, last in enumerate(LAST[cost]):
        random = np.random.default_rng(at)
        w = {1: random.normal(size=(3, 2)), 2: random.normal(size=(2, 3))}
        b = {1: random.normal(size=3), 2: random.normal(size=2)}
        for n, weighted, l1, l2 in (
            (1, False, 0.0, 0.0),
            (4, False, 0.1, 0.0),
            (5, True, 0.0, 0.2),
            (3, True, 0.1, 0.2),
        ):
            s = random.uniform(0.5, 2, n) if weighted else None
            X, Y = random.normal(size=(n, 2)), np.eye(2)[random.integers(2, size=n)]
            case = case_of(
                Problem(
                    ["", hidden, last], cost, w, b, X, Y, s, l1, l2, {"w1": w[1], "b1": b[1], "w2": w[2], "b2": b[2]}
                )
            )
            for l in case.layers:
                for line in (line_of(f"w{l}", case), line_of(f"b{l}", case), δ_line(case, l)):
                    assert_right(line, case)
                    assert "a0" not in line
                    assert "/ 1 " not in f"{line} "


def made(kind: type[Mistake], q: Problem, case: Case) -> list[Mistake]:
    """The mistake wherever it can be made in a problem."""
    if not issubclass(kind, Fitted):
        return list(kind.sites(case, {}))
    random = np.random.default_rng(0)
    wrong = [planted_in(q, planted) for planted in places(kind.name, q, random)]
    return [m for given in wrong if given is not None for m in kind.fits(Calculation(case), given)]


@pytest.mark.parametrize("kind", catalogue(), ids=lambda kind: kind.name)
@np.errstate(all="ignore")
def test_the_line_to_change_is_right(kind: type[Mistake]) -> None:
    tried = 0
    for q, case in cases():
        for mistake in made(kind, q, case):
            line = mistake.line(case)
            assert "{" not in line
            assert "{" not in mistake.said(case)
            code = line.partition("    #")[0]
            assert "{" not in code
            if kind.name not in IN_WORDS:
                assert_right(code, case)
            tried += 1
    assert tried or kind.convention

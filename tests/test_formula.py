"""The formulas that are printed are the functions that are computed, and their derivatives are right by SymPy, too."""

import numpy as np
import pytest

import chainrule
from chainrule.calculus.activation import ACTIVATIONS
from chainrule.errors import InputError, MissingExtraError

sympy = pytest.importorskip("sympy", reason="the extra formulas is not installed")

ELEMENTWISE = [name for name, σ in ACTIVATIONS.items() if σ.elementwise]
POINTS = np.array([-5.3, -1.7, -0.4, 0.3, 1.1, 4.9])
TOLERANCE = 1e-13  # 30-digit values against float64 ones of a few operations each, none of them at a zero of σ′


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_printed_formula_is_the_function_that_is_computed(name: str) -> None:
    σ = ACTIVATIONS[name]
    z = sympy.Symbol("z", real=True)
    for expression, computed in zip(chainrule.formula(name), (σ.value, σ.derivative), strict=True):
        exact = [float(expression.subs(z, sympy.Float(str(point), 30)).evalf(30)) for point in POINTS.tolist()]
        assert computed(POINTS) == pytest.approx(exact, rel=TOLERANCE)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_sympy_derives_the_printed_derivative_from_the_printed_formula(name: str) -> None:
    z = sympy.Symbol("z", real=True)
    value, derivative = chainrule.formula(name)
    for point in POINTS.tolist():
        at = {z: sympy.Float(str(point), 30)}
        derived = sympy.diff(value, z).subs(at).doit().evalf(30)
        assert float(derivative.subs(at).evalf(30)) == pytest.approx(float(derived), rel=TOLERANCE)


def test_what_has_no_formula_in_one_z_is_refused() -> None:
    with pytest.raises(InputError, match="not a function of one z"):
        chainrule.formula("softmax")
    with pytest.raises(InputError, match="Did you mean 'gelu'"):
        chainrule.formula("gelo")


def test_without_sympy_the_install_command_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        return None

    monkeypatch.setattr("chainrule.calculus.formula.find_spec", missing)
    with pytest.raises(MissingExtraError, match=r"chainrule\[formulas\]"):
        chainrule.formula("tanh")

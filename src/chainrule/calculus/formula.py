"""The printed formulas as SymPy expressions: to typeset, plot, simplify, or differentiate by other means.

SymPy is imported here and nowhere else, where it is used. It has no type information of its own.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingImports=false, reportUnknownLambdaType=false

import re
from importlib.util import find_spec
from typing import Any

from chainrule.calculus.activation import ACTIVATIONS
from chainrule.checks import known
from chainrule.errors import InputError, MissingExtraError

_SPELLINGS = (
    ("−", "-"),
    ("·", "*"),
    ("cosh² z", "cosh(z)**2"),
    ("tanh z", "tanh(z)"),
    ("e^z", "exp(z)"),
    ("e^(", "exp("),
    (", s = sigmoid", ""),
)


def formula(activation: str) -> tuple[Any, Any]:
    """σ(z) and σ′(z) of an activation as SymPy expressions in the real symbol z, read from the formulas we print.

    ``sympy.latex`` typesets them and ``sympy.diff`` derives the first anew. Raises InputError for an unknown name or
    softmax, which is no function of one z, and MissingExtraError without SymPy.
    """
    σ = ACTIVATIONS[known("activation", activation, ACTIVATIONS)]
    if not σ.elementwise:
        raise InputError(f"activation: {activation!r} is not a function of one z")
    if find_spec("sympy") is None:
        raise MissingExtraError("formulas need SymPy: pip install 'chainrule[formulas]'")
    return _expression(σ.formula), _expression(σ.derivative_formula)


def _expression(text: str) -> Any:
    import sympy

    z = sympy.Symbol("z", real=True)
    names = {
        "z": z,
        "max": sympy.Max,
        "ln": sympy.log,
        "σ": lambda x: 1 / (1 + sympy.exp(-x)),
        "s": lambda x: 1 / (1 + sympy.exp(-x)),
        "Φ": lambda x: (1 + sympy.erf(x / sympy.sqrt(2))) / 2,
        "φ": lambda x: sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi),
    }
    for ours, theirs in _SPELLINGS:
        text = text.replace(ours, theirs)
    if match := re.fullmatch(r"(.+) if (.+) else (.+)", text):
        yes, condition, no = (sympy.parse_expr(part, names) for part in match.groups())
        return sympy.Piecewise((yes, condition), (no, True))
    return sympy.parse_expr(text, names)

"""The activations and costs of a program that proves a derivative, with their derivatives: source text in decimals.

$L is the last layer; $a, $y and $z are an output, its target and its z.
"""

from collections.abc import Mapping

# the activations -----------------------------------------------------------------------------------

HELPERS = {
    "expm1": '''
def expm1(z):
    """e^z − 1 with all its digits also where e^z is near 1."""
    with localcontext() as context:
        if z.adjusted() < -context.prec:
            return z + z * z / 2
        context.prec += max(0, -z.adjusted())
        return z.exp() - 1
''',
    "ln1p": '''
def ln1p(e):
    """ln(1 + e) with all its digits also where e is tiny."""
    with localcontext() as context:
        if e.adjusted() < -context.prec:
            return e - e * e / 2
        context.prec += max(0, -e.adjusted())
        return (1 + e).ln()
''',
    "sigmoid": '''
def sigmoid(z):
    """1/(1 + e^(−z))"""
    e = (-abs(z)).exp()
    return (1 if z >= 0 else e) / (1 + e)
''',
    "normal": '''
def normal(z):
    """Φ(z) and φ(z), the normal distribution function and density."""
    if abs(z) > 40:  # what is left out is less than 1e-349, and float64 ends at 5e-324
        return Decimal(int(z > 0)), Decimal(0)
    with localcontext() as context:
        context.Emin, context.Emax = MIN_EMIN, MAX_EMAX
        context.prec += 10 + int(z * z / 4)  # for the digits that ½ − … cancels at the far left
        density = (-z * z / 2).exp() / (2 * pi()).sqrt()
        term, total, n = z, Decimal(0), 1
        while total != total + term:  # Φ(z) = ½ + φ(z)·(z + z³/3 + z⁵/(3·5) + …)
            total, n = total + term, n + 2
            term *= z * z / n
        return Decimal("0.5") + density * total, density
''',
    "pi": '''
def pi():
    """π by the arithmetic-geometric mean of Gauss and Legendre."""
    a, b, t, p = Decimal(1), Decimal("0.5").sqrt(), Decimal("0.25"), 1
    while 4 * p < 8 * getcontext().prec:  # each step doubles the digits
        a, b, t, p = (a + b) / 2, (a * b).sqrt(), t - p * ((a - b) / 2) ** 2, 2 * p
    return (a + b) ** 2 / (4 * t)
''',
}

VALUES = {
    "identity": '''
def identity(z):
    """σ(z) = z"""
    return z
''',
    "sigmoid": HELPERS["sigmoid"],
    "tanh": '''
def tanh(z):
    """σ(z) = (e^z − e^(−z))/(e^z + e^(−z))"""
    m = expm1(-2 * abs(z))
    return (-m / (2 + m)).copy_sign(z)
''',
    "relu": '''
def relu(z):
    """σ(z) = max(z, 0)"""
    return z if z > hair else Decimal(0)
''',
    "leaky-relu": '''
def leaky_relu(z):
    """σ(z) = z for z > 0, else 0.01·z"""
    return z if z > hair else z * Decimal(0.01)
''',
    "elu": '''
def elu(z):
    """σ(z) = z for z > 0, else e^z − 1"""
    return z if z > 0 else expm1(z)
''',
    "softplus": '''
def softplus(z):
    """σ(z) = ln(1 + e^z)"""
    return max(z, Decimal(0)) + ln1p((-abs(z)).exp())
''',
    "silu": '''
def silu(z):
    """σ(z) = z/(1 + e^(−z))"""
    return z * sigmoid(z)
''',
    "gelu": '''
def gelu(z):
    """σ(z) = z·Φ(z)"""
    return z * normal(z)[0]
''',
    "exp": '''
def exp(z):
    """σ(z) = e^z"""
    return z.exp()
''',
    "softmax": '''
def softmax(z):
    """a_j = e^(z_j)/Σ_k e^(z_k)"""
    top = max(z)
    e = [(z_j - top).exp() for z_j in z]
    total = sum(e)
    return [e_j / total for e_j in e]
''',
}

SLOPES = {
    "identity": '''
def identity_slope(z):
    """σ′(z) = 1"""
    return Decimal(1)
''',
    "sigmoid": '''
def sigmoid_slope(z):
    """σ′(z) = σ(z)(1 − σ(z)), and 1 − σ(z) = σ(−z)"""
    return sigmoid(z) * sigmoid(-z)
''',
    "tanh": '''
def tanh_slope(z):
    """σ′(z) = 1 − tanh² z = 4/(e^z + e^(−z))²"""
    e = (-2 * abs(z)).exp()
    return 4 * e / (1 + e) ** 2
''',
    "relu": '''
def relu_slope(z):
    """σ′(z) = 1 for z > 0, else 0; at the kink z = 0 the slope from the left"""
    return Decimal(int(z > 0))
''',
    "leaky-relu": '''
def leaky_relu_slope(z):
    """σ′(z) = 1 for z > 0, else 0.01; at the kink z = 0 the slope from the left"""
    return Decimal(1 if z > 0 else 0.01)
''',
    "elu": '''
def elu_slope(z):
    """σ′(z) = 1 for z > 0, else e^z"""
    return min(z, Decimal(0)).exp()
''',
    "softplus": '''
def softplus_slope(z):
    """σ′(z) = 1/(1 + e^(−z))"""
    return sigmoid(z)
''',
    "silu": '''
def silu_slope(z):
    """σ′(z) = s(z)(1 + z·s(−z)) with s the sigmoid"""
    return sigmoid(z) * (1 + z * sigmoid(-z))
''',
    "gelu": '''
def gelu_slope(z):
    """σ′(z) = Φ(z) + z·φ(z)"""
    return normal(z)[0] + z * normal(z)[1]
''',
    "exp": '''
def exp_slope(z):
    """σ′(z) = e^z"""
    return z.exp()
''',
}

CALLED: Mapping[str, tuple[str, ...]] = {
    "tanh": ("expm1",),
    "elu": ("expm1",),
    "softplus": ("ln1p",),
    "softplus_slope": ("sigmoid",),
    "silu": ("sigmoid",),
    "gelu": ("pi", "normal"),
    "binary-cross-entropy of sigmoid": ("sigmoid",),
    "poisson of softplus": ("sigmoid",),
}
"""Which helpers a value, a slope or a cost calls, each after what it calls itself."""

# the costs ----------------------------------------------------------------------------------------

HUBER = '''
def huber(r):
    """r²/2 for |r| ≤ 1, else |r| − ½"""
    return r * r / 2 if abs(r) <= 1 else abs(r) - Decimal("0.5")
'''

COSTS = {
    "squared-error": "sum((a_j - y_j) ** 2 for a_j, y_j in zip(a[$L], y))",
    "half-squared-error": "sum((a_j - y_j) ** 2 for a_j, y_j in zip(a[$L], y)) / 2",
    "mean-squared-error": "sum((a_j - y_j) ** 2 for a_j, y_j in zip(a[$L], y)) / len(y)",
    "huber": "sum(huber(a_j - y_j) for a_j, y_j in zip(a[$L], y))",
    "cross-entropy": "-sum(y_j * a_j.ln() for a_j, y_j in zip(a[$L], y) if y_j)",
    "binary-cross-entropy": "-sum(y_j * sigmoid(z_j).ln() + (1 - y_j) * sigmoid(-z_j).ln() "
    "for z_j, y_j in zip(z[$L], y))",  # 1 − σ(z) keeps its digits as σ(−z)
    "poisson": "sum(a_j - y_j * a_j.ln() for a_j, y_j in zip(a[$L], y))",
}
BINARY_OF_OUTPUTS = """\
-sum(
        (y_j * a_j.ln() if y_j else 0) + ((1 - y_j) * (1 - a_j).ln() if y_j != 1 else 0)
        for a_j, y_j in zip(a[$L], y)
    )"""

DC_DA = {
    "squared-error": "2 * ($a - $y)",
    "half-squared-error": "($a - $y)",
    "mean-squared-error": "2 * ($a - $y) / len(y)",
    "huber": "max(-1, min($a - $y, 1))",
    "cross-entropy": "-$y / $a",
    "binary-cross-entropy": "(1 - $y) / sigmoid(-$z) - $y / $a",
    "poisson": "1 - $y / $a",
}

DC_DZ: Mapping[tuple[str, str], str] = {
    ("cross-entropy", "softmax"): """\
    # ∂C/∂z_j = a_j − y_j, for outputs that are coupled: it is a_j Σ_k y_k − y_j Σ_k a_k, and there k = j cancels.
    outputs = list(enumerate(zip(a[$L], y)))
    dC_dz = [sum(each(a_j * y_k - y_j * a_k) for k, (a_k, y_k) in outputs if k != j) for j, (a_j, y_j) in outputs]
""",
    ("binary-cross-entropy", "sigmoid"): """\
    # ∂C/∂z_j = a_j − y_j, with 1 − a_j as σ(−z_j).
    dC_dz = [(1 - y_j) * sigmoid(z_j) - y_j * sigmoid(-z_j) for z_j, y_j in zip(z[$L], y)]
""",
    ("poisson", "exp"): """\
    # ∂C/∂z_j = (1 − y_j/a_j) σ′(z_j), and here σ′(z_j) = a_j.
    dC_dz = [a_j - y_j for a_j, y_j in zip(a[$L], y)]
""",
    ("poisson", "softplus"): """\
    # ∂C/∂z_j = (1 − y_j/a_j) σ′(z_j); where a_j is too small for a float, σ′(z_j)/a_j is 1.
    outputs = [(a_j, y_j, sigmoid(z_j)) for z_j, a_j, y_j in zip(z[$L], a[$L], y)]
    dC_dz = [slope_j - y_j * (slope_j / a_j if a_j else 1) for a_j, y_j, slope_j in outputs]
""",
}
"""∂C/∂z of the last layer for the logarithmic costs, as one factor: apart, ∂C/∂a may be huge and σ′ tiny."""

DF_DZ_SOFTMAX = """\
    # ∂a_J/∂z_j = a_J ([j = J] − a_j), for outputs that are coupled; and 1 − a_J is the sum of the others.
    others = [a_j for j, a_j in enumerate(a[$L]) if j != $J]
    df_dz = [a[$L][$J] * (sum(others) if j == $J else -a_j) for j, a_j in enumerate(a[$L])]
"""

BACK = """\
    for l in range($above, $layer, -1):  # from layer to layer: for each neuron k the sum over the next layer
        d${f}_da = [sum(each(w_jk * d_j) for w_jk, d_j in zip(column, d${f}_dz)) for column in zip(*w[l + 1])]
        d${f}_dz = [slope[l](z_k) * d_k for z_k, d_k in zip(z[l], d${f}_da)]
"""

SUM = """\
    d${f}_da = sum(each(row[$j] * d) for row, d in zip(w[$next], d${f}_dz))  # the sum over the next layer
"""

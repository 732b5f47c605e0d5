"""What every program that proves a derivative consists of: source text, with a $name where the question decides."""

HEAD = '''
"""Is $symbol = $value? Do not trust, run this: it needs nothing but Python 3.11 or newer.

$what
That is computed in two ways that have only the forward calculation in common:
  1. by the chain rule, factor by factor;
  2. from values of $f alone: let $wrt be larger and smaller by a tiny h, and see by how much $f changes.
The numbers are the very floats of the network, and the arithmetic is decimal, with 60 digits or more.
"""
'''

IMPORTS = """
import sys
from decimal import $names
from math import prod
"""

EXACT = '''
def exact(numbers):
    """The same numbers as decimals, to the last digit."""
    return [exact(v) for v in numbers] if isinstance(numbers, list) else Decimal(numbers)
'''

EXACT_FROM_TEXT = '''
def exact(numbers):
    """The same numbers as decimals, to the last digit; a row of them is a text."""
    if isinstance(numbers, str):
        return [Decimal(float(v)) for v in numbers.split()]
    return [exact(v) for v in numbers] if isinstance(numbers, list) else Decimal(numbers)
'''

FORWARD = '''
def forward($arguments):
    """Every z and a from the input a0: z = Wa + b with the a of the layer before, and a = σ(z)."""
    z, a = {}, {0: list(a0)}
$move_0\
    for l in w:
        z[l] = [sum(w_jk * a_k for w_jk, a_k in zip(row, a[l - 1])) + b_j for row, b_j in zip(w[l], b[l])]
$move_z\
        a[l] = $activate
$move_a\
    return z, a
'''

MEAN = '''
def mean(g):
    """The average of g over the examples: Σ s_i g_i / Σ s_i, where s_i is the weight of example i."""
    return sum(s * g($given) for s, $given in examples) / sum(s for s, *_ in examples)
'''

CHAIN_RULE = '''
def chain_rule($given, each=Decimal):
    """The factors of $symbol$of_one; with each=abs, no term of a sum cancels another."""
    z, a = forward(a0)
$body\
    return [$factors]


def by_chain_rule(each=Decimal):
    """$whole."""
$total
'''

CHANGED = '''
def $f($h):
    """$what when $wrt is larger by h: no derivative in here."""
$body
'''

FIRST_WAY = """
# 1. The chain rule. The claim comes from floats, with 16 digits and exponents down to -308. What their rounding may do
# is seen by doing the same with 15 and with 14 digits: ten times the larger change is allowed. So is 1e-14 of the size,
# the value were there no minus signs, for what by chance needs no rounding in decimals, such as 1/5.
rough = [like_floats(15), like_floats(14)]
for digits in 60, 460:
    setcontext(Context(prec=digits, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[]))
    chain, size = by_chain_rule(), by_chain_rule(abs)
    change = max((abs(v - chain) for v in rough if v.is_finite()), default=0)
    if 10 * change < abs(chain):
        break  # else nearly all digits cancel, as in 1 - a of a saturated neuron, and 60 may be too few
allowed = 10 * change + size * Decimal("1e-14") + Decimal("1e-322")
"""

LIKE_FLOATS = '''
def like_floats(digits):
    """The chain rule with few digits, and with exponents that end where those of floats do."""
    with localcontext(Context(prec=digits, Emin=-307, Emax=308, traps=[])):
        return by_chain_rule()
'''

DIFFERENCES = '''
def slopes(digits):
    """The slope of $f to the left and to the right, for h = 10^-digits."""
    h = Decimal(10) ** -digits
    with localcontext() as context:  # the smallest change that a float can tell still has 30 digits
        context.prec = 30 + digits + max(0, $f(0).adjusted()) + min(350, max(0, -size.adjusted()))
        here = $f(0)
        return (here - $f(-h)) / h, ($f(h) - here) / h
'''

SECOND_WAY = """
# 2. Differences of values.
left, right = slopes(40)
if not abs(right - left) <= allowed:  # a kink; or a curve too sharp for this h, which a smaller one will tell
    left, right = slopes(440)
difference = (left + right) / 2
"""

KINK = """
if not abs(right - left) <= allowed:
    print("There is a KINK here. The slope to the left is", show(left), "and to the right", show(right))
"""

KINK_OF_ACTIVATION = """\
    print("By convention z = 0 counts as z < 0. So once more, with the kink moved a hair to the right of 0.")
    hair = Decimal("1e-400")
    difference = sum(slopes(440)) / 2
"""

KINK_OF_PENALTY = """\
    print("By convention |w| has the slope 0 at w = 0, the mean of its two.")
"""

SHOW = '''
def show(v):
    """Twenty digits of a number."""
    return f"{Decimal(v).normalize():.20g}"
'''

FACTORS = """
print("$symbol is the product of$these")
for name, factor in zip($names, chain_rule($given)):
    print(f"  {name:17}  {show(factor)}")
print()
"""

VERDICT = """
agree = abs(CLAIMED - chain) <= allowed and abs(CLAIMED - difference) <= allowed
print("$symbol")
for name, v in ("as claimed", CLAIMED), ("by the chain rule", chain), ("by differences", difference):
    print(f"  {name:17}  {show(v):27}  off by {float(abs(CLAIMED - v)):.1e}")
print(f"Floats may be off by {float(allowed):.1e}.", "The claim AGREES with both." if agree else "The claim DIFFERS.")
sys.exit(0 if agree else 1)
"""

WAIT = """
print("This takes about $seconds seconds ...", file=sys.stderr)
"""

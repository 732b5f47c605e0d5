"""One derivative, factor by factor: the article's chain rule with its symbols, formulas and numbers.

For one example, ``factors`` multiply to ``value`` and ``terms`` are the rows of the article's sum over the next layer.
Over several examples a mean of products is not a product of means, so there are no factors: ``examples`` lists those
that push the most, up and down, each with factors of its own, and ``rest`` gathers the others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import isfinite

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.cost import example_shares, penalty_derivative
from chainrule.calculus.notation import Quantity
from chainrule.checks import whole_number
from chainrule.errors import InputError
from chainrule.insight.chain import Chain
from chainrule.insight.check import SMALLEST, complex_step, penalty_step
from chainrule.insight.equations import equations
from chainrule.insight.explanation import Check, Contribution, Explanation, Penalty, Rest, Sum
from chainrule.insight.flowchart import flowchart
from chainrule.insight.meaning import reason
from chainrule.insight.question import Question, question
from chainrule.model.model import Examples, Model

EACH_WAY = 4
"""How many examples are listed of those that push up, and of those that push down."""

OPENED = 3
"""How many sums are opened in a layer, where more are reached than one."""


def explain(
    model: Model,
    examples: Examples,
    target: str,
    example: int | None = None,
    aliases: Mapping[str, str] | None = None,
    of: str = "C",
    depth: int | None = None,
) -> Explanation:
    """∂of/∂target over all examples, or of one.

    ``target`` names a weight, a bias, an activation, a z, or a raw input x[k]; ``of`` is the cost ``C``, the cost
    ``C[i]`` of one example, or an activation or z. ``depth`` is how many layers of sums are opened towards the cost, 1
    unless given; only one example has sums. Over several, a derivative of or with respect to an a, a z or an x is the
    mean of the examples' own. Raises NotationError or InputError for what does not exist.
    """
    if depth is not None:
        whole_number("depth", depth, "how many layers of sums to open, 0 or more", lambda depth: depth >= 0)
    asked = question(model, examples, target, of, example, aliases)
    chain = Chain(asked)
    penalty = _penalty(asked)
    if len(asked.examples) == 1:
        explanation = _of_one_example(chain, penalty, 1 if depth is None else depth)
    elif depth is None:
        explanation = _averaged(chain, penalty)
    else:
        raise InputError(f"depth: a mean over {len(asked.examples):,} examples has no sums to open; choose an example")
    check = _check(chain, penalty, explanation.value)
    return replace(explanation, meanings=_meanings(asked), check=check)


def _of_one_example(chain: Chain, penalty: Penalty | None, depth: int) -> Explanation:
    q = chain.q
    factors = chain.factors(0, chain.of)
    value = float(chain.values[0])
    outputs, output_formula = chain.outputs(0) if _reaches_the_cost(chain, depth) else ((), "")
    return Explanation(
        of=chain.of,
        wrt=str(q),
        value=value + (penalty.value if penalty else 0.0),
        n_examples=1,
        equations=equations(chain.network, q, chain.top, chain.of, 0),
        factors=factors,
        reason=reason([*reversed(factors)], value),
        sums=(*_sums(chain, depth),),
        deeper=depth < _levels(chain),
        outputs=outputs,
        output_formula=output_formula,
        steps=chain.canonical_steps(q.j, 0) if q.layer == chain.last and q.letter in "wbz" else (),
        penalty=penalty,
        context=chain.context(0),
        activation=chain.network.activation[q.layer - 1] if q.layer else None,
        flowchart=flowchart(chain),
        notes=chain.kinks(0) + _penalty_kink(chain.question, penalty),
    )


def _sums(chain: Chain, depth: int) -> Iterator[Sum]:
    """The sums that are opened: the target's own, and in each layer after it those through which the most passes."""
    q = chain.q
    if q.layer > chain.last or not depth:
        return
    if q.layer == chain.last:
        if q.letter in "wbz" and (opened := chain.opened(q.layer, q.j, 0)):
            yield opened
        return
    neurons = [q.j]
    for l in range(q.layer, min(q.layer + depth, chain.last + 1)):
        neurons = neurons if l == q.layer else chain.busiest(l, OPENED, neurons)
        for j in neurons:
            if opened := chain.opened(l, j, 0):
                yield opened


def _levels(chain: Chain) -> int:
    """How many layers of sums there are to open, down to what each output's own ∂C/∂a is made of."""
    layers = chain.last - chain.q.layer
    if chain.top is not None:
        return layers
    softmax = not chain.network.σ(chain.last).elementwise and chain.q.letter in "wbz"
    return layers + 1 if layers or softmax else 0


def _reaches_the_cost(chain: Chain, depth: int) -> bool:
    """Whether the outputs' own ∂C/∂a are the next to be opened."""
    if chain.top is not None or not chain.network.σ(chain.last).elementwise:
        return False
    return depth > chain.last - chain.q.layer > 0


def _averaged(chain: Chain, penalty: Penalty | None) -> Explanation:
    examples, values = chain.question.examples, chain.values
    shares = example_shares(len(examples), examples.weights)
    contributions = shares * values
    mean = float(contributions.sum())
    pushing_down, pushing_up = contributions > 0, contributions < 0
    listed = _listed(contributions)
    joined = any(_joined(chain, i) for i in listed)  # as in the sum over a layer
    shown = tuple(
        Contribution(
            i,
            float(shares[i]),
            float(values[i]),
            float(contributions[i]),
            chain.factors(i, chain.of if chain.top else f"C[{i}]", joined),
        )
        for i in listed
    )
    others = np.delete(contributions, listed)
    kinks = chain.examples_at_a_kink()
    notes = (f"{kinks} of the examples take a derivative at a kink; --example tells more",) if kinks else ()
    weighted = examples.weights is not None
    return Explanation(
        of=chain.of,
        wrt=str(chain.q),
        value=mean + (penalty.value if penalty else 0.0),
        n_examples=len(examples),
        equations=equations(chain.network, chain.q, chain.top, chain.of, len(examples), weighted),
        columns=chain.columns(chain.of if chain.top else "C[i]", joined),
        examples=shown,
        rest=Rest(len(others), float(others.sum())) if len(others) else None,
        up=Rest(int(pushing_up.sum()), float(contributions[pushing_up].sum())),
        down=Rest(int(pushing_down.sum()), float(contributions[pushing_down].sum())),
        penalty=penalty,
        notes=notes + _penalty_kink(chain.question, penalty),
    )


def _listed(contributions: Array) -> list[int]:
    """The examples that push the most: those that push down, then those that push up, the largest first in each.

    Where one way has fewer than its part, the other gets more; examples that push nowhere come last.
    """
    order = np.argsort(-np.abs(contributions), kind="stable")
    down, up = (order[sign * contributions[order] > 0] for sign in (1, -1))
    still = order[~(np.abs(contributions[order]) > 0)]
    n_up = min(len(up), max(EACH_WAY, 2 * EACH_WAY - len(down)))
    n_down = min(len(down), 2 * EACH_WAY - n_up)
    return [int(i) for i in (*down[:n_down], *up[:n_up], *still[: 2 * EACH_WAY - n_down - n_up])]


def _joined(chain: Chain, i: int) -> bool:
    q = chain.q
    return q.letter in "wbz" and q.layer <= chain.last and chain.joined(q.layer, q.j, i)


def _check(chain: Chain, penalty: Penalty | None, value: float) -> Check | None:
    """The value again, from values of the cost alone; None where float64 overflows or underflows on the way."""
    asked, examples = chain.question, chain.question.examples
    shares = example_shares(len(examples), examples.weights)
    parts = shares * complex_step(chain.p, examples.a0, examples.Y, asked.q, asked.top) / asked.scale
    again = float(parts.sum()) + (penalty_step(chain.p, asked.q) if penalty else 0.0)
    size = float((shares * chain.sizes()).sum()) + abs(penalty.value if penalty else 0.0)
    if 0 < size < SMALLEST:
        return None
    off = abs(again - value)
    return Check("complex step", again, off / size if size else off) if isfinite(off) and isfinite(size) else None


def _penalty(asked: Question) -> Penalty | None:
    network, q = asked.model.network, asked.q
    if not asked.penalised:
        return None
    w = _weight(asked.model, q)
    parts: Sequence[str] = [
        *([f"l1·sign({q})"] if network.l1 else []),
        *([f"2·l2·{q}"] if network.l2 else []),
    ]
    value = float(penalty_derivative(np.array([w]), network.l1, network.l2)[0])
    return Penalty(f"∂penalty/∂{q}", " + ".join(parts), value)


def _penalty_kink(asked: Question, penalty: Penalty | None) -> tuple[str, ...]:
    q = asked.q
    if penalty is None or not asked.model.network.l1 or _weight(asked.model, q):
        return ()
    return (f"{q} is exactly 0, where |{q}| has no derivative: 0 is taken",)


def _weight(model: Model, q: Quantity) -> float:
    return float(model.parameters.w[q.layer][q.j, q.k])


def _meanings(asked: Question) -> dict[str, str]:
    """What the input and the output that the target touches are called in the data."""
    model, q = asked.model, asked.q
    meanings: dict[str, str] = {}
    k = q.k if q.layer == 1 else q.j if q.layer == 0 else None
    if k is not None and model.inputs is not None:
        scaled = model.inputs.mean[k] != 0 or model.inputs.scale[k] != 1
        meanings[f"a0[{k}]"] = model.inputs.names[k] + (", standardised" if scaled else "")
    if q.layer == model.network.depth and model.target is not None:
        scaled = model.target.classes is None and (model.target.mean[q.j] != 0 or model.target.scale[q.j] != 1)
        name = model.target.output_name(q.j, model.network.sizes[-1])
        meanings[f"a{q.layer}[{q.j}]"] = name + (", standardised" if scaled else "")
    return meanings

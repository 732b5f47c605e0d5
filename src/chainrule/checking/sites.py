"""Where mistakes can be made."""

from chainrule.checking.case import Case


def with_slope(case: Case, *activations: str) -> list[int]:
    """The layers whose σ′(z) is a factor, which a softmax has none of; those of some activations alone, where any are
    named."""
    layers = [l for l in case.layers if case.network.σ(l).elementwise]
    return [l for l in layers if not activations or case.network.activation[l - 1] in activations]


def penalised(case: Case) -> bool:
    """Whether weights have a penalty."""
    return bool(case.network.l1 or case.network.l2)


def penalty_formula(case: Case) -> str:
    """Its derivative by w."""
    parts = [text for text, there in (("l1·sign(w)", case.network.l1), ("2·l2·w", case.network.l2)) if there]
    return " + ".join(parts)

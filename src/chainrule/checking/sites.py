"""Where mistakes can be made."""

from chainrule.checking.case import Case


def with_slope(case: Case, *activations: str) -> list[int]:
    """The layers whose σ′(z) is a factor by itself: all hidden ones, and the last where the cost leaves it one; those
    of some activations alone, where any are named."""
    layers = [*case.hidden, *([case.L] if case.network.C.canonical is None else [])]
    return [l for l in layers if not activations or case.network.activation[l - 1] in activations]


def penalised(case: Case) -> bool:
    """Whether weights have a penalty."""
    return bool(case.network.l1 or case.network.l2)


def penalty_formula(case: Case) -> str:
    """Its derivative by w."""
    parts = [text for text, there in (("l1·sign(w)", case.network.l1), ("2·l2·w", case.network.l2)) if there]
    return " + ".join(parts)

"""The whole gradient as plain text."""

import numpy as np

from chainrule.calculus.network import ParameterVector
from chainrule.render.numbers import significant
from chainrule.render.text import columns

SHOWN_ENTRIES = 40


def text(of: str, C: float, gradient: ParameterVector, n_examples: int) -> str:
    """C, then ∇C in the article's order: entry by entry where it is short, array by array where it is long."""
    mean = f"      the mean over {n_examples:,} examples" if of == "C" and n_examples > 1 else ""
    lines = [f"{of} = {significant(C)}{mean}", ""]
    if gradient.vector.size <= SHOWN_ENTRIES:
        rows = [
            [f"∂{of}/∂{name}[{','.join(str(at) for at in index)}]", significant(float(value))]
            for name, array in gradient
            for index, value in np.ndenumerate(array)
        ]
        lines += [f"∇{of}, in the article's order:", *columns(rows, right=(False, False), indent="  ")]
    else:
        rows = [["", "shape", "norm", "largest entry", "at"]]
        for name, array in gradient:
            at = np.unravel_index(int(np.abs(array).argmax()), array.shape)
            entry = f"{name}[{','.join(str(int(i)) for i in at)}]"
            shape = "×".join(str(n) for n in array.shape)
            norm = float(np.linalg.norm(array))
            rows.append([f"∂{of}/∂{name}", shape, significant(norm, 6), significant(float(array[at]), 6), entry])
        n = gradient.vector.size
        lines += [f"∇{of} has {n:,} entries, in the article's order (--json prints them all):"]
        lines += columns(rows, right=(False, True, True, True, False), indent="  ")
    return "\n".join(lines)

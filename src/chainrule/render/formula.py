"""The package's one way of writing formulas, as plain text, turned into what people read.

A quantity is a letter, its layer and its index: ``w2[1,0]``, ``a(l−1)[k]``, ``δ1``, ``y[j]``; ``∂C/∂w2[1,0]`` is a
derivative, ``σ′(z2[1])`` a slope, ``Σ_j`` a sum. :func:`symbols` is for a terminal, :func:`latex` for LaTeX, from which
:mod:`chainrule.render.mathml` makes MathML.
"""

import re

_LAYER = r"\d+|\([lL](?:[−+]1)?\)"
_QUANTITY = rf"(?P<letter>[A-Za-zδΔ])(?P<layer>{_LAYER})?(?P<T>ᵀ)?(?:\[(?P<index>[^\]\s]*)\])?"
_ANY = re.sub(r"\?P<\w+>", "?:", _QUANTITY)
_TOKEN = re.compile(
    rf"(?P<derivative>∂(?P<upper>penalty|{_ANY})/∂(?P<lower>{_ANY}))"
    r"|Σ_(?P<running>\([^)]*\)|\w)"
    r"|e\^(?:\((?P<power>[^()]*)\)|(?P<power1>\w))"
    r"|(?P<coefficient>l[12]|n_L)(?!\w)"
    r"|(?P<subscripted>[a-z])_(?P<subscript>\w)"
    r"|(?P<word>[A-Za-z]{2,}(?: [a-z]{2,})*)(?![\d\[(]*\[)"
    rf"|(?P<quantity>{_ANY})"
    r"|(?P<number>\d[\d.]*(?:e-?\d+)?)"
    r"|(?P<other>.)",
)

_FUNCTIONS = {
    "ln": r"\ln ", "max": r"\max", "tanh": r"\tanh ", "cosh": r"\cosh", "sign": r"\operatorname{sign}",
    "Diag": r"\operatorname{Diag}",
}  # fmt: skip

_SIGNS = {
    "·": r"\,", "×": r"\times ", "−": "-", "½": r"\tfrac{1}{2}", "²": "^{2}", "σ": r"\sigma ", "′": "'", "Σ": r"\sum ",
    "⊙": r"\odot ", "⊘": r"\oslash ", "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "Φ": r"\Phi ", "φ": r"\varphi ",
    "…": r"\dots ", "∂": r"\partial ", "ᵀ": r"^{\top}", "∞": r"\infty ", "≈": r"\approx ",
}  # fmt: skip

_RAISED = str.maketrans("0123456789lL+−()", "⁰¹²³⁴⁵⁶⁷⁸⁹ˡᴸ⁺⁻⁽⁾")

_NOT_IN_T1 = "ĦħĸĿŀŉŦŧſ"

_JOINED = "[-`',?!]"
"""Characters that fonts join: of -- they make a dash."""

_TEXT = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}",
}  # fmt: skip


def symbols(formula: str) -> str:
    """The formula for a terminal: layers that are letters, or have no index, are raised: a_k⁽ˡ⁻¹⁾, δ¹, W²ᵀ."""

    general = "(l" in formula or "(L" in formula

    def raised(match: re.Match[str]) -> str:
        letter, layer, index = match["letter"], match["layer"] or "", match["index"]
        if not letter or (index and (layer.isdigit() or not general)) or (not layer and not index):
            return match[0]
        subscript = f"_{index.replace(',', '')}" if index else ""
        return letter + subscript + layer.translate(_RAISED) + (match["T"] or "")

    return re.sub(rf"l[12](?=·)|[A-Za-z]{{2,}}(?![\d\[])|{_QUANTITY}", raised, formula)


def latex(formula: str) -> str:
    """The formula in LaTeX's mathematics mode; needs amsmath."""
    return re.sub(r" +(?=[)\]}^,]|$)", "", "".join(map(_latex_of, _TOKEN.finditer(formula))))


def _latex_of(match: re.Match[str]) -> str:
    if match["derivative"]:
        return rf"\frac{{\partial {_latex_quantity(match['upper'])}}}{{\partial {_latex_quantity(match['lower'])}}}"
    if running := match["running"]:
        return rf"\sum_{{{latex(running.strip('()'))}}} "
    if power := match["power"] or match["power1"]:
        return rf"e^{{{latex(power)}}}"
    if match["coefficient"]:
        return f"{match[0][0]}_{{{match[0][-1]}}}"
    if match["subscripted"]:
        return f"{match['subscripted']}_{{{match['subscript']}}}"
    if word := match["word"]:
        return _FUNCTIONS.get(word) or rf"\;\text{{{word}}}\;"
    if match["quantity"]:
        return _latex_quantity(match[0])
    return latex_number(match[0]) if match["number"] else _SIGNS.get(match[0], match[0])


def _latex_quantity(text: str) -> str:
    match = re.fullmatch(_QUANTITY, text)
    if match is None:
        return rf"\text{{{latex_text(text)}}}"
    letter = {"δ": r"\delta", "Δ": r"\Delta"}.get(match["letter"], match["letter"])
    layer, index = (match["layer"] or "").strip("()").replace("−", "-"), match["index"]
    raised = (f"({layer})" if layer else "") + (r"\top" if match["T"] else "")
    return letter + (f"^{{{raised}}}" if raised else "") + (f"_{{{index}}}" if index else "")


def latex_number(number: str) -> str:
    """A printed number in mathematics mode: 1.2e-7 as a power of ten."""
    head, _, exponent = number.partition("e")
    return rf"{head} \times 10^{{{exponent}}}" if exponent else head


def latex_text(text: str) -> str:
    """A text from anywhere, so that any LaTeX engine prints it and none of it is a command.

    What is not in the fonts that every engine has, such as Hebrew, is spelled as its code point.
    """
    return re.sub(rf"(?<={_JOINED})(?={_JOINED})", "{}", "".join(map(_latex_character, text)))


def _latex_character(c: str) -> str:
    if spelled := _TEXT.get(c) or _SPELLED.get(c):
        return spelled
    known = " " <= c < "\x7f" or ("À" <= c <= "ſ" and c not in _NOT_IN_T1)
    return c if known else f"U+{ord(c):04X}"


_SPELLED = {
    "σ": r"$\sigma$", "′": r"$'$", "∂": r"$\partial$", "×": r"$\times$", "−": r"$-$", "·": r"$\cdot$", "²": r"$^{2}$",
    "¼": r"$\tfrac{1}{4}$", "½": r"$\tfrac{1}{2}$", "Σ": r"$\Sigma$", "…": r"\dots{}", "≤": r"$\le$", "Φ": r"$\Phi$",
    "φ": r"$\varphi$",
}  # fmt: skip

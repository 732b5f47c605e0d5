"""A puzzle for the terminal."""

from chainrule.checking.puzzle import Puzzle
from chainrule.render.text import wrapped

_WHOLE = "\N{NO-BREAK SPACE}"
"""A space at which no line ends, in the texts that are still to be wrapped."""


def text(puzzle: Puzzle, hints: int, answer: bool) -> str:
    """What the program is to compute, the program with its lines counted, the hints, the answer."""
    last = len(puzzle.code.splitlines())
    title = f"Puzzle {puzzle.seed}, level {puzzle.level}: one of the lines {puzzle.first} to {last} is wrong"
    lines = [title, "", *_task(puzzle), "", *_program(puzzle)]
    if hints:
        lines.append("")
    for number, hint in enumerate(puzzle.hints[:hints], 1):
        lines += _wrap(f"hint {number}: {hint}", 8)
    if answer:
        lines += ["", *answer_lines(puzzle)]
    return "\n".join(lines)


def answer_lines(puzzle: Puzzle) -> list[str]:
    """Which line it is, as it is and as it should be; the mistake's name; why; how one knows."""
    others = puzzle.equally
    equal = f"{', '.join(others)} would give the same numbers here" if others else ""
    facts = {"name": puzzle.bug, "what": puzzle.says, "why": puzzle.why, "check": puzzle.evidence, "equally": equal}
    lines = [f"line {puzzle.line} is", f"    {puzzle.wrong}", "and should be", f"    {puzzle.answer}", ""]
    for name, fact in facts.items():
        if fact:
            lines += _wrap(f"{name + ':':<9}{fact}", 9)
    return lines


def reply(puzzle: Puzzle, line: int) -> str:
    """Whether that is the wrong line; if it is, the answer."""
    if puzzle.asked(line):
        first, *further = answer_lines(puzzle)
        return "\n".join([f"yes, {first}", *further])
    what = "is right as it is" if line >= puzzle.first else "has numbers to begin with, and they are right"
    return f"no, line {line} {what}"


def _task(puzzle: Puzzle) -> list[str]:
    network, program = puzzle.program.network, puzzle.program
    layers = f"{', '.join(network.activation[:-1])}, then {network.activation[-1]}"
    C_i = f"C_i = {network.C.formula}".replace(" ", _WHOLE)
    cost = f"Σ s_i·C_i / Σ s_i with {C_i}" if program.weighted else f"the mean of {C_i}"
    penalty = ", plus l2·Σw²" if network.l2 else ""
    sizes = "-".join(map(str, network.sizes))
    task = f"A {sizes} network ({layers}), {program.examples} examples. C is {cost}{penalty}."
    share = "s_i/Σs · " if program.weighted else f"1/{program.examples} · " if program.shared else ""
    names = f"δ is {share}∂C_i/∂z, a row for each example i; dw is ∂C/∂w, db is ∂C/∂b."
    if puzzle.program.by_example:
        names = "δ is ∂C_i/∂z of one example i; dw is ∂C/∂w, db is ∂C/∂b."
    return [*_wrap(task), *_wrap(names)]


def _program(puzzle: Puzzle) -> list[str]:
    """The lines with their numbers; a gap sets off the lines that have no mistake."""
    numbered = [f"{at:>2}  {line}".rstrip() for at, line in enumerate(puzzle.code.splitlines(), 1)]
    return [*numbered[: puzzle.first - 1], "", *numbered[puzzle.first - 1 :]]


def _wrap(text: str, indent: int = 0) -> list[str]:
    return [line.replace(_WHOLE, " ") for line in wrapped(text, indent)]

"""The catalogue backwards: a short program with one mistake to find.

Programs, and the lines that make them wrong, are in ``puzzles``. A seed chooses a mistake, a network and numbers; then
both programs are run, and a puzzle is one only where :func:`chainrule.check` says of the right program that it is right
and of the wrong one which mistake is in it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from chainrule.calculus.network import ParameterVector
from chainrule.checking.check import check
from chainrule.checking.puzzles import costs, every_example, every_layer, one_hidden, two_hidden
from chainrule.checking.puzzles.numbers import Draw, Numbers
from chainrule.checking.puzzles.program import Program, Swap
from chainrule.checking.puzzles.teaching import TEACHING, words
from chainrule.checking.verdict import Verdict
from chainrule.checks import whole_number
from chainrule.model.model import Model

LEVELS = 3
HINTS = 3

VISIBLE = 1e-2
"""By so much of the largest entry a mistake has to change what it touches, so that it can be seen in the numbers."""

_MODULES = {1: (one_hidden,), 2: (two_hidden, every_layer), 3: (costs, every_example)}
_ATTEMPTS = 200


@dataclass(frozen=True, eq=False, repr=False)
class Puzzle:
    """A program with one wrong line.

    ``code`` is the wrong program and ``right`` the right one; ``verdict`` is what :func:`chainrule.check` says of the
    gradient that the wrong one computes, and ``bug`` the mistake's name in the catalogue.
    """

    seed: int
    level: int
    program: Program
    swap: Swap
    numbers: Numbers
    verdict: Verdict

    @cached_property
    def right(self) -> str:
        """The right program."""
        return _code(self.program, self.program.lines, self.numbers)

    @cached_property
    def code(self) -> str:
        """The program with the mistake in it."""
        return _code(self.program, self.program.swapped(self.swap), self.numbers)

    @property
    def bug(self) -> str:
        """The mistake's name in the catalogue."""
        return self.swap.bug

    @property
    def first(self) -> int:
        """The first line after the numbers, counted from 1; all before are right."""
        return len(self.code.splitlines()) - len(self.program.lines) + 1

    @property
    def line(self) -> int:
        """The wrong line, counted from 1."""
        return self.first + self.program.at(self.swap)

    @property
    def wrong(self) -> str:
        """The wrong line as it stands."""
        return self.code.splitlines()[self.line - 1].strip()

    @property
    def answer(self) -> str:
        """The right line."""
        return self.right.splitlines()[self.line - 1].strip()

    @cached_property
    def hints(self) -> tuple[str, str, str]:
        """Which arrays come out wrong; in which layer the mistake is; which factor to look at."""
        teaching, said = TEACHING[self.bug], words(self.program, self.swap)
        layer = "in every layer" if self.swap.layer is None else f"in layer {self.swap.layer}"
        place = teaching.place.format(**said) or layer
        return self._arrays, f"the mistake is {place}", f"look at {teaching.look.format(**said)}"

    @property
    def _arrays(self) -> str:
        wrong = [f"d{name}" for name in self.verdict.worst if name in self.verdict.wrong]
        right = [f"d{name}" for name in self.verdict.worst if name not in self.verdict.wrong]
        if not right:
            return "the whole gradient comes out wrong"
        return f"{_joined(wrong)} {_come(wrong)} out wrong, {_joined(right)} right"

    @property
    def why(self) -> str:
        """Why the right line is right."""
        why = TEACHING[self.bug].why.format(**words(self.program, self.swap))
        return f"{why}; a0 is X" if "a0" in why else why

    @property
    def says(self) -> str:
        """What :func:`chainrule.check` says of it."""
        return self.verdict.findings[0].says

    @property
    def evidence(self) -> str:
        """By what :func:`chainrule.check` knows."""
        return self.verdict.findings[0].evidence

    @property
    def equally(self) -> tuple[str, ...]:
        """Other mistakes that would give the same numbers."""
        return self.verdict.findings[0].equally

    def asked(self, line: object) -> bool:
        """Whether that is the wrong line. Raises InputError for a line that the program does not have."""
        last = len(self.code.splitlines())
        return self.line == whole_number("line", line, f"a line from 1 to {last}", lambda n: 1 <= n <= last)

    def text(self, hints: int = 0, answer: bool = False) -> str:
        """For the terminal: the program, as many of the hints, and the answer."""
        from chainrule.checking.puzzle_text import text

        return text(self, whole_number("hints", hints, f"from 0 to {HINTS}", lambda n: 0 <= n <= HINTS), answer)

    def __str__(self) -> str:
        """For print: the program alone."""
        return self.text()

    def __repr__(self) -> str:
        return f"Puzzle(seed={self.seed}, level={self.level})"

    def json(self) -> dict[str, Any]:
        """For JSON, with the answer."""
        return {
            "seed": self.seed, "level": self.level, "code": self.code, "right": self.right, "line": self.line,
            "wrong": self.wrong, "answer": self.answer, "bug": self.bug, "layer": self.swap.layer,
            "parameters": list(self.verdict.wrong), "hints": list(self.hints), "says": self.says, "why": self.why,
            "evidence": self.evidence, "equally": list(self.equally),
        }  # fmt: skip


def puzzle(seed: int = 0, level: int = 1) -> Puzzle:
    """A program of about ten lines, one of them wrong, by seed and level.

    Level 1 has one hidden layer and plain mistakes; level 2 two, or a loop over the layers, and mistakes of index and
    layer; level 3 softmax and labels, penalties, weighted examples, batches and steps. Successive seeds go through all
    mistakes of a level before one returns. Raises InputError for a negative seed or another level.
    """
    seed = whole_number("seed", seed, "a whole number from 0 to 2^64 − 1", lambda n: 0 <= n < 2**64)
    level = whole_number("level", level, f"a level from 1 to {LEVELS}", lambda n: 1 <= n <= LEVELS)
    every = list(kinds(level).values())
    rounds, at = divmod(seed, len(every))
    found = every[Draw(f"puzzles, level {level}, round {rounds}").order(len(every))[at]]
    draw = Draw(f"puzzle {seed} of level {level}")
    program, swap = found[draw.below(len(found))]
    for _ in range(_ATTEMPTS):
        numbers = Numbers.drawn(program, draw)
        verdict = verdict_of(program, swap, numbers)
        if verdict is not None:
            return Puzzle(seed, level, program, swap, numbers, verdict)
    raise AssertionError(f"no numbers show {swap.bug} in {program.network}")


@cache
def kinds(level: int) -> Mapping[object, list[tuple[Program, Swap]]]:
    """Each mistake of a level, with all programs that can have it."""
    found: dict[object, list[tuple[Program, Swap]]] = {}
    for module in _MODULES[level]:
        for program in module.programs():
            for swap in program.swaps:
                found.setdefault(swap.key, []).append((program, swap))
    return found


# verified by running ------------------------------------------------------------------------------


def verdict_of(program: Program, swap: Swap, numbers: Numbers) -> Verdict | None:
    """The verdict on the wrong program, if these numbers make a puzzle: the right one is right, the mistake can be
    seen, and it is named."""
    network = program.network
    model = Model(ParameterVector.from_arrays(network, numbers.parameters))

    def judged(lines: tuple[str, ...]) -> Verdict:
        gradient = _gradient(_code(program, lines, numbers), network.depth)
        return check(model, numbers.X, numbers.Y, gradient, numbers.weights, precision="float64")

    verdict = judged(program.swapped(swap))
    if len(verdict.findings) != 1 or min(verdict.worst[name] for name in verdict.wrong) < VISIBLE:
        return None
    finding = verdict.findings[0]
    named = finding.bug == swap.bug and (finding.layer in (None, swap.layer) or swap.layer is None)
    return verdict if named and judged(program.lines).ok else None


def _code(program: Program, lines: tuple[str, ...], numbers: Numbers) -> str:
    return "\n".join([*numbers.lines(program), *lines, ""])


def _gradient(code: str, depth: int) -> dict[str, Any]:
    """dw1, db1, … that a program computes. It is one of this package's own, text and numbers."""
    namespace: dict[str, Any] = {}
    with np.errstate(all="ignore"):
        exec(code, namespace)
    return {name: namespace[f"d{name}"] for name in _names(depth)}


def _names(depth: int) -> Iterator[str]:
    for l in range(1, depth + 1):
        yield from (f"w{l}", f"b{l}")


def _joined(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _come(names: list[str]) -> str:
    return "comes" if len(names) == 1 else "come"

"""What `chainrule check` is asked about one answer: a gradient in a file, or what a step with it led to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule.checking.design import told_apart
from chainrule.checking.files import check_file, naming, read_gradients
from chainrule.checking.next_cost import NextCostVerdict, check_next_cost
from chainrule.checking.search import Watch
from chainrule.checking.step import check_step
from chainrule.checking.verdict import Verdict
from chainrule.errors import InputError
from chainrule.model.model import Examples, Model, alone


@dataclass(frozen=True)
class Asked:
    """The options of the command by their names; one of ``gradients``, ``next_cost`` and ``next_parameters`` is given.

    Raises InputError for two questions at once, and for an option that belongs to another one.
    """

    gradients: Path | None = None
    next_cost: str | None = None
    next_parameters: Path | None = None
    lr: float | None = None
    freeze: tuple[str, ...] = ()
    example: int | None = None
    precision: str = "auto"
    earlier: Path | None = None
    design: bool = False

    def __post_init__(self) -> None:
        questions = {
            "GRADIENTS": self.gradients, "--next-cost": self.next_cost, "--next-parameters": self.next_parameters,
        }  # fmt: skip
        asked = [name for name, value in questions.items() if value is not None]
        of_step, of_gradients = self.lr is not None or self.freeze, self.earlier or self.precision != "auto"
        if not asked:
            raise InputError("--lr and --freeze are for a step; say what it led to: --next-cost, or --next-parameters")
        if len(asked) > 1:
            raise InputError(f"{' and '.join(asked)} are two questions; ask one at a time")
        if self.gradients is not None and of_step:
            raise InputError("--lr and --freeze are for a step; they go with --next-cost or --next-parameters")
        if self.gradients is None and of_gradients:
            raise InputError(f"--earlier and --precision are for GRADIENTS; leave them out with {asked[0]}")
        if self.next_cost is not None and self.design:
            raise InputError("--design compares whole gradients; leave it out with --next-cost")
        if self.gradients is None and self.lr is None:
            raise InputError(f"{asked[0]} needs the learning rate of the step: --lr")

    def answer(self, model: Model, examples: Examples, watch: Watch | None = None) -> "Answer":
        """The verdict, with the examples that tell two mistakes apart where these are asked for."""
        verdict = self._verdict(model, examples, watch)
        record, text = verdict.json(), verdict.text()
        if self.design and isinstance(verdict, Verdict):
            design = told_apart(verdict)
            record["design"] = None if design is None else design.json()
            if design is not None:
                text += f"\n\n{design.text()}"
            elif not verdict.ok:
                what = "one explanation alone" if any(finding.bug for finding in verdict.findings) else "no explanation"
                text += f"\n\n{what}: there is nothing to tell apart"
        return Answer(verdict.ok, record, text)

    def _verdict(self, model: Model, examples: Examples, watch: Watch | None) -> Verdict | NextCostVerdict:
        if self.gradients is not None:
            return check_file(model, examples, self.gradients, self.example, self.precision, self.earlier, watch)
        assert self.lr is not None
        if self.example is not None:
            model, examples = alone(model, examples, self.example)
        if self.next_cost is not None:
            return check_next_cost(model, examples, self.next_cost, self.lr, self.freeze)
        assert self.next_parameters is not None
        after = read_gradients(self.next_parameters)
        with naming(self.next_parameters):
            return check_step(model, examples, after, self.lr, self.freeze)


@dataclass(frozen=True)
class Answer:
    """Whether it is right, and that for JSON and for the terminal."""

    ok: bool
    record: dict[str, Any]
    text: str

"""The same network, data, split, start and seed under different settings: what ``chainrule compare`` does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, cast

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import Network, ParameterVector
from chainrule.checks import file_path, known, listed, number, require, sequence
from chainrule.data.table import Table, as_table
from chainrule.engines import engine, warn_of_shortfall
from chainrule.engines.optimizer import METHODS, Optimizer
from chainrule.errors import InputError
from chainrule.model.write import write
from chainrule.training.activation_time import nanoseconds
from chainrule.training.compare_measures import Measures, measure, sample
from chainrule.training.compare_text import label, text
from chainrule.training.guard import Divergence, Guard
from chainrule.training.loop import Pace, interrupts
from chainrule.training.settings import Settings
from chainrule.training.train import Epochs, Plan, plan

MOST_RUNS = 16

TARGET_SHARE = 0.95
"""The score that the runs are timed to, where nobody names one, as a share of the best that any of them reaches."""

_CONSTANTS = ("lr", "weight_decay")
_NOT_VARIED = ("target", "task", "dropped", "epochs", "validation", "metric", "callbacks", "gradient_norms")
VARIED = (*(f.name for f in fields(Settings) if f.name not in _NOT_VARIED), *_CONSTANTS)
"""What may differ: the settings that are no matter of the data or of what is watched, and the optimizer's rates."""

Watcher = Callable[[int, int], None]


@dataclass(frozen=True)
class Epoch:
    """Where a run stood after an epoch, counted from 1.

    ``cost`` is the mean training cost of that epoch, measured batch by batch as the parameters moved; ``score`` that of
    the examples held out; ``seconds`` the time that its steps had taken since the start, without that of measuring.
    """

    epoch: int
    cost: float
    score: float | None
    seconds: float


@dataclass(frozen=True)
class Run:
    """One run: what is set in it alone, its epochs, and its layers at the start, after 1, 2, 4, … epochs and the last.

    ``divergence`` says when and why cost or parameters became infinite or NaN, if they did. ``target`` is the first
    epoch whose score reaches the target. ``nanoseconds`` is what σ with σ′ takes, the mean over its hidden neurons.
    """

    setting: Mapping[str, Any]
    network: Network
    history: tuple[Epoch, ...]
    measures: tuple[Measures, ...]
    divergence: Divergence | None
    target: Epoch | None
    nanoseconds: float | None


@dataclass(frozen=True, repr=False)
class Comparison:
    """Runs side by side.

    ``score`` is "accuracy" or "r2". ``target_score`` is the score that they are timed to, None where nothing is held
    out or no run finished an epoch; ``target_given`` says whether it was asked for. ``shared_start`` are the hidden
    activations for which the start of all runs was drawn; None where they start from weights of their own.
    """

    source: str
    settings: Settings
    varied: Mapping[str, tuple[Any, ...]]
    runs: tuple[Run, ...]
    score: str
    target_score: float | None
    target_given: bool
    shared_start: tuple[str, ...] | None
    n_train: int
    n_test: int
    engine: str
    interrupted: bool

    def text(self) -> str:
        """As tables for a terminal of 80 columns."""
        return text(self)

    def __str__(self) -> str:
        return self.text()

    def picture(self, kind: str) -> bytes:
        """Cost by epoch and by second, mean σ′ and gradient norm by layer: of the kind ".svg", ".png" or ".pdf".

        Raises MissingExtraError.
        """
        from chainrule.training.compare_picture import picture

        return picture(self, kind)

    def plot(self, path: str | Path) -> None:
        """Write the picture to a .svg, .png or .pdf. Raises FileError, or MissingExtraError without matplotlib."""
        from chainrule.render.plot import check_plot

        path = file_path(path)
        check_plot(path)
        write({path: self.picture(path.suffix.lower())})

    def json(self) -> dict[str, Any]:
        """As one record."""
        score = f"test_{self.score}"
        return {
            "data": self.source,
            "varied": {name: [plain(value) for value in values] for name, values in self.varied.items()},
            "train_examples": self.n_train,
            "test_examples": self.n_test,
            "shared_start": None if self.shared_start is None else list(self.shared_start),
            "target_score": self.target_score,
            "engine": self.engine,
            "interrupted": self.interrupted,
            "runs": [
                {
                    "setting": {name: plain(value) for name, value in run.setting.items()},
                    "sizes": list(run.network.sizes),
                    "activation": list(run.network.activation),
                    "cost": run.network.cost,
                    "history": [
                        {"epoch": at.epoch, "cost": at.cost, score: at.score, "seconds": at.seconds}
                        for at in run.history
                    ],
                    "time_to_target": run.target and {"epochs": run.target.epoch, "seconds": run.target.seconds},
                    "diverged": run.divergence and str(run.divergence),
                    "nanoseconds_per_activation": run.nanoseconds,
                    "layers": [measures.json() for measures in run.measures],
                }
                for run in self.runs
            ],
        }


def compare(
    table: Table,
    settings: Settings | None = None,
    *,
    target_score: float | None = None,
    own_start: bool = False,
    watch: Watcher | None = None,
    **vary: Sequence[Any],
) -> Comparison:
    """Train one network under different settings, in turns of an epoch each, so that a busy machine slows all alike.

    ``vary`` has the values of each of :data:`VARIED` that differs; there is a run for each combination. Runs with the
    same sizes and seed start with the same weights: those drawn for the first of them, or with ``own_start`` each with
    those drawn for its own activations. ``target_score`` is the score that they are timed to; by default 95 % of the
    best that one of them reaches. Ctrl-C ends it and keeps what was done. A run that diverges, or whose patience is
    over, ends, and the others go on. ``watch`` is called about every 50 ms with how many steps are done and how many
    there will be. Raises DataError or InputError. ::

        print(chainrule.compare(chainrule.read_table("digits"), activation=["sigmoid", "tanh", "relu"]))
    """
    settings = Settings() if settings is None else settings
    require(isinstance(settings, Settings), "settings", settings, "Settings")
    require(isinstance(own_start, bool), "own_start", own_start, "True or False")
    if target_score is not None:
        number("target score", target_score, "an accuracy or R², a number of at most 1", lambda x: x <= 1)
    chosen = _combinations(vary)
    table = as_table(table)
    racers = _racers(table, [_changed(settings, each) for each in chosen], own_start)
    warn_of_shortfall()
    times = nanoseconds({name for racer in racers for name in racer.hidden})
    finished = _race(racers, watch)

    scores = [at.score for racer in racers for at in racer.history if at.score is not None]
    target = target_score if scores else None
    if target is None and max(scores, default=0.0) > 0:  # or no run is any good
        target = TARGET_SHARE * max(scores)
    first = racers[0].plan
    varied = {name: tuple(values) for name, values in vary.items() if len(values) > 1}
    assert first.model.target is not None
    return Comparison(
        source=table.source,
        settings=_changed(settings, chosen[0]),
        varied=varied,
        runs=tuple(
            racer.run({name: each[name] for name in varied}, target, times)
            for racer, each in zip(racers, chosen, strict=True)
        ),
        score="r2" if first.model.target.classes is None else "accuracy",
        target_score=target,
        target_given=target_score is not None,
        shared_start=racers[0].hidden if len({racer.start for racer in racers}) == 1 else None,
        n_train=len(first.state.X),
        n_test=len(first.test_X),
        engine=engine().NAME,
        interrupted=not finished,
    )


def plain(value: Any) -> Any:
    """How a value of a setting is written in JSON."""
    if isinstance(value, list | tuple):
        return [plain(each) for each in cast("Sequence[Any]", value)]
    return value if value is None or isinstance(value, bool | int | float | str) else label(value)


# the settings --------------------------------------------------------------------------------------


def _combinations(vary: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Each run's values of what is varied."""
    for name, values in vary.items():
        known("vary", name, VARIED)
        require(len(sequence(name, values, "a list of values")) > 0, name, values, "a list with a value in it")
        for value in values:
            if list(values).count(value) > 1:
                raise InputError(f"{name}: {plain(value)!r} is named twice; two runs would be the same")
    n = prod(len(values) for values in vary.values())
    if n < 2:
        raise InputError(
            "compare: nothing differs; give a setting several values, such as sigmoid, tanh and relu for activation"
        )
    if n > MOST_RUNS:
        raise InputError(f"compare: {n} combinations of {listed(vary)} are more than the most, {MOST_RUNS}")
    return [dict(zip(vary, values, strict=True)) for values in product(*vary.values())]


def _changed(settings: Settings, chosen: Mapping[str, Any]) -> Settings:
    """The settings with these in place of their own; an optimizer that is only named has its customary rate."""
    changes = dict(chosen)
    optimizer = changes.pop("optimizer", settings.optimizer)
    if not isinstance(optimizer, Optimizer):
        optimizer = replace(settings.optimizer, name=optimizer, lr=None)
    constants = {name: changes.pop(name) for name in _CONSTANTS if name in changes}
    optimizer = replace(optimizer, **{name: value for name, value in constants.items() if value is not None})
    if constants.get("weight_decay") is not None and not METHODS[optimizer.name].decays:
        raise InputError(f"weight decay: {optimizer.name} has none; it belongs to adamw")
    return replace(settings, optimizer=optimizer, **changes)


# the runs ------------------------------------------------------------------------------------------


@dataclass
class Racer:
    """A run on its way.

    ``kept`` has the parameters after some epochs, which are measured in the end: the threads of NumPy's BLAS look for
    work for a while after they had some, and would take time from the steps.
    """

    plan: Plan
    start: int
    history: list[Epoch] = field(default_factory=list[Epoch])
    kept: dict[int, Array] = field(default_factory=dict[int, Array])
    divergence: Divergence | None = None
    stopped: bool = False
    seconds: float = 0.0
    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        self._guard, self._epochs = Guard(self.plan.state), Epochs(self.plan)
        self._keep()

    @property
    def hidden(self) -> tuple[str, ...]:
        """The hidden layers' activations, each once."""
        return tuple(dict.fromkeys(self.plan.model.network.activation[:-1]))

    @property
    def going(self) -> bool:
        """Whether there are epochs to come."""
        return self.divergence is None and not self.stopped and self.plan.state.epoch < self.plan.epochs

    def slice(self) -> bool:
        """Make the steps of one slice, none of them beyond this epoch; whether the epoch or the run has ended."""
        state = self.plan.state
        epoch = state.epoch
        self.seconds += self.pace.run(state, state.steps_left_in_epoch)
        if not (self._guard.good() and self._guard.all_finite()):
            self.divergence = self._guard.take_back()
            return True
        if state.epoch == epoch:
            return False
        score = self.plan.score(state.parameters.astype(np.float64))
        self.history.append(Epoch(state.epoch, state.costs[-1], score, self.seconds))
        self.stopped = self._epochs.after(self.seconds)
        if state.epoch & (state.epoch - 1) == 0 or not self.going:
            self._keep()
        return True

    def run(self, setting: Mapping[str, Any], target: float | None, times: Mapping[str, float]) -> Run:
        """What it came to."""
        network = self.plan.model.network
        reached = (at for at in self.history if target is not None and at.score is not None and at.score >= target)
        neurons = list(zip(network.sizes[1:-1], network.activation[:-1], strict=True))
        of_all = sum(n * times[name] for n, name in neurons) / sum(n for n, _ in neurons) if neurons else None
        rows = sample(len(self.plan.state.X))
        X, Y = (array[rows].astype(np.float64) for array in (self.plan.state.X, self.plan.state.Y))
        measures = tuple(
            measure(ParameterVector(network, vector.astype(np.float64)), X, Y, epoch)
            for epoch, vector in self.kept.items()
        )
        return Run(setting, network, tuple(self.history), measures, self.divergence, next(reached, None), of_all)

    def _keep(self) -> None:
        self.kept[self.plan.state.epoch] = self.plan.state.parameters.vector.copy()


def _racers(table: Table, settings: Sequence[Settings], own_start: bool) -> list[Racer]:
    """Ready to start: those of the same sizes and seed with the first one's weights, and all with the same examples."""
    racers: list[Racer] = []
    starts: dict[tuple[object, ...], tuple[int, Array]] = {}
    for each in settings:
        planned = plan(table, each)
        state, network = planned.state, planned.model.network
        key = (network.sizes, each.seed, network.activation if own_start else ())
        start, weights = starts.setdefault(key, (len(starts), state.parameters.vector.copy()))
        state.parameters.vector[:] = weights
        if racers:  # one copy of the examples is enough, where they are the same
            first = racers[0].plan
            same = np.array_equal(first.state.X, state.X) and np.array_equal(first.state.Y, state.Y)
            if same and np.array_equal(first.test_X, planned.test_X):
                state.X, state.Y = first.state.X, first.state.Y
                planned = replace(planned, test_X=first.test_X, test_Y=first.test_Y)
        racers.append(Racer(planned, start))
    return racers


def _race(racers: Sequence[Racer], watch: Watcher | None) -> bool:
    """Let all run, an epoch each in turns; False if Ctrl-C ended it."""
    steps = sum(racer.plan.epochs * racer.plan.state.steps_per_epoch for racer in racers)
    with interrupts() as interrupted, np.errstate(all="ignore"):
        while going := [racer for racer in racers if racer.going]:
            for racer in going:
                ended = False
                while not ended and not interrupted.is_set():
                    ended = racer.slice()
                    if watch is not None:
                        watch(sum(racer.plan.state.step for racer in racers), steps)
            if interrupted.is_set():
                return False
    return True

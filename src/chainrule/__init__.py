"""Trains feed-forward networks and shows the calculus behind every gradient.

The public names; everything else may change. They are imported when first used, so that ``import chainrule`` is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from chainrule.version import __version__ as __version__

if TYPE_CHECKING:
    from chainrule import estimators as estimators
    from chainrule.calculus.formula import formula as formula
    from chainrule.calculus.network import Network as Network
    from chainrule.calculus.network import ParameterVector as ParameterVector
    from chainrule.checking.autograd import check_autograd as check_autograd
    from chainrule.checking.autograd_verdict import AutogradVerdict as AutogradVerdict
    from chainrule.checking.check import check as check
    from chainrule.checking.function import check_function as check_function
    from chainrule.checking.function_verdict import FunctionVerdict as FunctionVerdict
    from chainrule.checking.module import check_module as check_module
    from chainrule.checking.puzzle import Puzzle as Puzzle
    from chainrule.checking.puzzle import puzzle as puzzle
    from chainrule.checking.verdict import Finding as Finding
    from chainrule.checking.verdict import Verdict as Verdict
    from chainrule.data.source import read_table as read_table
    from chainrule.data.table import Table as Table
    from chainrule.engines.optimizer import Optimizer as Optimizer
    from chainrule.errors import ChainruleError as ChainruleError
    from chainrule.estimators.classifier import MLPClassifier as MLPClassifier
    from chainrule.estimators.regressor import MLPRegressor as MLPRegressor
    from chainrule.insight.explain import explain as explain
    from chainrule.insight.explanation import Explanation as Explanation
    from chainrule.insight.gradient import example_gradients as example_gradients
    from chainrule.insight.gradient import example_norms as example_norms
    from chainrule.insight.gradient import gradient as gradient
    from chainrule.insight.html_report import Report as Report
    from chainrule.insight.html_report import report as report
    from chainrule.insight.nudge import Nudge as Nudge
    from chainrule.insight.nudge import nudge as nudge
    from chainrule.model.model import Examples as Examples
    from chainrule.model.model import Model as Model
    from chainrule.model.model_file import load_model as load_model
    from chainrule.model.model_file import save_model as save_model
    from chainrule.model.problem_file import Problem as Problem
    from chainrule.model.problem_file import load_problem as load_problem
    from chainrule.training.bench import Bench as Bench
    from chainrule.training.bench import bench as bench
    from chainrule.training.compare import Comparison as Comparison
    from chainrule.training.compare import compare as compare
    from chainrule.training.find_lr import RangeTest as RangeTest
    from chainrule.training.find_lr import find_lr as find_lr
    from chainrule.training.guard import DivergenceWarning as DivergenceWarning
    from chainrule.training.history import Epoch as Epoch
    from chainrule.training.history import History as History
    from chainrule.training.initialization import initial_parameters as initial_parameters
    from chainrule.training.schedule import Schedule as Schedule
    from chainrule.training.train import Settings as Settings
    from chainrule.training.train import Trained as Trained
    from chainrule.training.train import train as train

_HOME = {
    "AutogradVerdict": "checking.autograd_verdict",
    "Bench": "training.bench",
    "ChainruleError": "errors",
    "DivergenceWarning": "training.guard",
    "Epoch": "training.history",
    "Comparison": "training.compare",
    "Examples": "model.model",
    "Explanation": "insight.explanation",
    "Finding": "checking.verdict",
    "FunctionVerdict": "checking.function_verdict",
    "History": "training.history",
    "MLPClassifier": "estimators",
    "MLPRegressor": "estimators",
    "Model": "model.model",
    "Network": "calculus.network",
    "Nudge": "insight.nudge",
    "Optimizer": "engines.optimizer",
    "ParameterVector": "calculus.network",
    "Problem": "model.problem_file",
    "Puzzle": "checking.puzzle",
    "RangeTest": "training.find_lr",
    "Report": "insight.html_report",
    "Schedule": "training.schedule",
    "Settings": "training.train",
    "Table": "data.table",
    "Trained": "training.train",
    "Verdict": "checking.verdict",
    "bench": "training.bench",
    "check": "checking.check",
    "check_autograd": "checking.autograd",
    "check_function": "checking.function",
    "check_module": "checking.module",
    "compare": "training.compare",
    "example_gradients": "insight.gradient",
    "example_norms": "insight.gradient",
    "explain": "insight.explain",
    "find_lr": "training.find_lr",
    "formula": "calculus.formula",
    "gradient": "insight.gradient",
    "initial_parameters": "training.initialization",
    "load_model": "model.model_file",
    "load_problem": "model.problem_file",
    "nudge": "insight.nudge",
    "puzzle": "checking.puzzle",
    "read_table": "data.source",
    "report": "insight.html_report",
    "save_model": "model.model_file",
    "train": "training.train",
}

__all__ = [*_HOME, "__version__"]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"chainrule.{_HOME[name]}"), name)
    if name == "estimators":
        return import_module("chainrule.estimators")
    raise AttributeError(f"module 'chainrule' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

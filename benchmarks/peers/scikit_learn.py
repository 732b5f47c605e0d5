"""scikit-learn: ``MLPClassifier.partial_fit`` on float32 rows, which is one epoch; the rows in the given order.

It has no output but softmax, or one logistic output for two classes, so it takes part where the output is softmax, and
for two classes trains one output fewer. Its Adam adds ε to √v before the bias is taken out of v.
"""

# pyright: reportMissingImports=false, reportMissingTypeStubs=false, reportArgumentType=false
# pyright: reportAttributeAccessIssue=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportPrivateUsage=false

import sys
import warnings
from typing import Any

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier
from worker import Peer, blas, serve
from workloads import BETA1, BETA2, EPSILON, Array, Problem, Workload, blocks

warnings.filterwarnings("ignore")


class ScikitLearn(Peer):
    """Form: "partial_fit"."""

    def __init__(self, workload: Workload, numbers: Problem, form: str) -> None:
        super().__init__(workload, numbers, form)
        if workload.output != "softmax" or workload.optimizer != "adam":
            sys.exit("does not apply: it has no such output")
        self.labels = numbers.Y.argmax(axis=1)
        self.classes = np.arange(workload.sizes[-1])
        self.model: Any = MLPClassifier(
            workload.sizes[1:-1], activation=workload.activation, solver="adam", alpha=0.0, batch_size=workload.batch,
            learning_rate_init=workload.lr, beta_1=BETA1, beta_2=BETA2, epsilon=EPSILON, shuffle=False, random_state=0,
        )  # fmt: skip
        self.model.partial_fit(numbers.X[: workload.batch], self.labels[: workload.batch], classes=self.classes)

    def start(self) -> None:
        model, optimizer = self.model, self.model._optimizer
        optimizer.t = 0
        for moment in (*optimizer.ms, *optimizer.vs):
            moment[:] = 0
        for (w, b), coefs, intercepts in zip(
            blocks(self.workload, self.numbers.start), model.coefs_, model.intercepts_, strict=True
        ):
            # one logistic output is the difference of two
            coefs[:] = w.T if coefs.shape == w.T.shape else (w[1:] - w[:1]).T
            intercepts[:] = b if intercepts.shape == b.shape else b[1:] - b[:1]

    def prepare(self, order: Array) -> Any:
        return order.ravel()

    def run(self, order: Any) -> None:
        self.model.partial_fit(self.numbers.X[order], self.labels[order], classes=self.classes)

    def result(self) -> Array:
        model = self.model
        return np.concatenate(
            [x for w, b in zip(model.coefs_, model.intercepts_, strict=True) for x in (w.T.ravel(), b)]
        )

    def about(self) -> str:
        return f"scikit-learn {sklearn.__version__}, {blas()}"


if __name__ == "__main__":
    serve(ScikitLearn)

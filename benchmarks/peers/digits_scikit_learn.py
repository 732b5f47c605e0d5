"""scikit-learn trains on the bundled digits: HIDDEN BATCH LR EPOCHS SEED; prints its accuracy on the held-out fifth."""

# pyright: reportMissingImports=false, reportMissingTypeStubs=false, reportArgumentType=false
# pyright: reportAttributeAccessIssue=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import json
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore")


def main() -> None:
    """Read, split, standardise, train, score."""
    hidden, batch, lr, epochs, seed = sys.argv[1:6]
    spec = find_spec("chainrule")
    assert spec is not None
    assert spec.origin is not None
    with np.load(Path(spec.origin).parent / "data" / "digits.npz") as file:
        X, y = file["X"].astype(np.float32), file["y"]
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.2, stratify=y, random_state=int(seed))
    mean, scale = X.mean(axis=0), X.std(axis=0)
    scale[scale == 0] = 1
    model = MLPClassifier(
        (int(hidden),), batch_size=int(batch), learning_rate_init=float(lr), max_iter=int(epochs), alpha=0.0, tol=0.0,
        n_iter_no_change=int(epochs), random_state=int(seed),
    )  # fmt: skip
    model.fit((X - mean) / scale, y)
    print(json.dumps({"test_accuracy": model.score((X_test - mean) / scale, y_test)}))


if __name__ == "__main__":
    main()

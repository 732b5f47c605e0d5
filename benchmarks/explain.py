"""What an explanation costs: against one full gradient of a large network, and as a whole process against one second.

python benchmarks/explain.py [ROUNDS]

First the mean over 2,000 examples of 784-512-512-10 (softmax, cross-entropy, float64) explained, its check included, in
units of one full gradient; both are measured in turn, round by round. Then the whole process
`chainrule explain digits.safetensors --data digits w3.7.4`, which is to take less than one second, after the model has
been trained into a temporary folder.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from chainrule import Examples, Model, Network, ParameterVector, explain
from chainrule.calculus.gradient import gradient

SIZES = (784, 512, 512, 10)
EXAMPLES = 2000
HIDDEN = ("relu", "leaky-relu", "elu", "sigmoid", "tanh", "softplus", "silu", "gelu")
TARGETS = ("w1[3,5]", "w2[3,5]", "w3[3,5]", "b1[3]", "a1[3]")


def seconds(work: Callable[[], object]) -> float:
    """The wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def problem(hidden: str) -> tuple[Model, Examples]:
    """The network with random numbers, and random examples."""
    random = np.random.default_rng(0)
    network = Network(SIZES, (hidden, hidden, "softmax"), "cross-entropy")
    model = Model(ParameterVector(network, random.normal(0, 0.04, network.n_parameters)))
    targets = np.eye(SIZES[-1])[random.integers(SIZES[-1], size=EXAMPLES)]
    return model, model.examples(random.normal(size=(EXAMPLES, SIZES[0])), targets)


def ratios(model: Model, examples: Examples, rounds: int) -> tuple[list[float], dict[str, list[float]]]:
    """Seconds of each gradient, and for every target the explanation's in units of the gradient of the same round."""
    gradients: list[float] = []
    times: dict[str, list[float]] = {target: [] for target in TARGETS}
    for at in range(rounds + 1):
        one = seconds(lambda: gradient(model.parameters, examples.a0, examples.Y))
        units = {target: seconds(lambda target=target: explain(model, examples, target)) / one for target in TARGETS}
        if at:  # the first warms up
            gradients.append(one)
            for target, unit in units.items():
                times[target].append(unit)
    return gradients, times


def spread(values: list[float]) -> str:
    """The median with the range."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    """Print the median ratios with their ranges, then the median wall time of the process with its range."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    print(f"explanation/gradient, {'-'.join(map(str, SIZES))}, {EXAMPLES:,} examples, {rounds} rounds: median (range)")
    for hidden in HIDDEN:
        gradients, times = ratios(*problem(hidden), rounds)
        print(f"{hidden}: a gradient takes {statistics.median(gradients):.3f} s")
        for target, values in times.items():
            print(f"  {target:10} {spread(values)}")
    with tempfile.TemporaryDirectory() as folder:
        model = str(Path(folder) / "digits.safetensors")
        command = [sys.executable, "-m", "chainrule"]
        subprocess.run([*command, "train", "digits", "--out", model], check=True, capture_output=True)
        explained = [*command, "explain", model, "--data", "digits", "w3.7.4"]

        def process() -> object:
            return subprocess.run(explained, check=True, stdout=subprocess.DEVNULL)

        seconds(process)  # warm the file cache
        walls = [seconds(process) for _ in range(rounds)]
    print(f"chainrule explain digits.safetensors --data digits w3.7.4: {spread(walls)} s")


if __name__ == "__main__":
    main()

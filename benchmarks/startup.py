"""How long `chainrule --help` takes against `python -c "import numpy"`, as whole processes in turn.

python benchmarks/startup.py [ROUNDS]
"""

import statistics
import subprocess
import sys
import time

COMMANDS = {
    "import numpy": [sys.executable, "-c", "import numpy"],
    "chainrule --help": [sys.executable, "-m", "chainrule", "--help"],
}


def seconds(command: list[str]) -> float:
    """The wall time of one run."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Print each command's median with its range, and the median of the ratios round by round."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    for command in COMMANDS.values():
        seconds(command)  # warm the file cache
    times = [{name: seconds(command) for name, command in COMMANDS.items()} for _ in range(rounds)]
    for name in COMMANDS:
        each = sorted(round_[name] for round_ in times)
        print(f"{name:18} median {statistics.median(each):.3f} s   ({each[0]:.3f} to {each[-1]:.3f})")
    ratios = [round_["chainrule --help"] / round_["import numpy"] for round_ in times]
    print(f"ratio              median {statistics.median(ratios):.2f}      ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Set up everything in .venv beside this file, then do the job. Needs Python 3.11 or newer; to be fast, a C++ compiler.

python3 start.py               train on the bundled digits and explain one weight of the result
python3 start.py test          run the tests, on all processors
python3 start.py test [...]    with further words, which go to pytest
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
BIN = VENV / ("Scripts" if sys.platform == "win32" else "bin")

ALL_PROCESSORS = ("-n", "auto", "--dist", "worksteal")


def main() -> int:
    """Do what the first word of the command line says; the exit code of what was run."""
    if sys.version_info < (3, 11):  # noqa: UP036  # this file is what tells it to people with an older one
        print("chainrule needs Python 3.11 or newer; this is " + sys.version.split()[0], file=sys.stderr)
        return 2
    words = sys.argv[1:]
    if words and words[0] not in ("demo", "test"):
        print(__doc__, file=sys.stdout if words[0] in ("-h", "--help") else sys.stderr)
        return 0 if words[0] in ("-h", "--help") else 2
    try:
        if words and words[0] == "test":
            set_up("-e", ".[all]", "--group", "test")
            tell_of_missing_engine()
            return run("python", "-m", "pytest", *(words[1:] or ALL_PROCESSORS))
        set_up("-e", ".")
        if tell_of_missing_engine():
            os.environ.setdefault("CHAINRULE_ENGINE", "reference")  # training need not tell it again
        return demo()
    except subprocess.CalledProcessError as error:
        print(f"start.py: this step failed, see above: {' '.join(map(str, error.cmd))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def set_up(*packages: str) -> None:
    """Make .venv where there is none, and install into it."""
    if not any((BIN / "python").with_suffix(suffix).exists() for suffix in ("", ".exe")):  # or its link leads nowhere
        print(f"Making a virtual environment in {VENV}", flush=True)
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=False)
        if made.returncode:
            print(
                "\nPython's venv module is not complete. On Debian and Ubuntu: sudo apt-get install python3-venv",
                file=sys.stderr,
            )
            made.check_returncode()
    print("Installing chainrule and what it needs, and compiling its engine", flush=True)
    pip = [str(BIN / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "pip>=25.1"], check=True, cwd=HERE)  # the first that knows --group
    subprocess.run([*pip, *packages], check=True, cwd=HERE)


def tell_of_missing_engine() -> bool:
    """Say so if the compiled engine is not there, why, and what to do. Whether it is missing."""
    if python("import chainrule.engines._native").returncode == 0:
        return False
    print(f"\n{what_is_missing()}\nThe reference engine is used, which is slower.", flush=True)
    return True


def what_is_missing() -> str:
    """What the compiled engine could not be compiled for, and what to do."""
    missing: dict[str, str] = {}
    if not any(shutil.which(name) for name in (os.environ.get("CXX", ""), "c++", "g++", "clang++")):
        missing["g++"] = "C++ compiler"
    if python("import os, sysconfig; os.stat(sysconfig.get_path('include') + '/Python.h')").returncode:
        missing["python3-dev"] = "Python.h"
    if not missing:
        return "The compiled engine could not be compiled. CHAINRULE_REQUIRE_NATIVE=1 python3 start.py shows why."
    what, packages = " and no ".join(missing.values()), " ".join(missing)
    return f"No {what} was found. On Debian and Ubuntu: sudo apt-get install {packages}, then run this again."


def python(code: str) -> "subprocess.CompletedProcess[bytes]":
    """Run a line of Python in the environment, silently."""
    return subprocess.run([str(BIN / "python"), "-c", code], capture_output=True, check=False, cwd=HERE)


def run(program: str, *words: str) -> int:
    """Run a program of the environment, and show its command first."""
    print(f"\n$ {program} {' '.join(words)}", flush=True)
    return subprocess.run([str(BIN / program), *words], check=False, cwd=HERE).returncode


def demo() -> int:
    """Train on digits, explain one of the weights, and say what to try next."""
    model = "digits.safetensors"
    code = run("chainrule", "train", "digits", "--out", model)
    code = code or run("chainrule", "explain", model, "--data", "digits", "w3.7.4")
    if code == 0:
        chainrule = (BIN / "chainrule").relative_to(HERE)
        print(
            f"""
What to try next:
  {chainrule} explain {model} --data digits w3.7.4 --example 0
      one image, every factor
  {chainrule} explain tests/goldens/mazur.toml w1.0.0
      a worked example that others did by hand
  {chainrule} gradient tests/goldens/article_chain.toml
      the article's whole gradient
  {chainrule} train YOUR.csv --target COLUMN
      your own data
  {chainrule} --help
The documentation begins at docs/the-article.md"""
        )
    return code


if __name__ == "__main__":
    sys.exit(main())

import os

import pytest

os.environ.setdefault("SCIPY_ARRAY_API", "1")  # SciPy reads it when it is imported; scikit-learn's checks need it


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--networks", type=int, default=300, help="how many random networks each exactness test tries")
    parser.addoption("--seeds", type=int, default=2, help="how many seeds each program of the estimators is run with")

"""scikit-learn's MLPClassifier and MLPRegressor, trained by chainrule's engine. They need the extra ``sklearn``.

``base`` is what the two have in common; ``parameters`` says which constructor arguments can be, ``layers`` turns
``coefs_`` and ``intercepts_`` into the flat vector, ``examples`` gathers dense and sparse rows; ``stochastic`` trains
by batches with ``progress`` deciding when to stop, ``lbfgs`` by SciPy's L-BFGS-B.
"""

from importlib.util import find_spec

from chainrule.errors import MissingExtraError

if find_spec("sklearn") is None:
    raise MissingExtraError("the estimators need scikit-learn: pip install 'chainrule[sklearn]'")

from chainrule.estimators.classifier import MLPClassifier
from chainrule.estimators.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]

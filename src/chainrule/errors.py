"""The tree of errors. A message says what is wrong, where, and what to do.

::

    ChainruleError
    ├── InputError          what was passed in: shapes, numbers, names, options
    │   ├── NetworkError    a network that cannot be: sizes, activations, cost, penalties
    │   └── NotationError   a name such as ``w2[7,0]`` that this network does not have
    ├── FileError           a file that cannot be read or written
    │   ├── DataError       a table, a row, a column or a cell
    │   ├── ProblemError    a problem file
    │   └── ModelError      a model file
    ├── DivergenceError     training whose cost or parameters are no longer finite
    └── MissingExtraError   an optional library is needed; the message has the install command

A call that raises one of these has changed no object and written no file.
"""


class ChainruleError(Exception):
    """Everything this package raises on purpose; ``str(error)`` is fit to show to a person."""


class InputError(ChainruleError, ValueError):
    """An argument is wrong: its type, its shape, its range or its name."""


class NetworkError(InputError):
    """The description of a network is not one this package can build."""


class NotationError(InputError):
    """A name such as ``w2[7,0]`` is malformed or outside the network."""


class FileError(ChainruleError):
    """A file cannot be read or written."""


class DataError(FileError):
    """A table of examples is wrong; the message names the file, row and column."""


class ProblemError(FileError):
    """A problem file is wrong; the message names the file and the key."""


class ModelError(FileError):
    """A model file is wrong, truncated, or not one of ours."""


class DivergenceError(ChainruleError, ValueError):
    """The training cost or a parameter became infinite or NaN; the message says when and what to change."""


class MissingExtraError(ChainruleError):
    """An optional library is not installed; the message has the command that installs it."""

from collections.abc import Sequence

from chainrule.calculus.arrays import Array

def instruction_sets() -> list[str]: ...
def processors() -> int: ...

class _Chain:
    def __init__(
        self, sizes: Sequence[int], activation: Sequence[int], cost: int, l1: float, l2: float, instruction_set: str
    ) -> None: ...
    def gradient(
        self, parameters: Array, X: Array, Y: Array, weights: Array | None, gradient: Array, threads: int
    ) -> float: ...
    def run(
        self,
        parameters: Array,
        moment1: Array | None,
        moment2: Array | None,
        X: Array,
        Y: Array,
        weights: Array | None,
        order: Array | None,
        cursor: int,
        batch_size: int,
        first_step: int,
        n_steps: int,
        method: int,
        rates: Array,
        momentum: float,
        beta1: float,
        beta2: float,
        epsilon: float,
        epsilon_hat: bool,
        rho: float,
        weight_decay: float,
        fused: bool,
        shared_penalty: bool,
        dropout: Array | None,
        key: int,
        clip_norm: float,
        cost: Array,
        weight: Array,
        squares: Array | None,
        threads: int,
    ) -> None: ...
    def predict(self, parameters: Array, X: Array, a: Array, threads: int) -> None: ...
    def data_cost(self, parameters: Array, X: Array, Y: Array, threads: int) -> float: ...
    def threads_used(self, rows: int, threads: int) -> int: ...
    def poison(self) -> None: ...
    def insist(self) -> None: ...

class Chain32(_Chain): ...
class Chain64(_Chain): ...

"""Another student's backpropagation: one example at a time, columns for layers, sums that grow in a loop.

It makes mistakes where such a program makes them: an index that is off, a sum that is overwritten, a line that stands
inside the loop or after it. A mistake has the name and the particulars that it has in ``planted``, and what comes out
is to be the same.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .planted import OF_SLOPE, SUBTRACTS, Gradient, Planted, Problem, cost_slope, slope, value

Array = np.ndarray[Any, Any]
Made = Callable[..., Planted | None]
"""Whether a mistake of this name is made, in this layer."""

MISTAKES = frozenset({
    "activation-for-slope", "bias-summed", "clipped-delta", "cross-entropy-as-squared-error", "delta-of-next-layer",
    "example-left-out", "example-twice", "forward-without-bias", "input-for-activation", "labels-inverted",
    "labels-permuted", "labels-shifted", "labels-shuffled", "labels-swapped", "layers-reversed", "mask-inverted",
    "mask-of-gradient", "mean-missing", "mean-squared", "missing-slope", "next-activation", "one-example",
    "penalty-in-part", "penalty-missing", "penalty-on-biases", "penalty-scaled", "sign", "sign-of-layer",
    "slope-form-of-z", "slope-in-part", "slope-of-a", "slope-twice", "softmax-diagonal", "softmax-missing",
    "softmax-slope", "softmax-twice", "squared-error-as-cross-entropy", "stray-factor-in-delta", "transposed-result",
    "transposed-weight", "weight-of-wrong-layer", "weights-ignored", "weights-not-normalised", "weights-twice",
    "z-for-activation", "zeros", "zeros-in-one",
})  # fmt: skip
"""Those that are made here."""


@np.errstate(all="ignore")
def one_by_one(q: Problem, *planted: Planted) -> Gradient:
    """∇C of a problem, right or with mistakes."""

    def at(name: str, layer: int | None = None) -> Planted | None:
        return next((m for m in planted if m.name == name and m.layer in (None, layer)), None)

    assert all(m.name in MISTAKES for m in planted)
    L, n, f = q.L, q.n, q.f
    s = np.ones(n) if q.s is None else q.s
    dw = {l: np.zeros_like(q.w[l]) for l in range(1, L + 1)}
    db = {l: np.zeros_like(q.b[l]) for l in range(1, L + 1)}

    for i in examples(n, at("example-left-out"), at("example-twice")):
        # forward
        a, z = [q.X[i]], [q.X[i]]
        for l in range(1, L + 1):
            left_out = at("forward-without-bias")
            b = 0 if left_out and left_out.how in (None, l) else q.b[l]
            z.append(q.w[l] @ a[-1] + b)
            a.append(value(f[l], z[-1][None])[0])

        # back
        y = q.Y[target_of(i, n, at)]
        if at("labels-inverted"):
            y = 1 - y
        δ = at_the_end(q, z[L], a[L], y, at)
        for l in range(L, 0, -1):
            if l < L:
                W = q.w[l + 1]
                if m := at("weight-of-wrong-layer", l + 1):
                    W = q.w[m.how]
                dC_da = W @ δ if at("transposed-weight", l + 1) else W.T @ δ
                if not at("delta-of-next-layer", l):  # else what there is goes on
                    δ = dC_da * slope_of(f[l], z[l], a[l], dC_da, partial(at, layer=l))
                if at("sign-of-layer", l):
                    δ *= -1
            if m := at("stray-factor-in-delta", l):
                δ = δ * m.how
            if m := at("clipped-delta", l):
                δ = np.array([max(-m.how, min(m.how, float(d))) for d in δ])

            incoming = a[l - 1]
            if at("next-activation", l):
                incoming = a[l]
            elif at("input-for-activation", l):
                incoming = a[0]
            elif at("z-for-activation", l):
                incoming = z[l - 1]
            weight_w = weight_b = s[i]
            if m := at("weights-ignored", l):
                weight_w, weight_b = (s[i] if m.how == "b" else s.mean()), (s[i] if m.how == "w" else s.mean())
            if m := at("weights-twice"):
                weight_w = weight_b = s[i] ** 2
            if m := at("one-example"):
                if i == m.how[0]:  # = where += is meant; the last one stays
                    dw[l], db[l] = weight_w * np.outer(δ, incoming), weight_b * δ
                continue
            dw[l] += weight_w * np.outer(δ, incoming)
            db[l] += weight_b * δ

    divided(q, dw, db, at)
    for l in range(1, L + 1):
        if not at("penalty-missing", l):
            how = (m := at("penalty-in-part", l)) and m.how
            factor = m.how if (m := at("penalty-scaled", l)) else 1
            for j, k in np.ndindex(*dw[l].shape):
                w = q.w[l][j, k]
                l1, l2 = 0 if how == "l1" else q.l1, 0 if how == "l2" else q.l2
                dw[l][j, k] += factor * (l1 * (int(w > 0) - int(w < 0)) + 2 * l2 * w)
        if at("penalty-on-biases"):
            db[l] += [q.l1 * (int(b > 0) - int(b < 0)) + 2 * q.l2 * b for b in q.b[l]]
        if at("transposed-result", l):
            dw[l] = np.swapaxes(dw[l], 0, 1)
        emptied = at("zeros", l), at("zeros-in-one", l)
        if emptied[0] or (emptied[1] and emptied[1].how == "w"):
            dw[l] = np.zeros_like(dw[l])
        if emptied[0] or (emptied[1] and emptied[1].how == "b"):
            db[l] = np.zeros_like(db[l])
    if m := at("layers-reversed"):
        dw = {l: dw[L + 1 - l] if "w" in m.how else dw[l] for l in dw}
        db = {l: db[L + 1 - l] if "b" in m.how else db[l] for l in db}
    return {f"{letter}{l}": arrays[l] for letter, arrays in (("w", dw), ("b", db)) for l in range(1, L + 1)}


def examples(n: int, left_out: Planted | None, twice: Planted | None) -> list[int]:
    """Those that the loop visits: ended too early, begun too late, an index that is clamped."""
    if left_out:
        return list(range(1, n) if left_out.how[0] == 0 else range(n - 1))
    if twice:
        return [min(max(i, 0), n - 1) for i in (range(-1, n) if twice.how[0] == 0 else range(n + 1))]
    return list(range(n))


def target_of(i: int, n: int, at: Made) -> int:
    """The row of Y that example i is compared with."""
    if m := at("labels-shifted"):
        return (i - m.how) % n
    if at("labels-permuted"):
        return n - 1 - i
    if m := at("labels-swapped"):
        return {m.how[0]: m.how[1], m.how[1]: m.how[0]}.get(i, i)
    if m := at("labels-shuffled"):
        return m.how[i]
    return i


def at_the_end(q: Problem, z: Array, a: Array, y: Array, at: Made) -> Array:
    """∂C/∂z of the last layer, for one example."""
    f, L = q.f[q.L], q.L
    minus = -1 if at("sign") else 1  # y − a
    if m := at("cross-entropy-as-squared-error", L):
        if f == "softmax":
            return m.how * np.array([a[k] * ((a - y)[k] - a @ (a - y)) for k in range(len(a))])
        return m.how * (a - y) * slope(f, z, a)
    if at("softmax-diagonal", L):
        return -y * (1 - a)
    if at("softmax-slope", L):
        return (a - y) * (a - a * a)
    if at("softmax-twice", L):
        return np.array([a[k] * ((a - y)[k] - a @ (a - y)) for k in range(len(a))])
    if at("squared-error-as-cross-entropy", L):
        return a - y
    if at("softmax-missing", L):
        return -(y / a)
    if f == "softmax" or ((q.cost, f) in SUBTRACTS and not any(at(name, L) for name in OF_SLOPE)):
        return minus * (a - y)
    dC_da = minus * cost_slope(q.cost, a[None], y[None])[0]
    return dC_da * slope_of(f, z, a, dC_da, partial(at, layer=L))


def slope_of(f: str, z: Array, a: Array, dC_da: Array, here: Made) -> Array:
    """σ′ of a layer, for one example."""
    if here("missing-slope"):
        return np.ones(len(z))
    if here("slope-of-a"):
        return slope(f, a, value(f, a[None])[0])
    if here("activation-for-slope"):
        return a
    if here("slope-in-part"):
        return 1 - a
    if here("slope-form-of-z"):
        return z - z * z if f == "sigmoid" else 1 - z * z
    if here("mask-inverted"):
        return np.array([(0 if f == "relu" else 0.01) if t > 0 else 1 for t in z])
    if here("mask-of-gradient"):
        return np.array([1 if d > 0 else 0 for d in dC_da])
    return slope(f, z, a) ** (2 if here("slope-twice") else 1)


def divided(q: Problem, dw: dict[int, Array], db: dict[int, Array], at: Made) -> None:
    """Sums become means, or not."""
    n, s = q.n, np.ones(q.n) if q.s is None else q.s
    count = s.sum()
    if m := at("weights-not-normalised"):
        count = {"mean": n, "sum": 1, "by the largest": s.max()}[m.how]
    if m := at("weights-twice"):
        twice = {"normalised": (s * s).sum(), "twice": count, "shares squared": count**2, "squares": 1}
        count = twice.get(m.how, n)
    for name, times in (("example-left-out", -1), ("example-twice", 1)):
        if (m := at(name)) and m.how[1]:
            count = count + times * s[m.how[0]]
    if at("mean-missing"):
        count = count / n
    if at("mean-squared"):
        count = count * n
    if (m := at("one-example")) and not m.how[1]:
        count = s[m.how[0]]
    for l in dw:
        dw[l] = dw[l] / count
        db[l] = db[l] / (count / n if at("bias-summed", l) else count)

// Each cost with its ∂C/∂z over rows of the last layer. The forms are those of src/chainrule/calculus/cost.py.
#pragma once

#include "activation.hpp"

namespace chainrule::CHAINRULE_ISA {

// The last layer: a comes as z; d becomes share_i·∂C_i/∂z, with 0 in the padding; C[i] becomes share_i·C_i.
template <class T>
struct Output {
    Matrix<T> a, d, y;
    const T* share;
    T* C;
    Pass<T> activation;
    T* scratch;  // 3·n_L·LANES numbers
};

template <class T>
using OutputPass = void (*)(const Output<T>& out, Index first, Index last);

// v where a column is one of the panel's, `padding` beyond; `from` is the column of lane 0.
template <class V>
CHAINRULE_INLINE V within(V v, int from, int used, V padding = V{}) {
    if (from + lanes<V> <= used) return v;
    Int<V> column;
    for (int i = 0; i < lanes<V>; ++i) column[i] = i;
    return column < splat<Int<V>>(IntOf<Element<V>>(used - from)) ? v : padding;
}

// f(panel, row i, column of lane 0, V of the panel's width) for every vector of rows first … last − 1.
template <class T, class F>
CHAINRULE_INLINE void each_row(const Matrix<T>& matrix, Index first, Index last, F&& f) {
    for (const Panel& panel : matrix.columns->panels)
        by_width<T>(panel.width, [&](auto width) {
            using R = RowOf<T, decltype(width)::value>;
            for (Index i = first; i < last; ++i)
                for (int n = 0; n < R::N; ++n) f(panel, i, n * lanes<typename R::V>, typename R::V{});
        });
}

template <class V>
struct CostAndDelta {
    V cost, delta;
};

// f(at, y, panel) gives both for the numbers at `at` of a row.
template <class T, class F>
CHAINRULE_INLINE void element_by_element(const Output<T>& out, Index first, Index last, F f) {
    for (Index i = first; i < last; ++i) out.C[i] = 0;
    each_row<T>(out.a, first, last, [&](const Panel& panel, Index i, int column, auto v) {
        using V = decltype(v);
        T* const a = out.a.at(panel, i) + column;
        T* const d = out.d.at(panel, i) + column;
        const CostAndDelta<V> both = f(load<V>(a), load<V>(d), load<V>(out.y.at(panel, i) + column));
        const V share = splat<V>(out.share[i]);
        store(d, within(share * both.delta, column, panel.used));
        out.C[i] += sum(within(share * both.cost, column, panel.used));
    });
}

// The costs of a − y. `slope` and `size` scale ∂C/∂a and C.
template <class T>
void squared(const Output<T>& out, Index first, Index last, T slope, T size) {
    for (const Panel& panel : out.a.columns->panels)
        out.activation(out.a.at(panel, first), out.d.at(panel, first), (last - first) * panel.width);
    element_by_element(out, first, last, [=]<class V>(V a, V d, V y) __attribute__((always_inline)) {
        const V r = a - y;
        return CostAndDelta<V>{splat<V>(size) * (r * r), splat<V>(slope) * r * d};
    });
}

template <class T>
void huber(const Output<T>& out, Index first, Index last) {
    for (const Panel& panel : out.a.columns->panels)
        out.activation(out.a.at(panel, first), out.d.at(panel, first), (last - first) * panel.width);
    element_by_element(out, first, last, []<class V>(V a, V d, V y) __attribute__((always_inline)) {
        const V r = a - y, one = splat<V>(1);
        const V size = abs(r), inner = min(one, size);  // in this order a NaN stays
        const V clipped = copysign(inner, r);
        return CostAndDelta<V>{inner * inner * splat<V>(T(0.5)) + (size - inner), clipped * d};
    });
}

template <class T>
void binary_cross_entropy(const Output<T>& out, Index first, Index last) {
    element_by_element(out, first, last, []<class V>(V z, V, V y) __attribute__((always_inline)) {
        const V one = splat<V>(1), zero{};
        const V others = one - y;
        const V rest = log1p(exp(-abs(z)));  // softplus(±z) is max(±z, 0) + rest
        return CostAndDelta<V>{
            y * (max(zero, -z) + rest) + others * (max(zero, z) + rest),
            others * sigmoid(z).value - y * sigmoid(-z).value,
        };
    });
}

template <class T>
void poisson_exp(const Output<T>& out, Index first, Index last) {
    element_by_element(out, first, last, []<class V>(V z, V, V y) __attribute__((always_inline)) {
        const V a = exp(z);
        return CostAndDelta<V>{a - y * z, a - y};
    });
}

template <class T>
void poisson_softplus(const Output<T>& out, Index first, Index last) {
    element_by_element(out, first, last, []<class V>(V z, V, V y) __attribute__((always_inline)) {
        const V one = splat<V>(1), zero{};
        const V e = exp(-abs(z)), l = log1p(e);
        const V ratio = e == zero ? one : l / (e == zero ? one : e);  // ln(1 + e)/e
        const V above = max(zero, z) + l;
        const V logarithm = z > zero ? log(above) : z + log(ratio);
        const V slope_of_logarithm = one / ((one + e) * (z > zero ? above : ratio));
        const Slope<V> a = softplus(z);
        return CostAndDelta<V>{a.value - y * logarithm, a.derivative - y * slope_of_logarithm};
    });
}

// Softmax couples the columns of a row, so here the lanes are rows: the columns of LANES rows lie one after the other.

// Rows i … i + rows − 1 of a matrix, turned into columns; and back, with 0 in the padding.
template <class T>
void to_columns(const Matrix<T>& matrix, Index i, int rows, T* columns) {
    for (const Panel& panel : matrix.columns->panels) {
        const T* const from = matrix.at(panel, i);
        for (int r = 0; r < rows; ++r)
            for (int j = 0; j < panel.used; ++j) columns[(panel.first + j) * LANES<T> + r] = from[r * panel.width + j];
    }
}

template <class T>
void from_columns(const T* columns, Index i, int rows, const Matrix<T>& matrix) {
    for (const Panel& panel : matrix.columns->panels) {
        T* const into = matrix.at(panel, i);
        for (int r = 0; r < rows; ++r) {
            for (int j = 0; j < panel.used; ++j) into[r * panel.width + j] = columns[(panel.first + j) * LANES<T> + r];
            for (int j = panel.used; j < panel.width; ++j) into[r * panel.width + j] = 0;
        }
    }
}

// Columns of z become e_j = e^(z_j − max z), the largest of which is 1; returns what the others add up to. f(j, z_j − max z)
// is called for each on the way.
template <class T, class F>
CHAINRULE_INLINE Vec<T, LANES<T>> exponentials(T* z, Index n, F f) {
    using V = Vec<T, LANES<T>>;
    constexpr int L = LANES<T>;
    V top = load<V>(z), rest{}, ones{};
    for (Index j = 1; j < n; ++j) top = max(load<V>(z + j * L), top);
    for (Index j = 0; j < n; ++j) {
        const V shifted = load<V>(z + j * L) - top, e = exp(shifted), zero{};
        const auto largest = shifted == zero;
        rest += largest ? zero : e;  // apart from the ones, so that these do not swallow what is small
        ones += largest ? splat<V>(1) : zero;
        f(j, shifted);
        store(z + j * L, e);
    }
    return rest + (ones - splat<V>(1));
}

// softmax with C = −Σ_j y_j ln a_j, where ln a_j = (z_j − max z) − ln(1 + rest), and
// ∂C/∂z_j = a_j·Σ_{k≠j} y_k − y_j·Σ_{k≠j} a_k, the sums over k < j and over k > j.
template <class T>
void cross_entropy(const Output<T>& out, Index first, Index last) {
    using V = Vec<T, LANES<T>>;
    constexpr int L = LANES<T>;
    const Index n = out.a.columns->n;
    T* const e = out.scratch;
    T* const y = e + n * L;
    T* const d = y + n * L;
    for (Index i = first; i < last; i += L) {
        const int rows = last - i < L ? int(last - i) : L;
        to_columns(out.a, i, rows, e);
        to_columns(out.y, i, rows, y);
        V y_sum{}, y_shifted{};
        const V rest = exponentials(e, n, [&](Index j, V shifted) {
            const V each = load<V>(y + j * L), zero{};
            y_sum += each;
            y_shifted += each == zero ? zero : each * shifted;
        });
        const V share = load_some<V>(out.share + i, rows);
        store_some<V>(out.C + i, share * (y_sum * log1p(rest) - y_shifted), rows);
        V e_before{}, y_before{}, e_after{}, y_after{};
        for (Index j = 0; j < n; ++j) {
            const V e_j = load<V>(e + j * L), y_j = load<V>(y + j * L);
            store(d + j * L, e_j * y_before - y_j * e_before);
            e_before += e_j;
            y_before += y_j;
        }
        const V scale = share / (splat<V>(1) + rest);
        for (Index j = n; j-- > 0;) {
            const V e_j = load<V>(e + j * L), y_j = load<V>(y + j * L);
            store(d + j * L, scale * (load<V>(d + j * L) + (e_j * y_after - y_j * e_after)));
            e_after += e_j;
            y_after += y_j;
        }
        from_columns(d, i, rows, out.d);
    }
}

// a = e/Σe, for predictions.
template <class T>
void softmax(const Matrix<T>& z, Index first, Index last, T* scratch) {
    using V = Vec<T, LANES<T>>;
    constexpr int L = LANES<T>;
    const Index n = z.columns->n;
    for (Index i = first; i < last; i += L) {
        const int rows = last - i < L ? int(last - i) : L;
        to_columns(z, i, rows, scratch);
        const V sum = splat<V>(1) + exponentials(scratch, n, [](Index, V) {});
        for (Index j = 0; j < n; ++j) store(scratch + j * L, load<V>(scratch + j * L) / sum);
        from_columns(scratch, i, rows, z);
    }
}

template <class T>
OutputPass<T> output_pass(const Network& network) {
    switch (network.cost) {
        case Cost::squared_error:
            return [](const Output<T>& out, Index i, Index n) { squared(out, i, n, T(2), T(1)); };
        case Cost::half_squared_error:
            return [](const Output<T>& out, Index i, Index n) { squared(out, i, n, T(1), T(0.5)); };
        case Cost::mean_squared_error:
            return [](const Output<T>& out, Index i, Index n) {
                squared(out, i, n, 2 / T(out.y.columns->n), 1 / T(out.y.columns->n));
            };
        case Cost::huber: return huber<T>;
        case Cost::cross_entropy: return cross_entropy<T>;
        case Cost::binary_cross_entropy: return binary_cross_entropy<T>;
        case Cost::poisson:
            return network.activation.back() == Activation::exp ? poisson_exp<T> : poisson_softplus<T>;
    }
    return nullptr;
}

}  // namespace chainrule::CHAINRULE_ISA

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
    element_by_element(out, first, last, [=]<class V>(V a, V d, V y) [[gnu::always_inline]] {
        const V r = a - y;
        return CostAndDelta<V>{splat<V>(size) * (r * r), splat<V>(slope) * r * d};
    });
}

template <class T>
void huber(const Output<T>& out, Index first, Index last) {
    for (const Panel& panel : out.a.columns->panels)
        out.activation(out.a.at(panel, first), out.d.at(panel, first), (last - first) * panel.width);
    element_by_element(out, first, last, []<class V>(V a, V d, V y) [[gnu::always_inline]] {
        const V r = a - y, one = splat<V>(1);
        const V size = abs(r), inner = min(one, size);  // in this order a NaN stays
        const V clipped = copysign(inner, r);
        return CostAndDelta<V>{inner * inner * splat<V>(T(0.5)) + (size - inner), clipped * d};
    });
}

template <class T>
void binary_cross_entropy(const Output<T>& out, Index first, Index last) {
    element_by_element(out, first, last, []<class V>(V z, V, V y) [[gnu::always_inline]] {
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
    element_by_element(out, first, last, []<class V>(V z, V, V y) [[gnu::always_inline]] {
        const V a = exp(z);
        return CostAndDelta<V>{a - y * z, a - y};
    });
}

template <class T>
void poisson_softplus(const Output<T>& out, Index first, Index last) {
    element_by_element(out, first, last, []<class V>(V z, V, V y) [[gnu::always_inline]] {
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

// Row i of z becomes e_j = e^(z_j − max z), the largest of which is 1; returns what the others add up to. f(panel, column,
// z − max z) is called for each vector on the way.
template <class T, class F>
CHAINRULE_INLINE T exponentials(const Matrix<T>& z, Index i, F&& f) {
    T top = -std::numeric_limits<T>::infinity();
    each_row<T>(z, i, i + 1, [&](const Panel& panel, Index, int column, auto v) {
        using V = decltype(v);
        const V lowest = splat<V>(-std::numeric_limits<T>::infinity());
        const T each = largest(within(load<V>(z.at(panel, i) + column), column, panel.used, lowest));
        top = each > top ? each : top;
    });
    T rest = 0, ones = 0;  // apart, so that a 1 does not swallow what is small
    each_row<T>(z, i, i + 1, [&](const Panel& panel, Index, int column, auto v) {
        using V = decltype(v);
        T* const at = z.at(panel, i) + column;
        const V shifted = load<V>(at) - splat<V>(top), zero{};
        const V e = within(exp(shifted), column, panel.used, zero);
        const auto at_top = (shifted == zero) & (e != zero);
        ones += sum(at_top ? splat<V>(1) : zero);
        rest += sum(at_top ? zero : e);
        f(panel, column, shifted);
        store(at, e);
    });
    return rest + (ones - 1);
}

// ∂C/∂z_j = (e_j·Σ_{k≠j} y_k − y_j·Σ_{k≠j} e_k)/Σe of any row, times `scale`: sums from the left, then from the right.
template <class T>
void soft_targets(const Output<T>& out, Index i, T scale) {
    const std::vector<Panel>& panels = out.a.columns->panels;
    T e_sum = 0, y_sum = 0;
    for (std::size_t p = 0; p < panels.size(); ++p)
        for (int j = 0; j < panels[p].used; ++j) {
            const T e = out.a.at(panels[p], i)[j], y = out.y.at(panels[p], i)[j];
            out.d.at(panels[p], i)[j] = e * y_sum - y * e_sum;
            e_sum += e;
            y_sum += y;
        }
    e_sum = y_sum = 0;
    for (std::size_t p = panels.size(); p-- > 0;)
        for (int j = panels[p].used; j-- > 0;) {
            const T e = out.a.at(panels[p], i)[j], y = out.y.at(panels[p], i)[j];
            T& d = out.d.at(panels[p], i)[j];
            d = scale * (d + (e * y_sum - y * e_sum));
            e_sum += e;
            y_sum += y;
        }
}

// The same where y is `y` in one column and 0 in all others: e_j·y there, and −y·Σ_{k≠j} e_k in that column.
template <class T>
void one_hot_target(const Output<T>& out, Index i, T scale, T y, const Panel& panel, int j) {
    T* const hot = out.a.at(panel, i) + j;
    const T e = *hot;
    *hot = 0;
    T others = 0;
    each_row<T>(out.a, i, i + 1, [&](const Panel& each, Index, int column, auto v) {
        const auto e_k = load<decltype(v)>(out.a.at(each, i) + column);
        others += sum(e_k);
        store(out.d.at(each, i) + column, splat<decltype(v)>(scale * y) * e_k);
    });
    *hot = e;
    out.d.at(panel, i)[j] = -scale * y * others;
}

// softmax with C = −Σ y_j ln a_j, where ln a_j = (z_j − max z) − ln(1 + rest).
template <class T>
void cross_entropy(const Output<T>& out, Index first, Index last) {
    using V1 = Vec<T, NARROWEST<T>>;
    for (Index i = first; i < last; ++i) {
        T y_shifted = 0, y_sum = 0;
        const T rest = exponentials(out.a, i, [&]<class V>(const Panel& panel, int column, V shifted) {
            const V y = load<V>(out.y.at(panel, i) + column), zero{};
            y_sum += sum(y);
            y_shifted += sum(y == zero ? zero : y * shifted);
        });
        out.C[i] = out.share[i] * (y_sum * log1p(splat<V1>(rest))[0] - y_shifted);
        const T scale = out.share[i] / (1 + rest);
        int hot = 0, hot_j = 0;
        const Panel* hot_panel = nullptr;
        for (const Panel& panel : out.a.columns->panels)
            for (int j = 0; j < panel.used; ++j)
                if (out.y.at(panel, i)[j] != 0) {
                    ++hot;
                    hot_panel = &panel;
                    hot_j = j;
                }
        if (hot == 1)
            one_hot_target(out, i, scale, out.y.at(*hot_panel, i)[hot_j], *hot_panel, hot_j);
        else
            soft_targets(out, i, scale);
    }
}

// a = e/Σe, for predictions.
template <class T>
void softmax(const Matrix<T>& z, Index first, Index last) {
    for (Index i = first; i < last; ++i) {
        const T rest = exponentials(z, i, [](const Panel&, int, auto) {});
        each_row<T>(z, i, i + 1, [&](const Panel& panel, Index, int column, auto v) {
            T* const at = z.at(panel, i) + column;
            store(at, load<decltype(v)>(at) / splat<decltype(v)>(1 + rest));
        });
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

// Each optimizer's step on one vector of parameters, and its application to a stretch of a layer's rows.
//
// The methods, their forms and their sources are those of src/chainrule/engines/optimizer.py.
#pragma once

#include "kernels.hpp"

namespace chainrule::CHAINRULE_ISA {

// The optimizer's numbers in step t (from 1), in the parameters' type.
template <class T>
struct Constants {
    T lr, momentum, m_rate, v_rate, m_scale = 0, v_scale = 0, epsilon, decay = 1;

    Constants(const Optimizer& o, double lr, double t)
        : lr(T(lr)),
          momentum(T(o.momentum)),
          m_rate(T(1 - o.beta1)),
          v_rate(T(1 - (o.method == Method::rmsprop ? o.rho : o.beta2))),
          // never 0: that would make 0/0 of a number that has no gradient, the padding among them
          epsilon(T(o.epsilon) > std::numeric_limits<T>::min() ? T(o.epsilon) : std::numeric_limits<T>::min()) {
        if (moments_of(o.method) != 2) return;
        const double m = lr / (1 - __builtin_pow(o.beta1, t)), v = 1 / (1 - __builtin_pow(o.beta2, t));
        m_scale = T(o.epsilon_hat ? m / __builtin_sqrt(v) : m);
        v_scale = T(o.epsilon_hat ? 1 : v);
        if (o.method == Method::adamw) decay = T(1 - lr * o.weight_decay);
    }

    Constants without_decay() const {
        Constants c = *this;
        c.decay = 1;
        return c;
    }
};

template <Method method, class V>
CHAINRULE_INLINE void step(V& p, V g, V& m, V& v, const Constants<Element<V>>& c) {
    if constexpr (method == Method::sgd) {
        p = fma(splat<V>(-c.lr), g, p);
    } else if constexpr (method == Method::momentum) {
        m = fma(splat<V>(c.momentum), m, g);
        p = fma(splat<V>(-c.lr), m, p);
    } else if constexpr (method == Method::nesterov) {
        m = fma(splat<V>(c.momentum), m, g);
        p = fma(splat<V>(-c.lr), fma(splat<V>(c.momentum), m, g), p);
    } else if constexpr (method == Method::rmsprop) {
        m = fma(splat<V>(c.v_rate), g * g - m, m);
        p -= splat<V>(c.lr) * g / (sqrt(m) + splat<V>(c.epsilon));
    } else {
        if constexpr (method == Method::adamw) p *= splat<V>(c.decay);
        m = fma(splat<V>(c.m_rate), g - m, m);
        v = fma(splat<V>(c.v_rate), g * g - v, v);
        p -= splat<V>(c.m_scale) * m / (sqrt(splat<V>(c.v_scale) * v) + splat<V>(c.epsilon));
    }
}

// l1·Σ|w| + l2·Σw² and its derivative l1·sign(w) + 2·l2·w, sign(0) = 0.
template <class T>
struct Penalty {
    T l1, l2;

    explicit operator bool() const { return l1 != 0 || l2 != 0; }

    Penalty over(double weight) const { return {T(double(l1) / weight), T(double(l2) / weight)}; }

    template <class V>
    CHAINRULE_INLINE V derivative(V w) const {
        const V zero{};
        const V sign = w > zero ? splat<V>(l1) : w < zero ? splat<V>(-l1) : zero;
        return fma(splat<V>(2 * l2), w, sign);
    }
};

// Some rows of one layer's weights, or its biases as one row: `used` numbers in each, `stride` apart in the parameters
// and the moments, `g_stride` apart in the gradient.
template <class T>
struct Block {
    T* p;
    T* m;
    T* v;
    Index stride;
    T* g;
    Index g_stride;
    int rows;
    int used;
};

// f(p, g, m, v, n) for each vector's worth of a block: pointers, and how many numbers are there (n ≥ lanes: all).
template <class T, class F>
CHAINRULE_INLINE void each_vector(const Block<T>& block, F&& f) {
    constexpr int L = LANES<T>;
    for (int row = 0; row < block.rows; ++row) {
        const Index at = row * block.stride, g_at = row * block.g_stride;
        for (int k = 0; k < block.used; k += L) f(at + k, g_at + k, Index(block.used - k));
    }
}

// g += ∂penalty/∂w, unless it is only asked for the penalty; returns that.
template <bool with_derivative = true, class T>
double penalise(const Block<T>& block, const Penalty<T>& penalty) {
    using V = Vec<T, LANES<T>>;
    V sizes{}, squares{};
    each_vector(block, [&](Index at, Index g_at, Index n) {
        const V w = load_some<V>(block.p + at, n);
        sizes += abs(w);
        squares = fma(w, w, squares);
        if constexpr (with_derivative)
            store_some<V>(block.g + g_at, load_some<V>(block.g + g_at, n) + penalty.derivative(w), n);
    });
    // a sum that overflows has no part in it where its factor is 0
    return (penalty.l1 != 0 ? double(penalty.l1) * double(sum(sizes)) : 0) +
           (penalty.l2 != 0 ? double(penalty.l2) * double(sum(squares)) : 0);
}

template <Method method, class T>
void update(const Block<T>& block, const Constants<T>& c) {
    using V = Vec<T, LANES<T>>;
    constexpr bool has_m = moments_of(method) > 0, has_v = moments_of(method) > 1;
    each_vector(block, [&](Index at, Index g_at, Index n) {
        V p = load_some<V>(block.p + at, n), m{}, v{};
        const V g = load_some<V>(block.g + g_at, n);
        if constexpr (has_m) m = load_some<V>(block.m + at, n);
        if constexpr (has_v) v = load_some<V>(block.v + at, n);
        step<method>(p, g, m, v, c);
        store_some<V>(block.p + at, p, n);
        if constexpr (has_m) store_some<V>(block.m + at, m, n);
        if constexpr (has_v) store_some<V>(block.v + at, v, n);
    });
}

template <class T>
void update(Method method, const Block<T>& block, const Constants<T>& c) {
    switch (method) {
        case Method::sgd: return update<Method::sgd>(block, c);
        case Method::momentum: return update<Method::momentum>(block, c);
        case Method::nesterov: return update<Method::nesterov>(block, c);
        case Method::adam: return update<Method::adam>(block, c);
        case Method::adamw: return update<Method::adamw>(block, c);
        case Method::rmsprop: return update<Method::rmsprop>(block, c);
    }
}

}  // namespace chainrule::CHAINRULE_ISA

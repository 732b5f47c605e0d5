// Each activation σ with its σ′ over a stretch of numbers. The forms are those of src/chainrule/calculus/activation.py.
#pragma once

#include "kernels.hpp"
#include "math.hpp"

namespace chainrule::CHAINRULE_ISA {

// a comes as z and becomes σ(z), d becomes σ′(z).
template <class T>
using Pass = void (*)(T* a, T* d, Index n);

template <class T, class F>
CHAINRULE_INLINE void over(T* a, T* d, Index n, F f) {
    using V = Vec<T, LANES<T>>;
    Index i = 0;
    for (; i + LANES<T> <= n; i += LANES<T>) {
        const Slope<V> slope = f(load<V>(a + i));
        store(a + i, slope.value);
        store(d + i, slope.derivative);
    }
    if (i < n) {
        const Slope<V> slope = f(load_first<V>(a + i, int(n - i)));
        store_first(a + i, slope.value, int(n - i));
        store_first(d + i, slope.derivative, int(n - i));
    }
}

// The slopes that need no more than a comparison; at 0 they are those from the left.
template <class V>
CHAINRULE_INLINE Slope<V> identity(V z) {
    return {z, splat<V>(1)};
}

template <class V>
CHAINRULE_INLINE Slope<V> relu(V z) {
    const V zero{};
    return {max(zero, z), z > zero ? splat<V>(1) : zero};
}

template <class V>
CHAINRULE_INLINE Slope<V> leaky_relu(V z) {
    const V leak = splat<V>(Element<V>(0.01));
    return {z > V{} ? z : z * leak, z > V{} ? splat<V>(1) : leak};
}

template <class T>
Pass<T> pass(Activation activation) {
    using V = Vec<T, LANES<T>>;
    switch (activation) {
        case Activation::identity: return [](T* a, T* d, Index n) { over(a, d, n, [](V z) { return identity(z); }); };
        case Activation::sigmoid: return [](T* a, T* d, Index n) { over(a, d, n, [](V z) { return sigmoid(z); }); };
        case Activation::tanh: return [](T* a, T* d, Index n) { over(a, d, n, [](V z) { return tanh(z); }); };
        case Activation::relu: return [](T* a, T* d, Index n) { over(a, d, n, [](V z) { return relu(z); }); };
        case Activation::leaky_relu:
            return [](T* a, T* d, Index n) { over(a, d, n, [](V z) { return leaky_relu(z); }); };
        case Activation::elu: return [](T* a, T* d, Index n) { over(a, d, n, [](V z) { return elu(z); }); };
        case Activation::softplus: return [](T* a, T* d, Index n) { over(a, d, n, [](V z) { return softplus(z); }); };
        case Activation::silu: return [](T* a, T* d, Index n) { over(a, d, n, [](V z) { return silu(z); }); };
        case Activation::gelu: return [](T* a, T* d, Index n) { over(a, d, n, [](V z) { return gelu(z); }); };
        case Activation::exp:
            return [](T* a, T* d, Index n) {
                over(a, d, n, [](V z) {
                    const V e = exp(z);
                    return Slope<V>{e, e};
                });
            };
        case Activation::softmax: return nullptr;  // the last layer's alone, and then a part of the cost
    }
    return nullptr;
}

}  // namespace chainrule::CHAINRULE_ISA

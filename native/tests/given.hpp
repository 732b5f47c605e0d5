// What the tests give an engine: networks, and examples in blocks of memory that are exactly as long as what is in them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "../engine.hpp"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CHAINRULE_SANITIZE_ADDRESS
#endif
#if __has_feature(thread_sanitizer)
#define CHAINRULE_SANITIZE_THREAD
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(CHAINRULE_SANITIZE_ADDRESS)
#define CHAINRULE_SANITIZE_ADDRESS
#endif
#if defined(__SANITIZE_THREAD__) && !defined(CHAINRULE_SANITIZE_THREAD)
#define CHAINRULE_SANITIZE_THREAD
#endif
#if defined(CHAINRULE_SANITIZE_ADDRESS)
#include <sanitizer/asan_interface.h>
#endif

namespace chainrule::tests {

// Vigna's splitmix64.
class Random {
public:
    explicit Random(std::uint64_t seed) : state(seed) {}

    std::uint64_t bits() {
        std::uint64_t z = state += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    Index below(Index n) { return Index(bits() % std::uint64_t(n)); }
    double uniform() { return double(bits() >> 11) * 0x1p-53; }
    double between(double low, double high) { return low + (high - low) * uniform(); }

private:
    std::uint64_t state;
};

// n numbers that end where the block ends, `gap` numbers after its beginning: with an odd gap they are aligned as one
// number is and no more. The address sanitizer sees what is read or written beside them; intact() tells, without it,
// whether something was written there.
template <class T>
class Block {
public:
    explicit Block(Index n = 0, Index gap = 0)
        : n(n), front(gap * Index(sizeof(T))), base(static_cast<unsigned char*>(std::malloc(std::size_t(whole())))) {
        std::memset(base, CANARY, std::size_t(whole()));
#if defined(CHAINRULE_SANITIZE_ADDRESS)
        ASAN_POISON_MEMORY_REGION(base, std::size_t(front));
#endif
    }
    Block(const Block& other) : Block(other.n, other.front / Index(sizeof(T))) { copy(other); }
    Block(Block&& other) noexcept
        : n(std::exchange(other.n, 0)), front(other.front), base(std::exchange(other.base, nullptr)) {}
    Block& operator=(Block other) noexcept {
        std::swap(n, other.n);
        std::swap(front, other.front);
        std::swap(base, other.base);
        return *this;
    }
    ~Block() {
#if defined(CHAINRULE_SANITIZE_ADDRESS)
        if (base != nullptr) ASAN_UNPOISON_MEMORY_REGION(base, std::size_t(front));
#endif
        std::free(base);
    }

    // The same numbers elsewhere in memory.
    Block moved(Index gap) const {
        Block block(n, gap);
        block.copy(*this);
        return block;
    }

    Index size() const { return n; }
    T* data() { return reinterpret_cast<T*>(base + front); }
    const T* data() const { return reinterpret_cast<const T*>(base + front); }
    T* begin() { return data(); }
    T* end() { return data() + n; }
    const T* begin() const { return data(); }
    const T* end() const { return data() + n; }
    T& operator[](Index i) { return data()[i]; }
    const T& operator[](Index i) const { return data()[i]; }

    bool intact() const {
#if !defined(CHAINRULE_SANITIZE_ADDRESS)
        for (Index i = 0; i < whole(); ++i) {
            if (i == front) i += n * Index(sizeof(T));
            if (i < whole() && base[i] != CANARY) return false;
        }
#endif
        return true;
    }

    // To the bit; but a NaN is as good as another.
    bool same(const Block& other) const {
        if (n != other.n) return false;
        for (Index i = 0; i < n; ++i) {
            const T a = data()[i], b = other.data()[i];
            if (std::memcmp(&a, &b, sizeof(T)) != 0 && (a == a || b == b)) return false;
        }
        return true;
    }

private:
    static constexpr unsigned char CANARY = 0xa5;
#if defined(CHAINRULE_SANITIZE_ADDRESS)
    static constexpr Index BACK = 0;
#else
    static constexpr Index BACK = 128;
#endif

    Index whole() const { return front + n * Index(sizeof(T)) + BACK; }
    void copy(const Block& other) {
        if (n > 0) std::memcpy(data(), other.data(), std::size_t(n) * sizeof(T));
    }

    Index n, front;
    unsigned char* base;
};

inline Index n_parameters(const Network& network) {
    Index n = 0;
    for (std::size_t l = 1; l < network.sizes.size(); ++l) n += (network.sizes[l - 1] + 1) * network.sizes[l];
    return n;
}

inline constexpr Activation ELEMENTWISE[] = {
    Activation::identity, Activation::sigmoid,  Activation::tanh, Activation::relu, Activation::leaky_relu,
    Activation::elu,      Activation::softplus, Activation::silu, Activation::gelu, Activation::exp,
};

struct Ending {
    Activation activation;
    Cost cost;
};

// Every last activation with every cost that it goes with.
inline std::vector<Ending> endings() {
    std::vector<Ending> all{{Activation::softmax, Cost::cross_entropy},
                            {Activation::sigmoid, Cost::binary_cross_entropy},
                            {Activation::exp, Cost::poisson},
                            {Activation::softplus, Cost::poisson}};
    for (const Activation activation : ELEMENTWISE)
        for (const Cost cost : {Cost::squared_error, Cost::half_squared_error, Cost::mean_squared_error, Cost::huber})
            all.push_back({activation, cost});
    return all;
}

// A network with its parameters and examples.
template <class T>
struct Problem {
    Network network;
    Block<T> p, X, Y, weights;  // no weights: none
    Index n;

    Examples<T> examples() const { return {X.data(), Y.data(), weights.size() ? weights.data() : nullptr, n}; }
    Index n_0() const { return network.sizes.front(); }
    Index n_L() const { return network.sizes.back(); }
    Index L() const { return Index(network.activation.size()); }

    // The layer of parameter i, from 0, and whether it is a weight.
    std::pair<Index, bool> place(Index i) const {
        for (std::size_t l = 0;; ++l) {
            const Index w = network.sizes[l] * network.sizes[l + 1];
            if (i < w + network.sizes[l + 1]) return {Index(l), i < w};
            i -= w + network.sizes[l + 1];
        }
    }
};

template <class T>
void fill_targets(Block<T>& Y, Cost cost, Index n_L, Random& random) {
    for (T& y : Y) {
        switch (cost) {
            case Cost::cross_entropy: y = T(random.between(0.01, 1)); break;
            case Cost::binary_cross_entropy: y = random.below(2) ? T(random.below(2)) : T(random.uniform()); break;
            case Cost::poisson: y = T(random.below(5)); break;
            default: y = T(random.between(-2, 2));
        }
    }
    if (cost != Cost::cross_entropy) return;
    for (Index i = 0; i < Y.size(); i += n_L) {
        double sum = 0;
        const bool one_hot = random.below(2);
        const Index hot = random.below(n_L);
        for (Index j = 0; j < n_L; ++j) {
            if (one_hot) Y[i + j] = j == hot;
            sum += double(Y[i + j]);
        }
        for (Index j = 0; j < n_L; ++j) Y[i + j] = T(double(Y[i + j]) / sum);
    }
}

// Moderate numbers of each kind that the network takes.
template <class T>
Problem<T> problem(std::vector<Index> sizes, std::vector<Activation> hidden, Ending ending, Index n, Random& random,
                   bool weighted = false, double l1 = 0, double l2 = 0) {
    hidden.push_back(ending.activation);
    Network network{std::move(sizes), std::move(hidden), ending.cost, l1, l2};
    const Index n_0 = network.sizes.front(), n_L = network.sizes.back(), gap = random.below(4);
    Problem<T> made{network,         Block<T>(n_parameters(network), gap), Block<T>(n * n_0, random.below(4)),
                    Block<T>(n * n_L, random.below(4)), Block<T>(weighted ? n : 0, random.below(4)), n};
    T* p = made.p.data();
    for (std::size_t l = 1; l < network.sizes.size(); ++l) {
        const Index n_in = network.sizes[l - 1], n_out = network.sizes[l];
        const double size = 1.5 / std::sqrt(double(n_in));
        for (Index i = 0; i < n_in * n_out; ++i) *p++ = T(random.between(-size, size));
        for (Index i = 0; i < n_out; ++i) *p++ = T(random.between(-0.5, 0.5));
    }
    for (T& x : made.X) x = T(random.between(-2, 2));
    fill_targets(made.Y, ending.cost, n_L, random);
    for (T& weight : made.weights) weight = random.below(4) ? T(random.between(0, 3)) : T(0);
    if (weighted) made.weights[n - 1] = T(0.5);
    return made;
}

}  // namespace chainrule::tests

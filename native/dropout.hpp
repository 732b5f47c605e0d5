// Which numbers a training step drops. They are those of src/chainrule/engines/random.py: they depend on the key, the step,
// the layer, the row of the batch and the neuron alone, so that any thread can draw them in any order.
#pragma once

#include <array>

#include "memory.hpp"

namespace chainrule::CHAINRULE_ISA {

using Words = std::array<std::uint32_t, 4>;

// Philox 4×32-10 of Salmon, Moraes, Dror, Shaw, Parallel Random Numbers: as Easy as 1, 2, 3, SC 2011.
inline Words philox(std::uint64_t key, Words c) {
    std::uint32_t k0 = std::uint32_t(key), k1 = std::uint32_t(key >> 32);
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t first = std::uint64_t(c[0]) * 0xD2511F53u, second = std::uint64_t(c[2]) * 0xCD9E8D57u;
        c = {std::uint32_t(second >> 32) ^ c[1] ^ k0, std::uint32_t(second), std::uint32_t(first >> 32) ^ c[3] ^ k1,
             std::uint32_t(first)};
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return c;
}

struct Dropout {
    const double* p = nullptr;  // of layers 0 … L − 1; null: nothing is dropped
    std::uint64_t key = 0, step = 0;

    bool of(int l) const { return p != nullptr && p[l] > 0; }

    // Rows first … last − 1 of one panel of a⁽ˡ⁾, whose first is row `row` of the batch; and of σ′, where d is not null.
    template <class T>
    void operator()(int l, const Panel& panel, Index row, Index first, Index last, T* a, T* d) const {
        const std::uint32_t dropped = std::uint32_t(p[l] * 4294967296.0);
        const T scale = T(1 / (1 - p[l]));
        for (Index i = first; i < last; ++i, ++row, a += panel.width, d += d ? panel.width : 0)
            for (int j = 0; j < panel.used;) {
                const Index neuron = panel.first + j;
                const Words words =
                    philox(key, {std::uint32_t(neuron / 4), std::uint32_t(row), std::uint32_t(step), std::uint32_t(l)});
                for (std::size_t word = std::size_t(neuron % 4); word < 4 && j < panel.used; ++word, ++j) {
                    const bool kept = words[word] >= dropped;
                    a[j] = kept ? a[j] * scale : T(0);
                    if (d) d[j] = kept ? d[j] * scale : T(0);
                }
            }
    }
};

}  // namespace chainrule::CHAINRULE_ISA

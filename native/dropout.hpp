// Which numbers a training step drops. They are those of src/chainrule/engines/random.py: they depend on the key, the step,
// the layer, the row of the batch and the neuron alone, so that any thread can draw them in any order.
#pragma once

#include "memory.hpp"

namespace chainrule::CHAINRULE_ISA {

inline constexpr int COUNTERS = 16;

// Four words for each counter (c0, c1, step, layer), one after the other. Philox 4×32-10 of Salmon, Moraes, Dror, Shaw,
// Parallel Random Numbers: as Easy as 1, 2, 3, SC 2011.
inline void philox(std::uint64_t key, const std::uint32_t* c0, const std::uint32_t* c1, std::uint32_t step,
                   std::uint32_t layer, std::uint32_t* words) {
    constexpr std::uint32_t M0 = 0xD2511F53u, M1 = 0xCD9E8D57u;
    const auto high = [](std::uint32_t a, std::uint32_t b) { return std::uint32_t(std::uint64_t(a) * b >> 32); };
    std::uint32_t c[4][COUNTERS];
    for (int i = 0; i < COUNTERS; ++i) {
        c[0][i] = c0[i];
        c[1][i] = c1[i];
        c[2][i] = step;
        c[3][i] = layer;
    }
    std::uint32_t k0 = std::uint32_t(key), k1 = std::uint32_t(key >> 32);
    for (int round = 0; round < 10; ++round) {
        for (int i = 0; i < COUNTERS; ++i) {
            const std::uint32_t first = high(c[2][i], M1) ^ c[1][i] ^ k0, third = high(c[0][i], M0) ^ c[3][i] ^ k1;
            c[1][i] = c[2][i] * M1;
            c[3][i] = c[0][i] * M0;
            c[0][i] = first;
            c[2][i] = third;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int i = 0; i < COUNTERS; ++i)
        for (int word = 0; word < 4; ++word) words[4 * i + word] = c[word][i];
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
        // the counters of a row begin at `block`; one has four neurons
        const Index block = panel.first / 4;
        const int offset = int(panel.first % 4), each = (offset + panel.used + 3) / 4, together = COUNTERS / each;
        std::uint32_t neurons[COUNTERS], rows[COUNTERS], words[4 * COUNTERS];
        for (int i = 0; i < COUNTERS; ++i) neurons[i] = std::uint32_t(block + i % each);
        for (; first < last; first += together, row += together) {
            for (int i = 0; i < COUNTERS; ++i) rows[i] = std::uint32_t(row + i / each);
            philox(key, neurons, rows, std::uint32_t(step), std::uint32_t(l), words);
            const Index some = last - first < together ? last - first : together;
            for (Index i = 0; i < some; ++i, a += panel.width, d += d ? panel.width : 0) {
                const std::uint32_t* const word = words + 4 * each * i + offset;
                for (int j = 0; j < panel.used; ++j) a[j] = word[j] >= dropped ? a[j] * scale : T(0);
                for (int j = 0; d && j < panel.used; ++j) d[j] = word[j] >= dropped ? d[j] * scale : T(0);
            }
        }
    }
};

}  // namespace chainrule::CHAINRULE_ISA

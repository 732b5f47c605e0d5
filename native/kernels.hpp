// The products of a layer, a tile of rows × one panel at a time, and the transposition between them.
//
// The accumulators of a tile stay in registers; each is a chain of fma in the order of the sum, the same chain whatever
// tile an entry falls into, so that no way to cut the work changes a bit.
#pragma once

#include <algorithm>

#include "panel.hpp"

namespace chainrule::CHAINRULE_ISA {

// How many rows a tile has at the most: as many as leave registers for one row of the panel and a broadcast.
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr int TILE_ROWS = 8;
#else
inline constexpr int TILE_ROWS = 6;
#endif

template <int M, class V, int N>
struct Tile {
    using T = Element<V>;
    static constexpr int W = N * lanes<V>;
    V v[M][N];

    CHAINRULE_INLINE void fill(const T* row) {
#pragma GCC unroll 8
        for (int m = 0; m < M; ++m)
#pragma GCC unroll 2
            for (int n = 0; n < N; ++n) v[m][n] = row ? load<V>(row + n * lanes<V>) : V{};
    }

    CHAINRULE_INLINE void fill_rows(const T* each) {
#pragma GCC unroll 8
        for (int m = 0; m < M; ++m)
#pragma GCC unroll 2
            for (int n = 0; n < N; ++n) v[m][n] = splat<V>(each[m]);
    }

    // v[m] += Σ_k a[m, k]·b[k], where a[m, k] = a[m·row + k·step] and b[k] is a row of a panel.
    CHAINRULE_INLINE void multiply(const T* a, Index row, Index step, const T* b, Index K) {
        for (Index k = 0; k < K; ++k) {
            V line[N];
#pragma GCC unroll 2
            for (int n = 0; n < N; ++n) line[n] = load<V>(b + n * lanes<V>);
#pragma GCC unroll 8
            for (int m = 0; m < M; ++m) {
                const V each = splat<V>(a[m * row]);
#pragma GCC unroll 2
                for (int n = 0; n < N; ++n) v[m][n] = fma(each, line[n], v[m][n]);
            }
            a += step;
            b += W;
        }
    }

    CHAINRULE_INLINE void put(T* out) const {
#pragma GCC unroll 8
        for (int m = 0; m < M; ++m)
#pragma GCC unroll 2
            for (int n = 0; n < N; ++n) store(out + m * W + n * lanes<V>, v[m][n]);
    }

    CHAINRULE_INLINE void scale(T* out) const {
#pragma GCC unroll 8
        for (int m = 0; m < M; ++m)
#pragma GCC unroll 2
            for (int n = 0; n < N; ++n) {
                T* p = out + m * W + n * lanes<V>;
                store(p, load<V>(p) * v[m][n]);
            }
    }

    CHAINRULE_INLINE void add(T* out) const {
#pragma GCC unroll 8
        for (int m = 0; m < M; ++m)
#pragma GCC unroll 2
            for (int n = 0; n < N; ++n) {
                T* p = out + m * W + n * lanes<V>;
                store(p, load<V>(p) + v[m][n]);
            }
    }
};

template <class T, int M, int W>
using TileOf = Tile<M, typename RowOf<T, W>::V, RowOf<T, W>::N>;

// f<M>() for M rows, 1 ≤ M ≤ TILE_ROWS.
template <int M = TILE_ROWS, class F>
CHAINRULE_INLINE void by_rows(Index rows, F&& f) {
    if constexpr (M == 1) {
        f(Width<1>());
    } else {
        if (rows == M) return f(Width<M>());
        by_rows<M - 1>(rows, f);
    }
}

// the products --------------------------------------------------------------------------------------

// Rows i … i + M − 1 of Σ_k in[i, k]·panel[k], the sum over all columns of `in`, begun at `from`.
template <class T, int M, int W>
CHAINRULE_INLINE TileOf<T, M, W> product(const Matrix<T>& in, Index i, const T* panel, const T* from) {
    TileOf<T, M, W> tile;
    tile.fill(from);
    for (const Panel& p : in.columns->panels) {
        tile.multiply(in.at(p, i), p.width, 1, panel, p.used);
        panel += Index(p.used) * W;
    }
    return tile;
}

// z[i] = b + Σ_k a[i, k]·w[k], for rows i … i + M − 1 of one panel of the layer.
template <class T, int M, int W>
[[gnu::noinline]] void forward_tile(const Matrix<T>& a, Index i, const T* w, const T* b, T* z) {
    product<T, M, W>(a, i, w, b).put(z);
}

// d[i] ← d[i]·Σ_j δ[i, j]·w[j]: d comes as σ′ and becomes ∂C/∂z.
template <class T, int M, int W>
[[gnu::noinline]] void backward_tile(const Matrix<T>& delta, Index i, const T* w, T* d) {
    product<T, M, W>(delta, i, w, static_cast<const T*>(nullptr)).scale(d);
}

// ∂C/∂w[j, k] = Σ_i δ[i, j]·a[i, k] for M neurons j side by side and one panel of k.
template <class T, int M, int W>
[[gnu::noinline]] void gradient_tile(const T* delta, Index delta_width, const T* a, Index rows, T* out, bool add) {
    TileOf<T, M, W> tile;
    tile.fill(nullptr);
    tile.multiply(delta, 1, delta_width, a, rows);
    if (add)
        tile.add(out);
    else
        tile.put(out);
}

// The same for rows first … last − 1 and all neurons of one panel of the layer above: the products over tiles of rows.
template <class T>
void forward(const Matrix<T>& a, Index first, Index last, const T* w, const T* b, const Panel& panel, T* z) {
    by_width<T>(panel.width, [&](auto width) {
        constexpr int W = decltype(width)::value;
        Index i = first;
        for (; i + TILE_ROWS <= last; i += TILE_ROWS, z += TILE_ROWS * W) forward_tile<T, TILE_ROWS, W>(a, i, w, b, z);
        if (i < last)
            by_rows(last - i, [&](auto rows) { forward_tile<T, decltype(rows)::value, W>(a, i, w, b, z); });
    });
}

template <class T>
void backward(const Matrix<T>& delta, Index first, Index last, const T* w, const Panel& panel, T* d) {
    by_width<T>(panel.width, [&](auto width) {
        constexpr int W = decltype(width)::value;
        Index i = first;
        for (; i + TILE_ROWS <= last; i += TILE_ROWS, d += TILE_ROWS * W) backward_tile<T, TILE_ROWS, W>(delta, i, w, d);
        if (i < last)
            by_rows(last - i, [&](auto rows) { backward_tile<T, decltype(rows)::value, W>(delta, i, w, d); });
    });
}

// ∂C/∂w of one panel j of neurons × one panel k of inputs, into out (neurons × the width of k).
template <class T>
void weight_gradient(const T* delta, const Panel& j, const T* a, const Panel& k, Index rows, T* out, bool add) {
    by_width<T>(k.width, [&](auto width) {
        constexpr int W = decltype(width)::value;
        int m = 0;
        for (; m + TILE_ROWS <= j.used; m += TILE_ROWS)
            gradient_tile<T, TILE_ROWS, W>(delta + m, j.width, a, rows, out + m * W, add);
        if (m < j.used)
            by_rows(j.used - m, [&](auto left) {
                gradient_tile<T, decltype(left)::value, W>(delta + m, j.width, a, rows, out + m * W, add);
            });
    });
}

// ∂C/∂b[j] = Σ_i δ[i, j] of one panel of neurons.
template <class T>
void bias_gradient(const T* delta, const Panel& j, Index rows, T* out, bool add) {
    by_width<T>(j.width, [&](auto width) {
        constexpr int W = decltype(width)::value;
        TileOf<T, 1, W> total;
        total.fill(nullptr);
        for (Index i = 0; i < rows; ++i) {
#pragma GCC unroll 2
            for (int n = 0; n < RowOf<T, W>::N; ++n) {
                using V = typename RowOf<T, W>::V;
                total.v[0][n] += load<V>(delta + i * W + n * lanes<V>);
            }
        }
        if (add)
            total.add(out);
        else
            total.put(out);
    });
}

// The same z for M neurons and one panel of examples, the columns here: zᵀ from aᵀ, with w and b as the caller has them.
template <class T, int M, int W>
[[gnu::noinline]] void turned_tile(const T* w, Index n_in, const T* b, const T* a, T* z) {
    TileOf<T, M, W> tile;
    tile.fill_rows(b);
    tile.multiply(w, n_in, 1, a, n_in);
    tile.put(z);
}

template <class T>
void forward_turned(const T* w, Index n_in, const T* b, Index neurons, const Panel& panel, const T* a, T* z) {
    by_width<T>(panel.width, [&](auto width) {
        constexpr int W = decltype(width)::value;
        Index j = 0;
        for (; j + TILE_ROWS <= neurons; j += TILE_ROWS)
            turned_tile<T, TILE_ROWS, W>(w + j * n_in, n_in, b + j, a, z + j * W);
        if (j < neurons)
            by_rows(neurons - j, [&](auto left) {
                turned_tile<T, decltype(left)::value, W>(w + j * n_in, n_in, b + j, a, z + j * W);
            });
    });
}

// transposition -------------------------------------------------------------------------------------

// a's and b's lanes that `pick` names, the same in every block of B lanes; b's count from B.
template <int B, class V, int... I>
CHAINRULE_INLINE V shuffle(V a, V b, const auto pick, std::integer_sequence<int, I...>) {
    constexpr int n = lanes<V>;
    constexpr auto from = [](int i) {
        const int lane = decltype(pick)::of(i % B);
        return i / B * B + (lane < B ? lane : n + lane - B);
    };
    return shuffle(a, b, std::integer_sequence<int, from(I)...>());
}

// The lower and the upper halves of blocks of 2·half lanes, side by side.
template <int half, bool upper>
struct Halves {
    static constexpr int of(int i) { return (upper ? half : 0) + (i < half ? i : i + half); }
};

// The lower and the upper lanes of blocks of 4, taken in turns.
template <bool upper>
struct Turns {
    static constexpr int of(int i) { return (upper ? 2 : 0) + i / 2 + (i % 2 ? 4 : 0); }
};

// Transpose a square of vectors. Pairs of rows `half` apart exchange their off-diagonal blocks; the innermost 4 × 4 of
// floats go in the two steps that every instruction set has instructions for.
template <class V, int half = 1>
CHAINRULE_INLINE void transpose(V (&rows)[lanes<V>]) {
    constexpr int n = lanes<V>;
    constexpr auto all = std::make_integer_sequence<int, n>();
    if constexpr (sizeof(Element<V>) == 4 && half == 1) {
#pragma GCC unroll 4
        for (int i = 0; i < n; i += 4) {
            const V low01 = shuffle<4>(rows[i], rows[i + 1], Turns<false>(), all);
            const V high01 = shuffle<4>(rows[i], rows[i + 1], Turns<true>(), all);
            const V low23 = shuffle<4>(rows[i + 2], rows[i + 3], Turns<false>(), all);
            const V high23 = shuffle<4>(rows[i + 2], rows[i + 3], Turns<true>(), all);
            rows[i] = shuffle<4>(low01, low23, Halves<2, false>(), all);
            rows[i + 1] = shuffle<4>(low01, low23, Halves<2, true>(), all);
            rows[i + 2] = shuffle<4>(high01, high23, Halves<2, false>(), all);
            rows[i + 3] = shuffle<4>(high01, high23, Halves<2, true>(), all);
        }
        transpose<V, 4>(rows);
    } else if constexpr (half < n) {
#pragma GCC unroll 16
        for (int i = 0; i < n; ++i) {
            if (i & half) continue;
            const V a = rows[i], b = rows[i + half];
            rows[i] = shuffle<2 * half>(a, b, Halves<half, false>(), all);
            rows[i + half] = shuffle<2 * half>(a, b, Halves<half, true>(), all);
        }
        transpose<V, 2 * half>(rows);
    }
}

// n numbers (0 < n ≤ lanes) into a vector, 0 beyond; and back.
template <class V>
CHAINRULE_INLINE V load_some(const Element<V>* p, Index n) {
    return n >= lanes<V> ? load<V>(p) : load_first<V>(p, int(n));
}

template <class V>
CHAINRULE_INLINE void store_some(Element<V>* p, V v, Index n) {
    if (n >= lanes<V>)
        store(p, v);
    else
        store_first(p, v, int(n));
}

// Write w (rows of `stride` numbers), of which the rows of panel j and the columns k … k + n − 1 are wanted, into `out`,
// where each of these columns is a row of the panel; what the panel has beyond its rows becomes 0.
template <class T>
void transpose_into(const T* w, Index stride, const Panel& j, Index n, T* out) {
    if (stride == 1) {  // one column, which is a row already
        std::copy_n(w, j.used, out);
        std::fill(out + j.used, out + j.width, T(0));
        return;
    }
    by_width<T>(j.width, [&](auto width) {
        constexpr int W = decltype(width)::value;
        using V = typename RowOf<T, W>::V;
        constexpr int L = lanes<V>;
        for (Index k = 0; k < n; k += L) {
            for (int part = 0; part < RowOf<T, W>::N; ++part) {
                V block[L];
#pragma GCC unroll 16
                for (int r = 0; r < L; ++r) {
                    const int row = part * L + r;
                    block[r] = row < j.used ? load_some<V>(w + row * stride + k, n - k) : V{};
                }
                transpose(block);
                const Index columns = n - k < L ? n - k : L;
#pragma GCC unroll 16
                for (int c = 0; c < L; ++c)
                    if (c < columns) store(out + (k + c) * W + part * L, block[c]);
            }
        }
    });
}

// The other way: n rows of panel j become the columns k … k + n − 1 of w.
template <class T>
void transpose_from(const T* panel, const Panel& j, Index n, T* w, Index stride) {
    if (stride == 1) {
        std::copy_n(panel, j.used, w);
        return;
    }
    by_width<T>(j.width, [&](auto width) {
        constexpr int W = decltype(width)::value;
        using V = typename RowOf<T, W>::V;
        constexpr int L = lanes<V>;
        for (Index k = 0; k < n; k += L) {
            const Index rows = n - k < L ? n - k : L;
            for (int part = 0; part < RowOf<T, W>::N; ++part) {
                V block[L];
#pragma GCC unroll 16
                for (int r = 0; r < L; ++r) block[r] = r < rows ? load<V>(panel + (k + r) * W + part * L) : V{};
                transpose(block);
#pragma GCC unroll 16
                for (int c = 0; c < L; ++c)
                    if (part * L + c < j.used) store_some<V>(w + (part * L + c) * stride + k, block[c], rows);
            }
        }
    });
}

// `used` numbers into a row of a panel; 0 in the padding.
template <class T, int W>
CHAINRULE_INLINE void copy_row(const T* from, int used, T* to) {
    using V = typename RowOf<T, W>::V;
#pragma GCC unroll 2
    for (int n = 0; n < RowOf<T, W>::N; ++n) {
        const int left = used - n * lanes<V>;
        store(to + n * lanes<V>, left > 0 ? load_some<V>(from + n * lanes<V>, left) : V{});
    }
}

// Write the columns of panel k of w into a panel with as many rows.
template <class T>
void copy_into(const T* w, Index stride, const Panel& k, Index rows, T* out) {
    by_width<T>(k.width, [&](auto width) {
        constexpr int W = decltype(width)::value;
        for (Index r = 0; r < rows; ++r) copy_row<T, W>(w + r * stride, k.used, out + r * W);
    });
}

// The forward product as dot products; every matrix row by row, w and b as the caller has them. The lanes of an accumulator
// are added at the end, so the last bits are not those of the other products.
template <class T>
inline constexpr int DOT_ROWS = LANES<T> < 8 ? 1 : LANES<T> / 4;  // at a time

template <class T, int M, int J>
[[gnu::noinline]] void dot_tile(const T* a, Index n_in, const T* w, const T* b, T* z, Index n_out) {
    using V = Vec<T, LANES<T>>;
    V sums[M][J]{};
    const auto multiply = [&](Index k, const auto& get) __attribute__((always_inline)) {
        V each[M];
#pragma GCC unroll 4
        for (int m = 0; m < M; ++m) each[m] = get(a + m * n_in + k);
#pragma GCC unroll 8
        for (int j = 0; j < J; ++j) {
            const V weights = get(w + j * n_in + k);
#pragma GCC unroll 4
            for (int m = 0; m < M; ++m) sums[m][j] = fma(each[m], weights, sums[m][j]);
        }
    };
    Index k = 0;
    for (; k + lanes<V> <= n_in; k += lanes<V>) multiply(k, [](const T* from) { return load<V>(from); });
    if (const int left = int(n_in - k); left > 0) multiply(k, [left](const T* from) { return load_first<V>(from, left); });
#pragma GCC unroll 4
    for (int m = 0; m < M; ++m)
#pragma GCC unroll 8
        for (int j = 0; j < J; ++j) z[m * n_out + j] = sum(sums[m][j]) + b[j];
}

// z[i, j] for all rows i and neurons first … last − 1.
template <class T>
void forward_dots(const T* a, Index rows, Index n_in, const T* w, const T* b, Index first, Index last, T* z, Index n_out) {
    for (Index i = 0; i < rows; i += DOT_ROWS<T>, a += DOT_ROWS<T> * n_in, z += DOT_ROWS<T> * n_out)
        by_rows<DOT_ROWS<T>>(rows - i < DOT_ROWS<T> ? rows - i : DOT_ROWS<T>, [&](auto m) {
            constexpr int M = decltype(m)::value, J = 8 / M;
            Index j = first;
            for (; j + J <= last; j += J) dot_tile<T, M, J>(a, n_in, w + j * n_in, b + j, z + j, n_out);
            if (j < last)
                by_rows<J>(last - j, [&](auto left) {
                    dot_tile<T, M, decltype(left)::value>(a, n_in, w + j * n_in, b + j, z + j, n_out);
                });
        });
}

}  // namespace chainrule::CHAINRULE_ISA

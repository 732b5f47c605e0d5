// The one layout of every matrix of the engine: its columns in panels as wide as a tile of the kernels, each panel row
// by row without gaps.
//
// A panel streams through a kernel from start to end, whatever the size of the matrix; and the columns that a layer has
// too few of to fill a vector are wasted only in its last, narrower panels. Those spare columns are padding: what is in
// them is finite but means nothing, and no kernel lets it into a number that counts.
#pragma once

#include "engine.hpp"
#include "vector.hpp"

namespace chainrule::CHAINRULE_ISA {

// Panel widths: two vectors, one, and fractions of one down to 16 bytes.
template <class T>
inline constexpr int WIDEST = 2 * LANES<T>;
template <class T>
inline constexpr int NARROWEST = 16 / int(sizeof(T));

template <int W>
struct Width {
    static constexpr int value = W;
};

// f(Width<width>()).
template <class T, int W = WIDEST<T>, class F>
CHAINRULE_INLINE decltype(auto) by_width(int width, F&& f) {
    if constexpr (W / 2 < NARROWEST<T>) {
        return f(Width<W>());
    } else {
        if (width == W) return f(Width<W>());
        return by_width<T, W / 2>(width, f);
    }
}

// The vectors that a row of a panel consists of.
template <class T, int W>
struct RowOf {
    static constexpr int N = W > LANES<T> ? W / LANES<T> : 1;
    using V = Vec<T, W / N>;
};

// Columns first … first + used − 1 of a matrix; `start` counts the columns before with their padding.
struct Panel {
    Index first;
    Index start;
    int used;
    int width;
};

// How n columns are cut into panels.
struct Columns {
    std::vector<Panel> panels;
    Index n = 0;
    Index padded = 0;
    Index rows_at_a_time = 0;  // so many rows stay in the first cache while they are copied panel by panel
};

template <class T>
Columns cut(Index n) {
    Columns columns;
    columns.n = n;
    for (Index first = 0; first < n;) {
        const Index left = n - first;
        int width = WIDEST<T>;
        while (width / 2 >= NARROWEST<T> && width / 2 >= left) width /= 2;
        // two narrow panels rather than a wide one that is mostly padding
        if (width / 2 >= NARROWEST<T> && 5 * left <= 3 * width) width /= 2;
        const int used = left < width ? int(left) : width;
        columns.panels.push_back({first, columns.padded, used, width});
        columns.padded += width;
        first += used;
    }
    const Index row = n * Index(sizeof(T));
    columns.rows_at_a_time = row > 8000 ? 16 : 1 + 8192 / row;  // of wide rows, enough to write stretches
    return columns;
}

// A matrix with room for `rows` rows.
template <class T>
struct Matrix {
    const Columns* columns = nullptr;
    T* data = nullptr;
    Index rows = 0;

    T* at(const Panel& panel, Index row) const { return data + panel.start * rows + row * panel.width; }
};

}  // namespace chainrule::CHAINRULE_ISA

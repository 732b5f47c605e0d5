// The weights of one part of the gradient: from where the caller has them to where steps keep them, as the products take
// them, and back.
#pragma once

#include "memory.hpp"

namespace chainrule::CHAINRULE_ISA {

// The panels that follow from the weights; those for the backward product where it will follow.
template <class T>
void derive(const Plan<T>& plan, const Part& part, const Weights<T>& own, bool backward_too = true) {
    const Layer<T>& layer = plan.layers[std::size_t(part.layer)];
    const Packed<T>& packed = own.layers[std::size_t(part.layer)];
    const Panel &j = *part.j, &k = *part.k;
    T* const backward = packed.backward && backward_too ? packed.backward + k.start * layer.n_out + j.first * k.width : nullptr;
    if (layer.in_panels) {
        if (backward) transpose_into(packed.forward + part.kept_w, j.width, k, j.used, backward);
        return;
    }
    const T* const w = own.parameters + part.w;
    transpose_into(w, layer.n_in, j, k.used, packed.forward + part.kept_w);
    if (backward) copy_into(w, layer.n_in, k, j.used, backward);
    if (part.n_biases) copy_into(own.parameters + part.b, 0, j, 1, packed.forward + part.kept_b);
}

// From the caller's arrays, which moments that are null are not among.
template <class T>
void load(const Plan<T>& plan, const Part& part, const Weights<T>& own, bool backward_too = true) {
    const Layer<T>& layer = plan.layers[std::size_t(part.layer)];
    const Packed<T>& packed = own.layers[std::size_t(part.layer)];
    if (layer.in_panels)
        for (int i = 0; i < 3; ++i) {
            const T* const from = i == 0 ? own.parameters : own.moments[i - 1];
            T* const to = i == 0 ? packed.forward : packed.moments[i - 1];
            if (from == nullptr) continue;
            transpose_into(from + part.w, layer.n_in, *part.j, part.k->used, to + part.kept_w);
            if (part.n_biases) copy_into(from + part.b, 0, *part.j, 1, to + part.kept_b);
        }
    derive(plan, part, own, backward_too);
}

// One array of a part, as the steps keep it, to the caller's.
template <class T>
void store(const Layer<T>& layer, const Part& part, const T* w, const T* b, T* to) {
    const Panel &j = *part.j, &k = *part.k;
    if (layer.in_panels)
        transpose_from(w, j, k.used, to + part.w, layer.n_in);
    else
        for (int row = 0; row < j.used; ++row)
            std::memcpy(to + part.w + row * layer.n_in, w + row * k.width, std::size_t(k.used) * sizeof(T));
    if (part.n_biases) std::memcpy(to + part.b, b, std::size_t(j.used) * sizeof(T));
}

template <class T>
void store(const Plan<T>& plan, const Part& part, const Weights<T>& own) {
    const Layer<T>& layer = plan.layers[std::size_t(part.layer)];
    const Packed<T>& packed = own.layers[std::size_t(part.layer)];
    if (!layer.in_panels) return;  // they were changed where they are
    for (int i = 0; i < 3; ++i) {
        T* const to = i == 0 ? own.parameters : own.moments[i - 1];
        const T* const from = i == 0 ? packed.forward : packed.moments[i - 1];
        if (to) store(layer, part, from + part.kept_w, from + part.kept_b, to);
    }
}

template <class T>
T* moved(T* p, Index by) {
    return p ? p + by : nullptr;
}

// n numbers of a layer that is kept in panels.
template <class T>
Block<T> kept(const Part& part, const Weights<T>& own, Index at, T* g, int n) {
    const Packed<T>& packed = own.layers[std::size_t(part.layer)];
    return {packed.forward + at, own.moments[0] ? packed.moments[0] + at : nullptr,
            own.moments[1] ? packed.moments[1] + at : nullptr, 0, g, 0, 1, n};
}

// 0 again in the padding of a part's weights, which is no number any more where infinite numbers have met it.
template <class T>
void clear_padding(const Plan<T>& plan, const Part& part, const Weights<T>& own) {
    const Panel& j = *part.j;
    if (j.used == j.width || !plan.layers[std::size_t(part.layer)].in_panels) return;
    T* row = own.layers[std::size_t(part.layer)].forward + part.kept_w;
    for (int k = 0; k < part.k->used; ++k, row += j.width) std::fill(row + j.used, row + j.width, T(0));
}

// What an optimizer works on: a part's weights with their gradient g, and its biases with theirs.
template <class T>
Block<T> weights_of(const Plan<T>& plan, const Part& part, const Weights<T>& own, T* g) {
    const Layer<T>& layer = plan.layers[std::size_t(part.layer)];
    if (layer.in_panels) return kept(part, own, part.kept_w, g, int(part.n_weights));
    return {moved(own.parameters, part.w), moved(own.moments[0], part.w), moved(own.moments[1], part.w),
            layer.n_in, g, part.k->width, part.j->used, part.k->used};
}

template <class T>
Block<T> biases_of(const Plan<T>& plan, const Part& part, const Weights<T>& own, T* g) {
    if (plan.layers[std::size_t(part.layer)].in_panels) return kept(part, own, part.kept_b, g, int(part.n_biases));
    return {moved(own.parameters, part.b), moved(own.moments[0], part.b), moved(own.moments[1], part.b), 0, g, 0, 1,
            part.j->used};
}

// A part's update by its gradient g.
template <class T>
void update(const Plan<T>& plan, Method method, const Part& part, const Weights<T>& own, T* g,
            const Constants<T>& constants) {
    Block<T> w = weights_of(plan, part, own, g);
    const bool alike = method != Method::adamw;  // whose biases do not decay
    const bool one_piece =
        alike && plan.layers[std::size_t(part.layer)].in_panels && part.kept_b == part.kept_w + part.n_weights;
    if (one_piece) w.used += int(part.n_biases);
    update(method, w, constants);
    if (part.n_biases && !one_piece)
        update(method, biases_of(plan, part, own, g + part.n_weights), constants.without_decay());
}

// ‖g‖² of a part's gradient, without its padding.
template <class T>
double squares(const Plan<T>& plan, const Part& part, const T* g) {
    const Panel &j = *part.j, &k = *part.k;
    const bool in_panels = plan.layers[std::size_t(part.layer)].in_panels;
    const Panel& row = in_panels ? j : k;
    using V = Vec<T, LANES<T>>;
    using D = Vec<double, LANES<T>>;  // in which no square is too large or too small
    D sums{};
    const auto add = [&](const T* numbers, Index n) {
        for (Index i = 0; i < n; i += LANES<T>) {
            const D x = __builtin_convertvector(load_some<V>(numbers + i, n - i), D);
            sums += x * x;
        }
    };
    const Index rows = (in_panels ? k : j).used;
    if (row.used == row.width)
        add(g, rows * row.width);
    else
        for (Index i = 0; i < rows; ++i) add(g + i * row.width, row.used);
    if (part.n_biases) add(g + part.n_weights, j.used);
    double sum = 0;
    for (int i = 0; i < LANES<T>; ++i) sum += sums[i];
    return sum;
}

// Ask for a part's weights and moments, where they lie row by row in arrays too large for the first cache.
template <class T>
void fetch(const Plan<T>& plan, const Part& part, const Weights<T>& own) {
    if (plan.layers[std::size_t(part.layer)].in_panels) return;
    const Block<T> w = weights_of(plan, part, own, static_cast<T*>(nullptr));
    for (int row = 0; row < w.rows; ++row)
        for (int k = 0; k < w.used; k += int(ALIGNMENT / sizeof(T))) {
            const Index at = row * w.stride + k;
            __builtin_prefetch(w.p + at, 1, 2);
            if (w.m != nullptr) __builtin_prefetch(w.m + at, 1, 2);
            if (w.v != nullptr) __builtin_prefetch(w.v + at, 1, 2);
        }
}

}  // namespace chainrule::CHAINRULE_ISA

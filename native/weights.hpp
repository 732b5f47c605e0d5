// The weights of one part of the gradient: from where the caller has them to where steps keep them, as the products take
// them, and back.
#pragma once

#include "memory.hpp"

namespace chainrule::CHAINRULE_ISA {

// One part with all that is needed to find its numbers.
template <class T>
struct Place {
    const Layer<T>& layer;
    const Packed<T>& packed;
    const Panel &j, &k;
    Index w, b;        // where they begin in the parameters
    Index kept_w;      // and in the panels
    Index kept_b;
    bool has_biases;

    Place(const Plan<T>& plan, const Part& part, const Weights<T>& own)
        : layer(plan.layers[std::size_t(part.layer)]),
          packed(own.layers[std::size_t(part.layer)]),
          j(plan.panel_j(part)),
          k(plan.panel_k(part)),
          w(layer.w + j.first * layer.n_in + k.first),
          b(layer.b + j.first),
          kept_w(j.start * layer.n_in + k.first * j.width),
          kept_b(layer.n_in * layer.columns.padded + j.start),
          has_biases(part.k == 0) {}
};

// The panels that follow from the weights.
template <class T>
void derive(const Plan<T>& plan, const Part& part, const Weights<T>& own) {
    const Place<T> at(plan, part, own);
    T* const backward = at.packed.backward + at.k.start * at.layer.n_out + at.j.first * at.k.width;
    if (at.layer.in_panels) {
        if (at.packed.backward != nullptr)
            transpose_into(at.packed.forward + at.kept_w, at.j.width, at.k, at.j.used, backward);
        return;
    }
    const T* const w = own.parameters + at.w;
    transpose_into(w, at.layer.n_in, at.j, at.k.used, at.packed.forward + at.kept_w);
    if (at.packed.backward != nullptr) copy_into(w, at.layer.n_in, at.k, at.j.used, backward);
    if (at.has_biases) copy_into(own.parameters + at.b, 0, at.j, 1, at.packed.bias + at.j.start);
}

// From the caller's arrays, which moments that are null are not among.
template <class T>
void load(const Plan<T>& plan, const Part& part, const Weights<T>& own) {
    const Place<T> at(plan, part, own);
    if (at.layer.in_panels)
        for (int i = 0; i < 3; ++i) {
            const T* const from = i == 0 ? own.parameters : own.moments[i - 1];
            T* const to = i == 0 ? at.packed.forward : at.packed.moments[i - 1];
            if (from == nullptr) continue;
            transpose_into(from + at.w, at.layer.n_in, at.j, at.k.used, to + at.kept_w);
            if (at.has_biases) copy_into(from + at.b, 0, at.j, 1, to + at.kept_b);
        }
    derive(plan, part, own);
}

// One array of a part, as the steps keep it, to the caller's.
template <class T>
void store(const Place<T>& at, const T* kept_w, const T* kept_b, T* to) {
    if (at.layer.in_panels)
        transpose_from(kept_w, at.j, at.k.used, to + at.w, at.layer.n_in);
    else
        for (int row = 0; row < at.j.used; ++row)
            std::memcpy(to + at.w + row * at.layer.n_in, kept_w + row * at.k.width, std::size_t(at.k.used) * sizeof(T));
    if (at.has_biases) std::memcpy(to + at.b, kept_b, std::size_t(at.j.used) * sizeof(T));
}

template <class T>
void store(const Plan<T>& plan, const Part& part, const Weights<T>& own) {
    const Place<T> at(plan, part, own);
    if (!at.layer.in_panels) return;  // they were changed where they are
    for (int i = 0; i < 3; ++i) {
        T* const to = i == 0 ? own.parameters : own.moments[i - 1];
        const T* const from = i == 0 ? at.packed.forward : at.packed.moments[i - 1];
        if (to != nullptr) store(at, from + at.kept_w, from + at.kept_b, to);
    }
}

// What an optimizer works on: a part's weights with their gradient g, and its biases with theirs.
template <class T>
Block<T> weights_of(const Plan<T>& plan, const Part& part, const Weights<T>& own, T* g) {
    const Place<T> at(plan, part, own);
    const auto moved = [](T* p, Index by) { return p ? p + by : nullptr; };
    if (at.layer.in_panels)
        return {at.packed.forward + at.kept_w,
                own.moments[0] ? at.packed.moments[0] + at.kept_w : nullptr,
                own.moments[1] ? at.packed.moments[1] + at.kept_w : nullptr,
                0,
                g,
                0,
                1,
                at.k.used * at.j.width};
    return {own.parameters + at.w, moved(own.moments[0], at.w), moved(own.moments[1], at.w), at.layer.n_in, g,
            at.k.width,            at.j.used,                   at.k.used};
}

template <class T>
Block<T> biases_of(const Plan<T>& plan, const Part& part, const Weights<T>& own, T* g) {
    const Place<T> at(plan, part, own);
    const auto moved = [](T* p, Index by) { return p ? p + by : nullptr; };
    if (at.layer.in_panels)
        return {at.packed.forward + at.kept_b,
                own.moments[0] ? at.packed.moments[0] + at.kept_b : nullptr,
                own.moments[1] ? at.packed.moments[1] + at.kept_b : nullptr,
                0,
                g,
                0,
                1,
                at.j.width};
    return {own.parameters + at.b, moved(own.moments[0], at.b), moved(own.moments[1], at.b), 0, g, 0, 1, at.j.used};
}

// Ask for a part's weights and moments, where they lie row by row in arrays too large for the first cache.
template <class T>
void fetch(const Plan<T>& plan, const Part& part, const Weights<T>& own) {
    if (plan.layers[std::size_t(part.layer)].in_panels) return;
    const Block<T> w = weights_of(plan, part, own, static_cast<T*>(nullptr));
    for (int row = 0; row < w.rows; ++row)
        for (int k = 0; k < w.used; k += int(ALIGNMENT / sizeof(T))) {
            const Index at = row * w.stride + k;
            __builtin_prefetch(w.p + at, 1);
            if (w.m != nullptr) __builtin_prefetch(w.m + at, 1);
            if (w.v != nullptr) __builtin_prefetch(w.v + at, 1);
        }
}

}  // namespace chainrule::CHAINRULE_ISA

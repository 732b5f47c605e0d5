// The memory that steps work in, taken once.
#pragma once

#include <new>

#include "plan.hpp"

namespace chainrule::CHAINRULE_ISA {

inline constexpr Index ALIGNMENT = 64;

// Pieces of memory: once without a base, to learn how much they are, then from a base.
class Arena {
public:
    explicit Arena(char* base) : base(base) {}

    template <class T>
    T* take(Index n) {
        T* const piece = base ? reinterpret_cast<T*>(base + used) : nullptr;
        used += (n * Index(sizeof(T)) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        return piece;
    }

    template <class T>
    Matrix<T> matrix(const Columns& columns, Index rows) {
        return {&columns, take<T>(rows * columns.padded), rows};
    }

    Index size() const { return used; }

private:
    char* base;
    Index used = 0;
};

// What a batch, or a block of one, passes through.
template <class T>
struct Rows {
    std::vector<Matrix<T>> a, d;  // a[0 … L]; d[1 … L] is σ′, then share_i·∂C_i/∂z
    Matrix<T> y;
    T* share;
    T* C;
};

// One layer's weights as the products take them. Of a layer kept in panels, `forward` with the biases behind it is where
// the weights are, and the moments lie in the same way.
template <class T>
struct Packed {
    T* forward;   // per panel of neurons, a row for each input
    T* bias;      // behind it, with its padding
    T* backward;  // per panel of inputs, a row for each neuron; layer 1 needs none
    T* moments[2];
};

// All layers', and where the caller has them or a copy of that: threads that each update all weights have a copy each.
template <class T>
struct Weights {
    T* parameters;
    T* moments[2];
    std::vector<Packed<T>> layers;
    double* penalty;  // one a part
    double* squares;  // of its gradient
};

// What a call works in.
template <class T>
class Memory {
public:
    struct Size {
        Index rows = 0;  // of each slab
        int slabs = 0;
        Index groups = 0;
        int threads = 0;
        int copies = 0;  // of the weights

        bool holds(const Size& other) const {
            return rows == other.rows && slabs >= other.slabs && groups == other.groups && threads >= other.threads &&
                   copies >= other.copies;
        }
    };

    // Raises bad_alloc, and then holds nothing.
    void prepare(const Plan<T>& plan, const Size& wanted) {
        if (size.holds(wanted)) return;
        size = {};
        Arena measure(nullptr);
        lay_out(measure, plan, wanted);
        if (measure.size() > capacity) {
            base.reset();
            capacity = 0;
            base.reset(static_cast<char*>(::operator new(std::size_t(measure.size()), std::align_val_t(ALIGNMENT))));
            capacity = measure.size();
        }
        Arena place(base.get());
        lay_out(place, plan, wanted);
        size = wanted;
    }

    void poison() {
        T* const numbers = reinterpret_cast<T*>(base.get());
        for (Index i = 0; i < capacity / Index(sizeof(T)); ++i) numbers[i] = std::numeric_limits<T>::quiet_NaN();
    }

    std::vector<Rows<T>> slabs;
    std::vector<Weights<T>> copies;  // the first has the caller's parameters and moments
    T* sums[2];                      // of each group, part by part; two, of which a step uses one and the next the other
    double* group_cost[2];
    T* scratch(int thread) const { return all_scratch + thread * scratch_size; }  // a part's gradient or softmax's columns

private:
    struct Free {
        void operator()(char* p) const { ::operator delete(p, std::align_val_t(ALIGNMENT)); }
    };

    void lay_out(Arena& arena, const Plan<T>& plan, const Size& wanted) {
        const std::size_t layers = std::size_t(plan.L) + 1;
        copies.resize(std::size_t(wanted.copies));
        for (Weights<T>& copy : copies) {
            copy.layers.resize(layers);
            for (int l = 1; l <= plan.L; ++l) {
                const Layer<T>& layer = plan.layers[std::size_t(l)];
                Packed<T>& packed = copy.layers[std::size_t(l)];
                const Index n = (layer.n_in + 1) * layer.columns.padded;
                packed.forward = arena.template take<T>(n);
                packed.bias = packed.forward ? packed.forward + layer.n_in * layer.columns.padded : nullptr;
                packed.backward = l > 1 ? arena.template take<T>(layer.n_out * plan.columns(l - 1).padded) : nullptr;
                for (T*& moments : packed.moments) moments = layer.in_panels ? arena.template take<T>(n) : nullptr;
            }
            for (double** each : {&copy.penalty, &copy.squares})
                *each = arena.template take<double>(Index(plan.parts.size()));
            if (&copy == copies.data()) continue;
            copy.parameters = arena.template take<T>(plan.n_parameters);
            for (T*& moments : copy.moments) moments = arena.template take<T>(plan.n_parameters);
        }
        slabs.resize(std::size_t(wanted.slabs));
        for (Rows<T>& slab : slabs) {
            slab.a.resize(layers);
            slab.d.resize(layers);
            for (int l = 0; l <= plan.L; ++l) {
                slab.a[std::size_t(l)] = arena.template matrix<T>(plan.columns(l), wanted.rows);
                if (l > 0) slab.d[std::size_t(l)] = arena.template matrix<T>(plan.columns(l), wanted.rows);
            }
            slab.y = arena.template matrix<T>(plan.columns(plan.L), wanted.rows);
            slab.share = arena.template take<T>(wanted.rows);
            slab.C = arena.template take<T>(wanted.rows);
        }
        for (int turn = 0; turn < 2; ++turn) {
            sums[turn] = arena.template take<T>(wanted.groups > 1 ? wanted.groups * plan.sums_size : 0);
            group_cost[turn] = arena.template take<double>(wanted.groups);
        }
        const Index part = (WIDEST<T> + 1) * WIDEST<T>, softmax = 3 * plan.columns(plan.L).n * LANES<T>;
        scratch_size = plan.softmax_last && softmax > part ? softmax : part;
        all_scratch = arena.template take<T>(wanted.threads * scratch_size);
    }

    T* all_scratch;
    Index scratch_size;
    Size size;
    std::unique_ptr<char, Free> base;
    Index capacity = 0;
};

}  // namespace chainrule::CHAINRULE_ISA

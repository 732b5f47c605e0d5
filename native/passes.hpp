// The way of some rows through the network and back.
#pragma once

#include "dropout.hpp"
#include "pool.hpp"
#include "weights.hpp"

namespace chainrule::CHAINRULE_ISA {

// What each example of a batch counts for: its weight over the sum of the batch's weights.
struct Shares {
    double weight;  // of the whole batch; 0: nothing counts
    double top;     // the largest weight, taken out so that no sum overflows
    double sum;     // of weights over the largest

    template <class T>
    T of(T weight) const {
        return T(double(weight) / top / sum);
    }
};

// A batch: the examples numbers at … at + rows − 1 of an order, or of the rows as they lie where the order is null.
template <class T>
struct Batch {
    const Examples<T>& examples;
    const std::int64_t* order;
    Index at;
    Index rows;
    Dropout dropout{};

    Index row(Index i) const { return order ? Index(order[at + i]) : at + i; }

    Shares shares() const {
        const T* const weights = examples.weights;
        if (weights == nullptr) return {double(rows), 1, double(rows)};
        Shares shares{0, 0, 0};
        for (Index i = 0; i < rows; ++i) {
            const double weight = double(weights[row(i)]);
            shares.weight += weight;
            shares.top = weight > shares.top ? weight : shares.top;
        }
        if (shares.top > 0)
            for (Index i = 0; i < rows; ++i) shares.sum += double(weights[row(i)]) / shares.top;
        return shares;
    }
};

// The batch's numbers first … last − 1 of a matrix of examples into rows to … of one in panels.
template <class T>
void gather(const T* from, const Batch<T>& batch, Index first, Index last, const Matrix<T>& into, Index to) {
    const Index n = into.columns->n, some = into.columns->rows_at_a_time;
    // rows of a shuffled batch lie anywhere: ask for them some time before they are copied
    const auto ask = [&](Index begin) {
        for (Index i = begin; batch.order != nullptr && i < begin + some && i < last; ++i)
            for (Index k = 0; k < n; k += ALIGNMENT / Index(sizeof(T))) __builtin_prefetch(from + batch.row(i) * n + k);
    };
    ask(first);
    for (Index begin = first; begin < last; begin += some) {
        const Index end = begin + some < last ? begin + some : last;
        ask(end);
        for (const Panel& panel : into.columns->panels)
            by_width<T>(panel.width, [&](auto width) {
                constexpr int W = decltype(width)::value;
                T* row = into.at(panel, to + begin - first);
                for (Index i = begin; i < end; ++i, row += W)
                    copy_row<T, W>(from + batch.row(i) * n + panel.first, panel.used, row);
            });
    }
}

// z and a of rows first … last − 1, up to the last layer's z. The first is row `row` of a batch that some are dropped of.
template <class T>
void forward(const Plan<T>& plan, const Weights<T>& weights, Rows<T>& rows, Index first, Index last,
             const Dropout& dropout = {}, Index row = 0) {
    if (dropout.of(0))
        for (const Panel& panel : plan.inputs.panels)
            dropout(0, panel, row, first, last, rows.a[0].at(panel, first), static_cast<T*>(nullptr));
    for (int l = 1; l <= plan.L; ++l) {
        const Layer<T>& layer = plan.layers[std::size_t(l)];
        const Packed<T>& packed = weights.layers[std::size_t(l)];
        for (const Panel& panel : layer.columns.panels) {
            T* const z = rows.a[std::size_t(l)].at(panel, first);
            forward(rows.a[std::size_t(l) - 1], first, last, packed.forward + panel.start * layer.n_in,
                    packed.bias + panel.start, panel, z);
            if (l == plan.L) continue;
            T* const d = rows.d[std::size_t(l)].at(panel, first);
            layer.activation(z, d, (last - first) * panel.width);
            if (dropout.of(l)) dropout(l, panel, row, first, last, z, d);
        }
    }
}

// Some threads that take the same rows through the network, each some neurons of every layer; or one by itself.
struct Team {
    int t = 0, n = 1;
    Barrier* barrier = nullptr;

    void wait() const {
        if (n > 1) barrier->wait();
    }

    // What is this thread's of so many things.
    std::pair<Index, Index> part_of(Index things) const { return {begin_of(things, t, n), begin_of(things, t + 1, n)}; }
    std::pair<Index, Index> part_of(Index things, Index at_once) const {
        const auto [first, last] = part_of((things + at_once - 1) / at_once);
        return {first * at_once, last * at_once < things ? last * at_once : things};
    }
};

// The same for n rows of X, as many as a slab has at the most, with the weights as the caller has them: every matrix is
// transposed, so that examples fill the vectors. The sums are in the same order. Where `out` is not null, the last layer's
// a goes there in its place, row by row.
template <class T>
void forward_turned(const Plan<T>& plan, const T* parameters, const T* X, Index n, Rows<T>& rows, const Team& team, T* out) {
    const Columns examples = cut<T>(n);
    const Index n_0 = plan.inputs.n, n_L = plan.columns(plan.L).n;
    Matrix<T> a{&examples, rows.a[0].data, n_0};
    const auto [from, to] = team.part_of(n_0, WIDEST<T>);
    for (const Panel& panel : examples.panels)
        if (from < to) transpose_into(X + panel.first * n_0 + from, n_0, panel, to - from, a.at(panel, from));
    team.wait();
    for (int l = 1; l <= plan.L; ++l) {
        const Layer<T>& layer = plan.layers[std::size_t(l)];
        // the last a's place is wanted for its panels
        const bool last_layer = l == plan.L;
        const Matrix<T> z{&examples, (last_layer ? rows.d : rows.a)[std::size_t(l)].data, layer.n_out};
        const Matrix<T> d{&examples, (last_layer ? rows.a : rows.d)[std::size_t(l)].data, layer.n_out};
        const auto [first, last] = team.part_of(layer.n_out, TILE_ROWS);
        for (const Panel& panel : examples.panels) {
            if (first == last) continue;
            T* const at = z.at(panel, first);
            forward_turned(parameters + layer.w + first * layer.n_in, layer.n_in, parameters + layer.b + first,
                           last - first, panel, a.at(panel, 0), at);
            if (!last_layer || out) layer.activation(at, d.at(panel, first), (last - first) * panel.width);
            if (last_layer && out) transpose_from(at, panel, last - first, out + panel.first * n_L + first, n_L);
        }
        team.wait();
        a = z;
    }
    if (out) return;
    const Matrix<T>& panels = rows.a[std::size_t(plan.L)];
    const auto [first, last] = team.part_of(Index(panels.columns->panels.size()));
    for (Index i = first; i < last; ++i)
        for (const Panel& panel : examples.panels) {
            const Panel& neurons = panels.columns->panels[std::size_t(i)];
            transpose_into(a.at(panel, neurons.first), panel.width, neurons, panel.used, panels.at(neurons, panel.first));
        }
    team.wait();
}

// The same by dot products, every matrix row by row.
template <class T>
void forward_dots(const Plan<T>& plan, const T* parameters, const T* X, Index n, Rows<T>& rows, const Team& team, T* out) {
    const T* a = X;
    for (int l = 1; l <= plan.L; ++l) {
        const Layer<T>& layer = plan.layers[std::size_t(l)];
        const bool last_layer = l == plan.L;
        T* const d = (last_layer ? rows.a : rows.d)[std::size_t(l)].data;
        T* const z = last_layer && out ? out : (last_layer ? rows.d : rows.a)[std::size_t(l)].data;
        const auto [first, last] = team.part_of(layer.n_out, WIDEST<T>);
        if (first < last) {
            forward_dots(a, n, layer.n_in, parameters + layer.w, parameters + layer.b, first, last, z, layer.n_out);
            if (!last_layer || out)
                for (Index i = 0; i < n; ++i)
                    layer.activation(z + i * layer.n_out + first, d + i * layer.n_out + first, last - first);
        }
        team.wait();
        a = z;
    }
    if (out) return;
    const Matrix<T>& panels = rows.a[std::size_t(plan.L)];
    const auto [first, last] = team.part_of(Index(panels.columns->panels.size()));
    for (Index i = first; i < last; ++i) {
        const Panel& panel = panels.columns->panels[std::size_t(i)];
        copy_into(a + panel.first, panels.columns->n, panel, n, panels.at(panel, 0));
    }
    team.wait();
}

// The cost, and share_i·∂C_i/∂z of the last layer.
template <class T>
void output(const Plan<T>& plan, Rows<T>& rows, Index first, Index last, T* scratch) {
    const std::size_t L = std::size_t(plan.L);
    plan.output({rows.a[L], rows.d[L], rows.y, rows.share, rows.C, plan.layers[L].activation, scratch}, first, last);
}

// And of all layers before.
template <class T>
void backward(const Plan<T>& plan, const Weights<T>& weights, Rows<T>& rows, Index first, Index last) {
    for (int l = plan.L; l > 1; --l)
        for (const Panel& panel : plan.columns(l - 1).panels)
            backward(rows.d[std::size_t(l)], first, last,
                     weights.layers[std::size_t(l)].backward + panel.start * plan.layers[std::size_t(l)].n_out, panel,
                     rows.d[std::size_t(l) - 1].at(panel, first));
}

// All of it: the batch's numbers first … last − 1 through rows to … of a slab.
template <class T>
void pass(const Plan<T>& plan, const Weights<T>& weights, Rows<T>& rows, const Batch<T>& batch, const Shares& shares,
          Index first, Index last, Index to, T* scratch) {
    const Index end = to + last - first;
    gather(batch.examples.X, batch, first, last, rows.a[0], to);
    gather(batch.examples.Y, batch, first, last, rows.y, to);
    const T* const each = batch.examples.weights;
    const T same = shares.of(T(1));
    for (Index i = first; i < last; ++i) rows.share[to + i - first] = each ? shares.of(each[batch.row(i)]) : same;
    forward(plan, weights, rows, to, end, batch.dropout, first);
    output(plan, rows, to, end, scratch);
    backward(plan, weights, rows, to, end);
}

// ∂C/∂w and ∂C/∂b of one part, the sums over rows first … last − 1, put into `out` or added to it; as the layer is kept,
// a row for each input or for each neuron.
template <class T>
void sum_part(const Plan<T>& plan, const Part& part, const Rows<T>& rows, Index first, Index last, T* out, bool add) {
    const Panel &j = *part.j, &k = *part.k;
    const T* const delta = rows.d[std::size_t(part.layer)].at(j, first);
    const T* const a = rows.a[std::size_t(part.layer) - 1].at(k, first);
    if (plan.layers[std::size_t(part.layer)].in_panels)
        weight_gradient(a, k, delta, j, last - first, out, add);
    else
        weight_gradient(delta, j, a, k, last - first, out, add);
    if (part.n_biases) bias_gradient(delta, j, last - first, out + part.n_weights, add);
}

// Asks for a thread's rows of the next batch bit by bit while it computes, since a shuffled batch lies anywhere in memory.
template <class T>
class Ahead {
public:
    Ahead() = default;
    Ahead(const Batch<T>& batch, Index n_0, Index first, Index last, Index times) {
        if (n_0 < 4 * LINE || times == 0) return;  // short rows are had while they are gathered
        X = batch.examples.X;
        order = batch.order;
        width = n_0;
        lines = (n_0 + LINE - 1) / LINE;
        row = batch.at + first;
        end = batch.at + last;
        if ((end - row) * lines > MOST) end = row + MOST / lines;
        few = (end - row) * lines * ALIGNMENT <= 16 * 1024;
        each_time = ((end - row) * lines + times - 1) / times;
    }

    void fetch() {
        for (Index i = 0; i < each_time && row < end; ++i) {
            const T* const at = X + (order ? Index(order[row]) : row) * width + line * LINE;
            if (few)
                __builtin_prefetch(at);  // into the first cache
            else
                __builtin_prefetch(at, 0, 2);
            if (++line == lines) {
                line = 0;
                ++row;
            }
        }
    }

private:
    static constexpr Index LINE = ALIGNMENT / Index(sizeof(T));
    static constexpr Index MOST = Plan<T>::CACHE / ALIGNMENT;

    const T* X = nullptr;
    const std::int64_t* order = nullptr;
    Index width = 0, lines = 0, line = 0, row = 0, end = 0, each_time = 0;
    bool few = false;
};

}  // namespace chainrule::CHAINRULE_ISA

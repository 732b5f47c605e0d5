// One network's training step: forward, cost, backward, gradient and update over a batch, by one thread or several.
//
// A step has two phases. In the first each thread takes some rows of the batch through all layers, forward and back; rows
// do not depend on each other. In the second each thread takes some of the gradient's blocks, a panel of neurons × a panel
// of inputs, sums each over all rows, and updates the weights in it. δ of every layer is known before any weight changes.
// Large batches of small networks are cut into groups of rows instead, whose gradients the first phase sums up group by
// group while the rows are in the cache, and the second adds. How a step is cut depends on the network and the batch
// size, never on the number of threads, so neither do the bits.
#pragma once

#include "cost.hpp"
#include "optimizer.hpp"
#include "pool.hpp"

namespace chainrule::CHAINRULE_ISA {

inline constexpr Index ALIGNMENT = 64;

// Memory taken piece by piece: once without a base to learn how much it is, then from a base.
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

struct FreeAligned {
    void operator()(char* p) const { ::operator delete(p, std::align_val_t(ALIGNMENT)); }
};

template <class T>
struct Layer {
    Index n_in, n_out;
    Index w, b;  // where they begin in the parameters
    Columns columns;
    Pass<T> activation;
    T* forward = nullptr;   // w for the forward product: per panel of neurons, a row for each input
    T* backward = nullptr;  // w for the backward product: per panel of inputs, a row for each neuron
    T* bias = nullptr;      // b with its padding
};

// The gradient of a panel of neurons by a panel of inputs; its bias part goes with the first panel of inputs.
struct Part {
    int layer;
    int j, k;
    Index at;       // where it begins among a group's sums
    double effort;  // of all parts up to and with this one
};

// What a batch, or a block of one, passes through.
template <class T>
struct Rows {
    std::vector<Matrix<T>> a, d;  // a[0 … L]; d[1 … L] is σ′, then ∂C/∂z
    Matrix<T> y;
    T* share = nullptr;
    T* C = nullptr;
};

// What each example of a batch counts for: its weight over the sum of the batch's weights.
struct Shares {
    double weight = 0;  // of the whole batch; 0: nothing counts
    double top = 1;     // the largest weight, taken out so that no sum overflows
    double sum = 1;     // of weights over the largest

    template <class T>
    T of(T weight) const { return T(double(weight) / top / sum); }
};

template <class T>
class Chain final : public Engine<T> {
public:
    explicit Chain(const Network& network) : L(int(network.activation.size())), output(output_pass<T>(network)) {
        inputs = cut<T>(network.sizes[0]);
        penalty = {T(network.l1), T(network.l2)};
        softmax_last = network.activation.back() == Activation::softmax;
        layers.resize(std::size_t(L) + 1);
        Index at = 0;
        double macs = 0, passes = 0;
        for (int l = 1; l <= L; ++l) {
            Layer<T>& layer = layers[std::size_t(l)];
            layer.n_in = network.sizes[std::size_t(l) - 1];
            layer.n_out = network.sizes[std::size_t(l)];
            layer.w = at;
            layer.b = at + layer.n_in * layer.n_out;
            at = layer.b + layer.n_out;
            layer.columns = cut<T>(layer.n_out);
            const Activation σ = network.activation[std::size_t(l) - 1];
            layer.activation = pass<T>(σ);
            macs += double(layer.n_in) * double(layer.columns.padded) * (l == 1 ? 2 : 3);
            passes += double(layer.columns.padded) * (σ == Activation::relu || σ == Activation::identity ? 3 : 25);
        }
        n_parameters = at;
        Index padded = inputs.padded;
        for (int l = 1; l <= L; ++l) padded += 2 * columns(l).padded;
        block_rows = CACHE / (padded * Index(sizeof(T))) / 8 * 8;
        if (block_rows < BLOCK) block_rows = BLOCK;
        effort_of_row = (macs + passes) / LANES<T> + 20;
        cut_gradient();
    }

    double gradient(const T* parameters, const Examples<T>& examples, T* nabla_C, int threads) override {
        double cost = 0, weight = 0;
        Stretch<T> stretch{};
        stretch.parameters = const_cast<T*>(parameters);  // only read, since there is no update
        stretch.examples = examples;
        stretch.batch_size = examples.n;
        stretch.n_steps = 1;
        stretch.cost = &cost;
        stretch.weight = &weight;
        train(stretch, nabla_C, false, threads);
        return cost;
    }

    void run(const Stretch<T>& stretch, int threads) override {
        if (stretch.n_steps > 0) train(stretch, nullptr, true, threads);
    }

    void predict(const T* parameters, const T* X, Index n, T* a, int threads) override {
        read(parameters, {X, nullptr, nullptr, n}, a, threads);
    }

    double data_cost(const T* parameters, const Examples<T>& examples, int threads) override {
        return read(parameters, examples, nullptr, threads);
    }

    int threads_used(Index rows, int threads) const override {
        const double effort = effort_of_row * double(rows) + 2 * double(n_parameters) / LANES<T>;
        const double most = effort / LEAST_EFFORT;
        return most < 2 ? 1 : most < threads ? int(most) : threads;
    }

    void poison() override {
        T* const numbers = reinterpret_cast<T*>(memory.get());
        for (Index i = 0; i < memory_size / Index(sizeof(T)); ++i) numbers[i] = std::numeric_limits<T>::quiet_NaN();
    }

private:
    // cycles of one core, about, for which waking and meeting another thread pays
    static constexpr double LEAST_EFFORT = 3000;
    // rows of a group are taken through the network by so many
    static constexpr Index BLOCK = 64;
    static constexpr Index MOST_GROUPS = 32;
    static constexpr Index CACHE = 256 * 1024;
    static constexpr Index LINE = ALIGNMENT / Index(sizeof(T));

    // How the memory is cut: `slabs` times room for `rows` rows, and the sums of `groups` groups.
    struct Cut {
        Index rows = 0;
        int slabs = 0;
        Index groups = 0;
        int threads = 0;
    };

    struct Call {
        Chain* chain;
        const Stretch<T>* stretch;
        T* nabla_C;   // where the gradient goes that is not fused with its update
        bool update;
    };

    void cut_gradient() {
        Index at = 0;
        double effort = 0;
        for (int l = 1; l <= L; ++l) {
            const Columns& above = layers[std::size_t(l)].columns;
            const Columns& below = columns(l - 1);
            for (std::size_t j = 0; j < above.panels.size(); ++j)
                for (std::size_t k = 0; k < below.panels.size(); ++k) {
                    const int width = below.panels[k].width, used = above.panels[j].used;
                    effort += double(used) * (width < LANES<T> ? LANES<T> : width) + 64;
                    parts.push_back({l, int(j), int(k), at, effort});
                    at += Index(used) * width + (k == 0 ? above.panels[j].width : 0);
                }
        }
        sums_size = at;
    }

    const Columns& columns(int l) const { return l == 0 ? inputs : layers[std::size_t(l)].columns; }

    Cut cut_batch(Index batch, int threads) const {
        // groups pay where a batch does not fit into the cache and the sums of the groups are small beside it
        const Index groups = batch / (4 * BLOCK);
        if (batch > 2 * block_rows && groups * sums_size <= batch * columns(0).padded) {
            return {BLOCK, threads, groups < MOST_GROUPS ? groups : MOST_GROUPS, threads};
        }
        return {batch, 1, 0, threads};
    }

    // memory -----------------------------------------------------------------------------------------

    void lay_out(Arena& arena, const Cut& cut) {
        for (int l = 1; l <= L; ++l) {
            Layer<T>& layer = layers[std::size_t(l)];
            layer.forward = arena.template take<T>(layer.n_in * layer.columns.padded);
            layer.backward = l > 1 ? arena.template take<T>(layer.n_out * columns(l - 1).padded) : nullptr;
            layer.bias = arena.template take<T>(layer.columns.padded);
        }
        slabs.resize(std::size_t(cut.slabs));
        for (Rows<T>& slab : slabs) {
            slab.a.resize(std::size_t(L) + 1);
            slab.d.resize(std::size_t(L) + 1);
            for (int l = 0; l <= L; ++l) {
                slab.a[std::size_t(l)] = arena.matrix<T>(columns(l), cut.rows);
                if (l > 0) slab.d[std::size_t(l)] = arena.matrix<T>(columns(l), cut.rows);
            }
            slab.y = arena.matrix<T>(columns(L), cut.rows);
            slab.share = arena.template take<T>(cut.rows);
            slab.C = arena.template take<T>(cut.rows);
        }
        sums = arena.template take<T>(cut.groups * sums_size);
        group_cost = arena.template take<double>(cut.groups);
        part_penalty = arena.template take<double>(Index(parts.size()));
        scratch = arena.template take<T>(cut.threads * scratch_size());
    }

    // Each thread's: one part's gradient, or the columns of softmax.
    Index scratch_size() const {
        const Index part = (WIDEST<T> + 1) * WIDEST<T>, softmax = 3 * columns(L).n * LANES<T>;
        return softmax_last && softmax > part ? softmax : part;
    }

    void prepare(const Cut& wanted) {
        if (wanted.rows == now.rows && wanted.groups == now.groups && wanted.slabs <= now.slabs &&
            wanted.threads <= now.threads)
            return;
        now = {};
        Arena measure(nullptr);
        lay_out(measure, wanted);
        if (measure.size() > memory_size) {
            memory.reset();
            memory_size = 0;
            memory.reset(static_cast<char*>(::operator new(std::size_t(measure.size()), std::align_val_t(ALIGNMENT))));
            memory_size = measure.size();
        }
        Arena place(memory.get());
        lay_out(place, wanted);
        now = wanted;
    }

    // the panels of the weights ----------------------------------------------------------------------

    void refresh(const T* p, const Part& part) {
        Layer<T>& layer = layers[std::size_t(part.layer)];
        const Panel& j = layer.columns.panels[std::size_t(part.j)];
        const Panel& k = columns(part.layer - 1).panels[std::size_t(part.k)];
        const T* const w = p + layer.w + j.first * layer.n_in + k.first;
        transpose_into(w, layer.n_in, j, k.used, layer.forward + j.start * layer.n_in + k.first * j.width);
        if (layer.backward != nullptr)
            copy_into(w, layer.n_in, k, j.used, layer.backward + k.start * layer.n_out + j.first * k.width);
        if (part.k == 0) copy_into(p + layer.b + j.first, 0, j, 1, layer.bias + j.start);
    }

    // the first phase: rows --------------------------------------------------------------------------

    // Rows of the examples into rows first … last − 1.
    void gather(Rows<T>& rows, Index first, Index last, const Examples<T>& from, const std::int64_t* order, Index at) {
        gather(rows.a[0], first, last, from.X, order, at);
        if (from.Y != nullptr) gather(rows.y, first, last, from.Y, order, at);
    }

    void gather(const Matrix<T>& into, Index first, Index last, const T* from, const std::int64_t* order, Index at) {
        const Index n = into.columns->n;
        const T* const base = from - (order ? 0 : (first - at) * n);
        order += order ? at - first : 0;
        const auto row = [=](Index i) { return base + (order ? Index(order[i]) : i) * n; };
        const Index some = into.columns->rows_at_a_time;
        for (Index begin = first; begin < last; begin += some) {
            const Index end = begin + some < last ? begin + some : last;
            // rows of a shuffled batch lie anywhere: ask for them some time before they are copied
            if (order != nullptr)
                for (Index i = end; i < end + some && i < last; ++i)
                    for (Index k = 0; k < n; k += LINE) __builtin_prefetch(row(i) + k);
            for (const Panel& panel : into.columns->panels)
                by_width<T>(panel.width, [&](auto width) {
                    constexpr int W = decltype(width)::value;
                    T* to = into.at(panel, begin);
                    for (Index i = begin; i < end; ++i, to += W) copy_row<T, W>(row(i) + panel.first, panel.used, to);
                });
        }
    }

    // z and a of rows first … last − 1 up to the last layer's z.
    void forward_rows(Rows<T>& rows, Index first, Index last) {
        for (int l = 1; l <= L; ++l) {
            const Layer<T>& layer = layers[std::size_t(l)];
            const Matrix<T>& below = rows.a[std::size_t(l) - 1];
            const Matrix<T>& a = rows.a[std::size_t(l)];
            const Matrix<T>& d = rows.d[std::size_t(l)];
            for (const Panel& panel : layer.columns.panels) {
                const T* const w = layer.forward + panel.start * layer.n_in;
                T* const z = a.at(panel, first);
                forward(below, first, last, w, layer.bias + panel.start, panel, z);
                if (l < L) layer.activation(z, d.at(panel, first), (last - first) * panel.width);
            }
        }
    }

    void backward_rows(Rows<T>& rows, Index first, Index last) {
        for (int l = L; l > 1; --l) {
            const Layer<T>& layer = layers[std::size_t(l)];
            const Matrix<T>& d = rows.d[std::size_t(l) - 1];
            for (const Panel& panel : columns(l - 1).panels)
                backward(rows.d[std::size_t(l)], first, last, layer.backward + panel.start * layer.n_out, panel,
                         d.at(panel, first));
        }
    }

    Output<T> output_of(const Rows<T>& rows, T* own) const {
        return {rows.a[std::size_t(L)], rows.d[std::size_t(L)], rows.y, rows.share, rows.C,
                layers[std::size_t(L)].activation, own};
    }

    // All of it for rows first … last − 1, which are number at … of the batch's order.
    void pass_rows(Rows<T>& rows, Index first, Index last, const Stretch<T>& s, Index at, const Shares& shares,
                   T* own) {
        gather(rows, first, last, s.examples, s.order, at);
        const T* const weights = s.examples.weights;
        const T each = shares.of(T(1));
        for (Index i = first; i < last; ++i, ++at)
            rows.share[i] = weights ? shares.of(weights[s.order ? s.order[at] : at]) : each;
        forward_rows(rows, first, last);
        output(output_of(rows, own), first, last);
        backward_rows(rows, first, last);
    }

    void pass_group(Rows<T>& rows, Index group, Index first, Index last, const Stretch<T>& s, Index at,
                    const Shares& shares, T* own) {
        T* const into = sums + group * sums_size;
        double cost = 0;
        if (first == last) std::memset(into, 0, std::size_t(sums_size) * sizeof(T));
        for (Index begin = first; begin < last; begin += BLOCK) {
            const Index n = last - begin < BLOCK ? last - begin : BLOCK;
            pass_rows(rows, 0, n, s, at + begin, shares, own);
            cost += total(rows.C, n);
            for (const Part& part : parts) sum_part(part, rows, n, into + part.at, begin != first);
        }
        group_cost[group] = cost;
    }

    static double total(const T* numbers, Index n) {
        double sums[8] = {};
        for (Index i = 0; i < n; ++i) sums[i % 8] += double(numbers[i]);
        return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
    }

    // the second phase: parts of the gradient -------------------------------------------------------

    void sum_part(const Part& part, const Rows<T>& rows, Index n, T* out, bool add) {
        const Panel& j = columns(part.layer).panels[std::size_t(part.j)];
        const Panel& k = columns(part.layer - 1).panels[std::size_t(part.k)];
        const T* const delta = rows.d[std::size_t(part.layer)].at(j, 0);
        weight_gradient(delta, j, rows.a[std::size_t(part.layer) - 1].at(k, 0), k, n, out, add);
        if (part.k == 0) bias_gradient(delta, j, n, out + Index(j.used) * k.width, add);
    }

    void add_groups(const Part& part, Index groups, T* out) const {
        using V = Vec<T, NARROWEST<T>>;
        const Index end = &part == &parts.back() ? sums_size : (&part + 1)->at;
        for (Index i = part.at; i < end; i += lanes<V>) {
            V sum = load<V>(sums + i);
            for (Index group = 1; group < groups; ++group) sum += load<V>(sums + group * sums_size + i);
            store(out + i - part.at, sum);
        }
    }

    // Close the gaps between the rows of g, where a part has whole rows of weights: then these are one stretch of memory,
    // and fill more of each vector than a few inputs do.
    void close_rows(const Part& part, T* g) const {
        const Panel& k = columns(part.layer - 1).panels[std::size_t(part.k)];
        const int rows = columns(part.layer).panels[std::size_t(part.j)].used;
        if (!has_whole_rows(part) || k.used == k.width) return;
        by_width<T>(k.width, [&](auto width) {
            constexpr int W = decltype(width)::value;
            using V = typename RowOf<T, W>::V;
            for (int j = 1; j < rows; ++j)  // what a row writes too much, the next one writes over
                for (int n = 0; n < RowOf<T, W>::N; ++n)
                    store(g + j * k.used + n * lanes<V>, load<V>(g + j * W + n * lanes<V>));
        });
    }

    bool has_whole_rows(const Part& part) const { return columns(part.layer - 1).panels.size() == 1; }

    // The weights of a part with their gradient, whose rows are g_stride apart unless they are closed; and its biases.
    Block<T> weights(const Part& part, const Stretch<T>& s, T* g, Index g_stride) const {
        const Layer<T>& layer = layers[std::size_t(part.layer)];
        const Panel& j = layer.columns.panels[std::size_t(part.j)];
        const Panel& k = columns(part.layer - 1).panels[std::size_t(part.k)];
        const Index at = layer.w + j.first * layer.n_in + k.first;
        Block<T> block{s.parameters + at, moment(s, 0, at), moment(s, 1, at), layer.n_in, g, g_stride, j.used, k.used};
        if (has_whole_rows(part)) {
            block.rows = 1;
            block.used = j.used * k.used;
        }
        return block;
    }

    Block<T> biases(const Part& part, const Stretch<T>& s, T* g) const {
        const Layer<T>& layer = layers[std::size_t(part.layer)];
        const Panel& j = layer.columns.panels[std::size_t(part.j)];
        const Index at = layer.b + j.first;
        return {s.parameters + at, moment(s, 0, at), moment(s, 1, at), 0, g, 0, 1, j.used};
    }

    static T* moment(const Stretch<T>& s, int which, Index at) {
        return s.moments[which] ? s.moments[which] + at : nullptr;
    }

    void finish_part(const Part& part, T* g, const Call& call, const Constants<T>& constants) {
        const Stretch<T>& s = *call.stretch;
        const int width = columns(part.layer - 1).panels[std::size_t(part.k)].width;
        const Block<T> b = biases(part, s, g + Index(columns(part.layer).panels[std::size_t(part.j)].used) * width);
        close_rows(part, g);
        const Block<T> w = weights(part, s, g, width);
        if (penalty) part_penalty[&part - parts.data()] = penalise(w, penalty);
        if (call.nabla_C == nullptr) {
            update(s.optimizer.method, w, constants);
            if (part.k == 0) update(s.optimizer.method, b, constants);
        } else {
            copy(w, call.nabla_C + (w.p - s.parameters));
            if (part.k == 0) copy(b, call.nabla_C + (b.p - s.parameters));
        }
    }

    static void copy(const Block<T>& block, T* out) {
        using V = Vec<T, LANES<T>>;
        each_vector(block, [&](Index at, Index g_at, Index n) {
            store_some<V>(out + at, load_some<V>(block.g + g_at, n), n);
        });
    }

    void update_part(const Part& part, const Call& call, const Constants<T>& constants) {
        const Stretch<T>& s = *call.stretch;
        const Layer<T>& layer = layers[std::size_t(part.layer)];
        Block<T> w = weights(part, s, nullptr, layer.n_in), b = biases(part, s, nullptr);
        w.g = call.nabla_C + (w.p - s.parameters);
        b.g = call.nabla_C + (b.p - s.parameters);
        update(s.optimizer.method, w, constants);
        if (part.k == 0) update(s.optimizer.method, b, constants);
    }

    // a call -----------------------------------------------------------------------------------------

    // The steps of a stretch. Without `update`, ∇C of the one step goes to nabla_C.
    void train(const Stretch<T>& stretch, T* nabla_C, bool update, int threads) {
        const Index n = stretch.examples.n;
        const Index batch = stretch.batch_size < n ? stretch.batch_size : n;
        threads = threads_used(batch, threads);
        prepare(cut_batch(batch, threads));
        std::unique_ptr<T[]> unfused;
        if (update && !stretch.fused) {
            unfused.reset(new T[std::size_t(n_parameters)]);
            nabla_C = unfused.get();
        }
        Call call{this, &stretch, nabla_C, update};
        in_parallel(
            threads,
            [](void* context, int t, Barrier& barrier) {
                const Call& call = *static_cast<Call*>(context);
                call.chain->steps(call, t, barrier);
            },
            &call);
    }

    // Thread t's parts of the gradient, so that all threads have as much to do.
    std::pair<const Part*, const Part*> parts_of(int t, int threads) const {
        const double whole = parts.back().effort;
        const Part* first = parts.data();
        const Part* const end = first + parts.size();
        while (first != end && first->effort <= whole * t / threads) ++first;
        const Part* last = first;
        while (last != end && last->effort <= whole * (t + 1) / threads) ++last;
        return {first, last};
    }

    Shares weigh(const Stretch<T>& s, Index at, Index rows) const {
        const T* const weights = s.examples.weights;
        if (weights == nullptr) return {double(rows), 1, double(rows)};
        Shares shares{0, 0, 0};
        for (Index i = at; i < at + rows; ++i) {
            const double weight = double(weights[s.order ? s.order[i] : i]);
            shares.weight += weight;
            shares.top = weight > shares.top ? weight : shares.top;
        }
        for (Index i = at; i < at + rows; ++i) shares.sum += double(weights[s.order ? s.order[i] : i]) / shares.top;
        return shares;
    }

    void steps(const Call& call, int t, Barrier& barrier) {
        const Stretch<T>& s = *call.stretch;
        const Index n = s.examples.n;
        const auto [first_part, last_part] = parts_of(t, barrier.n);
        T* const own = scratch + t * scratch_size();
        for (const Part* part = first_part; part != last_part; ++part) refresh(s.parameters, *part);
        barrier.wait();
        Index at = s.cursor;
        for (Index step = 0; step < s.n_steps; ++step) {
            const Index rows = n - at < s.batch_size ? n - at : s.batch_size;
            const Shares shares = weigh(s, at, rows);
            if (t == 0) {
                s.cost[step] = 0;
                s.weight[step] = shares.weight;
            }
            if (shares.weight > 0) {
                rows_of(t, barrier.n, s, at, rows, shares, own);
                barrier.wait();
                if (t == 0) s.cost[step] = now.groups ? total_of_groups() : total(slabs[0].C, rows);
                const Constants<T> constants(s.optimizer, double(s.first_step + step + 1));
                const bool more = step + 1 < s.n_steps;  // the next call brings its own
                Ahead ahead = more ? ahead_of(t, barrier.n, s, at + rows < n ? at + rows : 0, last_part - first_part)
                                   : Ahead{};
                for (const Part* part = first_part; part != last_part; ++part) {
                    ahead.fetch(s);
                    if (part + 1 != last_part) fetch_weights(part[1], s);
                    if (now.groups)
                        add_groups(*part, now.groups, own);
                    else
                        sum_part(*part, slabs[0], rows, own, false);
                    finish_part(*part, own, call, constants);
                    if (call.nabla_C == nullptr && more) refresh(s.parameters, *part);
                }
                if (call.nabla_C != nullptr && call.update) {
                    barrier.wait();
                    for (const Part* part = first_part; part != last_part; ++part) {
                        update_part(*part, call, constants);
                        if (more) refresh(s.parameters, *part);
                    }
                }
                barrier.wait();
                if (t == 0 && penalty)
                    for (std::size_t part = 0; part < parts.size(); ++part) s.cost[step] += part_penalty[part];
            }
            at += rows;
            if (at == n) at = 0;
        }
    }

    void rows_of(int t, int threads, const Stretch<T>& s, Index at, Index rows, const Shares& shares, T* own) {
        if (now.groups) {
            for (Index g = share_of(now.groups, t, threads); g < share_of(now.groups, t + 1, threads); ++g)
                pass_group(slabs[std::size_t(t)], g, rows * g / now.groups, rows * (g + 1) / now.groups, s, at, shares,
                           own);
        } else {
            const Index last = share_of(rows, t + 1, threads), block = block_rows;
            for (Index i = share_of(rows, t, threads); i < last; i += block)
                pass_rows(slabs[0], i, i + block < last ? i + block : last, s, at + i, shares, own);
        }
    }

    // The rows that a thread passes in the next step, asked for bit by bit while it computes: a shuffled batch lies anywhere
    // in memory.
    struct Ahead {
        Index row = 0, end = 0;  // of the order
        Index lines = 0;         // of a row
        Index line = 0;          // the next one
        Index each_time = 0;

        void fetch(const Stretch<T>& s) {
            for (Index i = 0; i < each_time && row < end; ++i) {
                const Index n_0 = width;
                const Index which = s.order ? Index(s.order[row]) : row;
                __builtin_prefetch(s.examples.X + which * n_0 + line * LINE, 0, 2);
                if (++line == lines) {
                    line = 0;
                    ++row;
                }
            }
        }

        Index width = 0;
    };

    Ahead ahead_of(int t, int threads, const Stretch<T>& s, Index at, Index times) const {
        const Index width = inputs.n;
        if (now.groups || width < 4 * LINE || times == 0) return {};  // short rows are had while they are gathered
        const Index n = s.examples.n, rows = n - at < s.batch_size ? n - at : s.batch_size;
        const Index lines = (width + LINE - 1) / LINE;
        Ahead ahead{at + share_of(rows, t, threads), at + share_of(rows, t + 1, threads), lines, 0, 0, width};
        if ((ahead.end - ahead.row) * lines > CACHE / ALIGNMENT) ahead.end = ahead.row + CACHE / ALIGNMENT / lines;
        ahead.each_time = ((ahead.end - ahead.row) * lines + times - 1) / times;
        return ahead;
    }

    // The same for a part's weights and moments, where they are too many to stay in the cache.
    void fetch_weights(const Part& part, const Stretch<T>& s) const {
        if (n_parameters * Index(sizeof(T)) < CACHE || s.optimizer.method == Method::sgd) return;
        const Block<T> w = weights(part, s, nullptr, 0);
        for (int row = 0; row < w.rows; ++row)
            for (int k = 0; k < w.used; k += int(LINE)) {
                const Index at = row * w.stride + k;
                __builtin_prefetch(w.p + at, 1, 2);
                __builtin_prefetch(w.m + at, 1, 2);
                if (w.v != nullptr) __builtin_prefetch(w.v + at, 1, 2);
            }
    }

    // Where the work of thread t begins, of n pieces in all.
    static Index share_of(Index n, int t, int threads) { return t == 0 ? 0 : t == threads ? n : n * t / threads; }

    double total_of_groups() const {
        double cost = 0;
        for (Index g = 0; g < now.groups; ++g) cost += group_cost[g];
        return cost;
    }

    // reading ---------------------------------------------------------------------------------------

    struct Reading {
        Chain* chain;
        const T* parameters;
        Examples<T> examples;
        T* a;
        double* cost;
    };

    // Predictions into a, or where that is null the mean cost; a block of rows at a time.
    double read(const T* parameters, const Examples<T>& examples, T* a, int threads) {
        if (examples.n == 0) return 0;
        threads = threads_used(examples.n, threads);
        const Index blocks = (examples.n + BLOCK - 1) / BLOCK;
        prepare({BLOCK, threads, 0, threads});
        const std::unique_ptr<double[]> cost(new double[std::size_t(blocks)]);
        Reading reading{this, parameters, examples, a, cost.get()};
        in_parallel(
            threads,
            [](void* context, int t, Barrier& barrier) {
                const Reading& r = *static_cast<Reading*>(context);
                r.chain->read_blocks(r, t, barrier);
            },
            &reading);
        double sum = 0;
        if (a == nullptr)
            for (Index block = 0; block < blocks; ++block) sum += cost[std::size_t(block)];
        return sum / double(examples.n);
    }

    void read_blocks(const Reading& r, int t, Barrier& barrier) {
        const auto [first_part, last_part] = parts_of(t, barrier.n);
        for (const Part* part = first_part; part != last_part; ++part) refresh(r.parameters, *part);
        barrier.wait();
        Rows<T>& rows = slabs[std::size_t(t)];
        T* const own = scratch + t * scratch_size();
        const Index blocks = (r.examples.n + BLOCK - 1) / BLOCK;
        for (Index i = 0; i < BLOCK; ++i) rows.share[i] = 1;
        for (Index block = blocks * t / barrier.n; block < blocks * (t + 1) / barrier.n; ++block) {
            const Index at = block * BLOCK, n = r.examples.n - at < BLOCK ? r.examples.n - at : BLOCK;
            gather(rows, 0, n, r.examples, nullptr, at);
            forward_rows(rows, 0, n);
            if (r.a == nullptr) {
                output(output_of(rows, own), 0, n);
                r.cost[block] = total(rows.C, n);
                continue;
            }
            const Matrix<T>& last = rows.a[std::size_t(L)];
            if (softmax_last)
                softmax(last, 0, n, own);
            else
                for (const Panel& panel : last.columns->panels)
                    layers[std::size_t(L)].activation(last.at(panel, 0), rows.d[std::size_t(L)].at(panel, 0),
                                                      n * panel.width);
            scatter(last, n, r.a + at * last.columns->n);
        }
    }

    static void scatter(const Matrix<T>& from, Index rows, T* out) {
        using V = Vec<T, NARROWEST<T>>;
        for (const Panel& panel : from.columns->panels)
            for (Index i = 0; i < rows; ++i)
                for (int j = 0; j < panel.used; j += lanes<V>)
                    store_some<V>(out + i * from.columns->n + panel.first + j, load<V>(from.at(panel, i) + j),
                                  panel.used - j);
    }

    const int L;
    OutputPass<T> output;
    Columns inputs;
    std::vector<Layer<T>> layers;  // 1 … L
    std::vector<Part> parts;
    Penalty<T> penalty{};
    bool softmax_last = false;
    Index n_parameters = 0;
    Index block_rows = 0;  // rows that pass through all layers together: as many as stay in the cache
    Index sums_size = 0;
    double effort_of_row = 0;

    Cut now;
    std::unique_ptr<char, FreeAligned> memory;
    Index memory_size = 0;
    std::vector<Rows<T>> slabs;
    T* sums = nullptr;               // of each group, part by part
    double* group_cost = nullptr;    // one a group
    double* part_penalty = nullptr;  // one a part
    T* scratch = nullptr;            // of each thread
};

}  // namespace chainrule::CHAINRULE_ISA

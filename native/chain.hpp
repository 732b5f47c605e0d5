// One network's training steps, by one thread or several.
//
// A step has two phases. In the first each thread takes some rows of the batch through all layers, forward and back; rows
// do not depend on each other. In the second the gradient is summed and the weights change; δ of every layer is known by
// then. Three ways to share the second phase:
// - a large network: each thread sums some parts of the gradient, a panel of neurons × a panel of inputs, over all rows, and
//   updates the weights in them;
// - a small one: each thread sums the gradient over its own rows already in the first phase, where they are in its cache,
//   then adds the other threads' sums and updates all weights, in a copy of its own. So only sums travel between cores,
//   once a step;
// - a network too small for several threads: one thread does all.
// In what order numbers are added depends on the network and the batch size, never on the number of threads.
#pragma once

#include "passes.hpp"
#include "pool.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T>
class Chain final : public Engine<T> {
public:
    explicit Chain(const Network& network) : plan(network) {}

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
        return plan.threads_used(plan.cut_batch(rows), threads);
    }

    void poison() override { memory.poison(); }

private:
    
    static constexpr Index BLOCK = Plan<T>::BLOCK;

    struct Call {
        Chain* chain;
        const Stretch<T>* stretch;
        Cut cut;
        T* nabla_C;   // where the gradient goes that is not fused with its update; a copy's each has its own
        bool update;
        bool copies;  // each thread updates all weights, in a copy of its own
    };

    // The steps of a stretch. Without `update`, ∇C of the one step goes to nabla_C.
    void train(const Stretch<T>& stretch, T* nabla_C, bool update, int threads) {
        const Index n = stretch.examples.n;
        const Cut cut = plan.cut_batch(stretch.batch_size < n ? stretch.batch_size : n);
        threads = plan.threads_used(cut, threads);
        const bool copies = update && threads > 1 && cut.groups > 1;
        memory.prepare(plan, {cut.blocks ? BLOCK : cut.batch, cut.blocks ? threads : 1, cut.groups, threads,
                              copies ? threads : 1});
        std::unique_ptr<T[]> unfused;
        if (update && !stretch.fused) {
            unfused.reset(new T[std::size_t(plan.n_parameters * (copies ? threads : 1))]);
            nabla_C = unfused.get();
        }
        Weights<T>& first = memory.copies[0];
        first.parameters = stretch.parameters;
        first.moments[0] = stretch.moments[0];
        first.moments[1] = stretch.moments[1];
        Call call{this, &stretch, cut, nabla_C, update, copies};
        in_parallel(
            threads,
            [](void* context, int t, Barrier& barrier) {
                const Call& call = *static_cast<Call*>(context);
                call.chain->steps(call, t, barrier);
            },
            &call);
    }

    void steps(const Call& call, int t, Barrier& barrier) {
        const Stretch<T>& s = *call.stretch;
        const int threads = barrier.n;
        const bool copies = call.copies && threads > 1;  // the pool may have been taken
        const Weights<T>& own = memory.copies[copies ? std::size_t(t) : 0];
        T* const nabla_C = call.nabla_C + (copies ? t * plan.n_parameters : 0);
        const auto [first, last] = copies ? plan.parts_of(0, 1) : plan.parts_of(t, threads);
        if (copies && t > 0) copy_weights(s, own);
        for (const Part* part = first; part != last; ++part) pack(plan, *part, own.parameters, own);
        barrier.wait();
        Batch<T> batch{s.examples, s.order, s.cursor, 0};
        const Index n = s.examples.n;
        for (Index step = 0; step < s.n_steps; ++step) {
            batch.rows = n - batch.at < s.batch_size ? n - batch.at : s.batch_size;
            const Shares shares = batch.shares();
            if (t == 0) {
                s.cost[step] = 0;
                s.weight[step] = shares.weight;
            }
            Batch<T> next = batch;
            next.at = batch.at + batch.rows < n ? batch.at + batch.rows : 0;
            next.rows = n - next.at < s.batch_size ? n - next.at : s.batch_size;
            if (shares.weight > 0) {
                const int turn = int(step % 2);
                rows_phase(call, own, batch, shares, t, threads, turn);
                barrier.wait();
                if (t == 0) s.cost[step] = cost_of(call, batch, turn);
                const bool more = step + 1 < s.n_steps;  // the next call packs for itself
                Ahead<T> ahead;
                if (more && !call.cut.blocks)
                    ahead = Ahead<T>(next, plan.inputs.n, begin_of(next.rows, t, threads),
                                     begin_of(next.rows, t + 1, threads), last - first);
                const Constants<T> constants(s.optimizer, double(s.first_step + step + 1));
                T* const g = memory.scratch(t);
                for (const Part* part = first; part != last; ++part) {
                    ahead.fetch();
                    if (part + 1 != last) fetch(part[1], own);
                    if (call.cut.groups > 1)
                        add_groups(*part, call.cut.groups, threads, turn, g);
                    else
                        sum_part(plan, *part, memory.slabs[0], 0, batch.rows, g, false);
                    finish(*part, call, own, g, call.nabla_C ? nabla_C : nullptr, constants);
                    if (call.nabla_C == nullptr && more) pack(plan, *part, own.parameters, own);
                }
                if (call.nabla_C != nullptr && call.update) {
                    barrier.wait();
                    for (const Part* part = first; part != last; ++part) {
                        update_from(nabla_C, *part, call, own, constants);
                        if (more) pack(plan, *part, own.parameters, own);
                    }
                }
                if (!copies) barrier.wait();
                if (t == 0 && plan.penalty)
                    for (std::size_t part = 0; part < plan.parts.size(); ++part) s.cost[step] += own.penalty[part];
            }
            batch.at = next.at;
        }
    }

    void copy_weights(const Stretch<T>& s, const Weights<T>& copy) const {
        const std::size_t bytes = std::size_t(plan.n_parameters) * sizeof(T);
        std::memcpy(copy.parameters, s.parameters, bytes);
        for (int i = 0; i < 2; ++i)
            if (s.moments[i] != nullptr) std::memcpy(copy.moments[i], s.moments[i], bytes);
    }

    // the first phase --------------------------------------------------------------------------------

    void rows_phase(const Call& call, const Weights<T>& weights, const Batch<T>& batch, const Shares& shares, int t,
                    int threads, int turn) {
        const Index groups = call.cut.groups, rows = batch.rows;
        T* const scratch = memory.scratch(t);
        if (groups == 1) {
            pass_rows(weights, batch, shares, begin_of(rows, t, threads), begin_of(rows, t + 1, threads), scratch);
            return;
        }
        const Index first = begin_of(groups, t, threads), last = begin_of(groups, t + 1, threads);
        if (!call.cut.blocks)
            pass_rows(weights, batch, shares, begin_of(rows, first, groups), begin_of(rows, last, groups), scratch);
        for (Index group = first; group < last; ++group) {
            const Index begin = begin_of(rows, group, groups), end = begin_of(rows, group + 1, groups);
            T* const sums = memory.sums[turn] + group * plan.sums_size;
            double& cost = memory.group_cost[turn][group];
            if (begin == end) {  // of a small last batch
                std::memset(sums, 0, std::size_t(plan.sums_size) * sizeof(T));
                cost = 0;
            } else if (call.cut.blocks) {
                cost = sum_group(memory.slabs[std::size_t(t)], weights, batch, shares, begin, end, sums, scratch);
            } else {
                for (const Part& part : plan.parts)
                    sum_part(plan, part, memory.slabs[0], begin, end, sums + part.at, false);
                cost = total(memory.slabs[0].C + begin, end - begin);
            }
        }
        add_own_groups(first, last, groups, turn);
    }

    void pass_rows(const Weights<T>& weights, const Batch<T>& batch, const Shares& shares, Index first, Index last,
                   T* scratch) {
        for (Index i = first; i < last; i += plan.block_rows) {
            const Index end = i + plan.block_rows < last ? i + plan.block_rows : last;
            pass(plan, weights, memory.slabs[0], batch, shares, i, end, i, scratch);
        }
    }

    // The sums of a group whose rows pass in blocks; returns the group's cost.
    double sum_group(Rows<T>& slab, const Weights<T>& weights, const Batch<T>& batch, const Shares& shares, Index first,
                     Index last, T* sums, T* scratch) {
        double cost = 0;
        for (Index i = first; i < last; i += BLOCK) {
            const Index n = last - i < BLOCK ? last - i : BLOCK;
            pass(plan, weights, slab, batch, shares, i, i + n, 0, scratch);
            cost += total(slab.C, n);
            for (const Part& part : plan.parts) sum_part(plan, part, slab, 0, n, sums + part.at, i != first);
        }
        return cost;
    }

    static double total(const T* numbers, Index n) {
        double sums[8] = {};
        for (Index i = 0; i < n; ++i) sums[i % 8] += double(numbers[i]);
        return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
    }

    double cost_of(const Call& call, const Batch<T>& batch, int turn) const {
        if (call.cut.groups == 1) return total(memory.slabs[0].C, batch.rows);
        double cost = 0;
        for (Index group = 0; group < call.cut.groups; ++group) cost += memory.group_cost[turn][group];
        return cost;
    }

    // the sums of the groups, a binary tree ---------------------------------------------------------

    // What a thread can add of the tree by itself: those pairs, pairs of pairs, … of groups that it has whole. The sum of a
    // pair takes the place of its first.
    void add_own_groups(Index first, Index last, Index groups, int turn) {
        using V = Vec<T, NARROWEST<T>>;
        for (Index half = 1; half < groups; half *= 2)
            for (Index left = 0; left < groups; left += 2 * half) {
                if (left < first || left + 2 * half > last) continue;
                T* const a = memory.sums[turn] + left * plan.sums_size;
                const T* const b = a + half * plan.sums_size;
                for (Index i = 0; i < plan.sums_size; i += lanes<V>) store(a + i, load<V>(a + i) + load<V>(b + i));
            }
    }

    static int owner(Index group, Index groups, int threads) {
        int t = 0;
        while (begin_of(groups, t + 1, threads) <= group) ++t;
        return t;
    }

    // The tree's sum over groups first … first + n − 1 at one place.
    template <class V>
    V tree(const T* sums, Index first, Index n, Index groups, int threads) const {
        const bool whole = n == 1 || owner(first, groups, threads) == owner(first + n - 1, groups, threads);
        if (whole) return load<V>(sums + first * plan.sums_size);
        return tree<V>(sums, first, n / 2, groups, threads) + tree<V>(sums, first + n / 2, n / 2, groups, threads);
    }

    void add_groups(const Part& part, Index groups, int threads, int turn, T* out) const {
        using V = Vec<T, NARROWEST<T>>;
        const Index end = &part == &plan.parts.back() ? plan.sums_size : (&part + 1)->at;
        const T* const sums = memory.sums[turn];
        if (threads == 1) {
            std::memcpy(out, sums + part.at, std::size_t(end - part.at) * sizeof(T));
        } else if (threads == 2) {
            const T* const other = sums + groups / 2 * plan.sums_size;
            for (Index i = part.at; i < end; i += lanes<V>)
                store(out + i - part.at, load<V>(sums + i) + load<V>(other + i));
        } else {
            for (Index i = part.at; i < end; i += lanes<V>)
                store(out + i - part.at, tree<V>(sums + i, 0, groups, groups, threads));
        }
    }

    // the second phase -------------------------------------------------------------------------------

    // The weights of a part with their gradient, whose rows are g_stride apart unless they are closed; and its biases.
    Block<T> weights_of(const Part& part, const Weights<T>& own, T* g, Index g_stride) const {
        const Layer<T>& layer = plan.layers[std::size_t(part.layer)];
        const Panel &j = plan.panel_j(part), &k = plan.panel_k(part);
        const Index at = layer.w + j.first * layer.n_in + k.first;
        Block<T> block{own.parameters + at, own.moment(0, at), own.moment(1, at), layer.n_in, g, g_stride, j.used, k.used};
        if (plan.has_whole_rows(part)) {
            block.rows = 1;
            block.used = j.used * k.used;
        }
        return block;
    }

    Block<T> biases_of(const Part& part, const Weights<T>& own, T* g) const {
        const Panel& j = plan.panel_j(part);
        const Index at = plan.layers[std::size_t(part.layer)].b + j.first;
        return {own.parameters + at, own.moment(0, at), own.moment(1, at), 0, g, 0, 1, j.used};
    }

    // Close the gaps between the rows of g, where a part has whole rows of weights: as one stretch they fill more of each
    // vector than a few inputs do.
    void close_rows(const Part& part, T* g) const {
        const Panel &j = plan.panel_j(part), &k = plan.panel_k(part);
        if (!plan.has_whole_rows(part) || k.used == k.width) return;
        by_width<T>(k.width, [&](auto width) {
            constexpr int W = decltype(width)::value;
            using V = typename RowOf<T, W>::V;
            for (int row = 1; row < j.used; ++row)  // what a row writes too much, the next one writes over
                for (int n = 0; n < RowOf<T, W>::N; ++n)
                    store(g + row * k.used + n * lanes<V>, load<V>(g + row * W + n * lanes<V>));
        });
    }

    // g, a part's summed gradient, gets its penalty; then it updates the weights or goes to nabla_C.
    void finish(const Part& part, const Call& call, const Weights<T>& own, T* g, T* nabla_C,
                const Constants<T>& constants) {
        const int width = plan.panel_k(part).width;
        const Block<T> b = biases_of(part, own, g + Index(plan.panel_j(part).used) * width);
        close_rows(part, g);
        const Block<T> w = weights_of(part, own, g, width);
        if (plan.penalty) own.penalty[&part - plan.parts.data()] = penalise(w, plan.penalty);
        if (nabla_C == nullptr) {
            update(call.stretch->optimizer.method, w, constants);
            if (part.k == 0) update(call.stretch->optimizer.method, b, constants);
        } else {
            copy(w, nabla_C + (w.p - own.parameters));
            if (part.k == 0) copy(b, nabla_C + (b.p - own.parameters));
        }
    }

    static void copy(const Block<T>& block, T* out) {
        using V = Vec<T, LANES<T>>;
        each_vector(block, [&](Index at, Index g_at, Index n) {
            store_some<V>(out + at, load_some<V>(block.g + g_at, n), n);
        });
    }

    void update_from(T* nabla_C, const Part& part, const Call& call, const Weights<T>& own,
                     const Constants<T>& constants) {
        Block<T> w = weights_of(part, own, nullptr, plan.layers[std::size_t(part.layer)].n_in);
        Block<T> b = biases_of(part, own, nullptr);
        w.g = nabla_C + (w.p - own.parameters);
        b.g = nabla_C + (b.p - own.parameters);
        update(call.stretch->optimizer.method, w, constants);
        if (part.k == 0) update(call.stretch->optimizer.method, b, constants);
    }

    // Ask for a part's weights and moments, where they are too many to stay in the first cache.
    void fetch(const Part& part, const Weights<T>& own) const {
        if (plan.n_parameters * Index(sizeof(T)) < 32 * 1024) return;
        const Block<T> w = weights_of(part, own, nullptr, 0);
        for (int row = 0; row < w.rows; ++row)
            for (int k = 0; k < w.used; k += int(ALIGNMENT / sizeof(T))) {
                const Index at = row * w.stride + k;
                __builtin_prefetch(w.p + at, 1);
                if (w.m != nullptr) __builtin_prefetch(w.m + at, 1);
                if (w.v != nullptr) __builtin_prefetch(w.v + at, 1);
            }
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
        threads = plan.threads_used(plan.cut_batch(examples.n), threads);
        const Index blocks = (examples.n + BLOCK - 1) / BLOCK;
        memory.prepare(plan, {BLOCK, threads, 0, threads, 1});
        const std::unique_ptr<double[]> cost(new double[std::size_t(blocks)]);
        Reading reading{this, parameters, examples, a, cost.get()};
        in_parallel(
            threads,
            [](void* context, int t, Barrier& barrier) {
                const Reading& reading = *static_cast<Reading*>(context);
                reading.chain->read_blocks(reading, t, barrier);
            },
            &reading);
        double sum = 0;
        if (a == nullptr)
            for (Index block = 0; block < blocks; ++block) sum += cost[std::size_t(block)];
        return sum / double(examples.n);
    }

    void read_blocks(const Reading& reading, int t, Barrier& barrier) {
        const Weights<T>& weights = memory.copies[0];
        const auto [first, last] = plan.parts_of(t, barrier.n);
        for (const Part* part = first; part != last; ++part) pack(plan, *part, reading.parameters, weights);
        barrier.wait();
        Rows<T>& rows = memory.slabs[std::size_t(t)];
        const Batch<T> all{reading.examples, nullptr, 0, reading.examples.n};
        const std::size_t L = std::size_t(plan.L);
        for (Index i = 0; i < BLOCK; ++i) rows.share[i] = 1;
        const Index blocks = (all.rows + BLOCK - 1) / BLOCK;
        for (Index block = begin_of(blocks, t, barrier.n); block < begin_of(blocks, t + 1, barrier.n); ++block) {
            const Index at = block * BLOCK, n = all.rows - at < BLOCK ? all.rows - at : BLOCK;
            gather(reading.examples.X, all, at, at + n, rows.a[0], 0);
            forward(plan, weights, rows, 0, n);
            if (reading.a == nullptr) {
                gather(reading.examples.Y, all, at, at + n, rows.y, 0);
                output(plan, rows, 0, n, memory.scratch(t));
                reading.cost[block] = total(rows.C, n);
                continue;
            }
            if (plan.softmax_last)
                softmax(rows.a[L], 0, n, memory.scratch(t));
            else
                for (const Panel& panel : plan.columns(plan.L).panels)
                    plan.layers[L].activation(rows.a[L].at(panel, 0), rows.d[L].at(panel, 0), n * panel.width);
            scatter(rows.a[L], n, reading.a + at * rows.a[L].columns->n);
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

    const Plan<T> plan;
    Memory<T> memory;
};

}  // namespace chainrule::CHAINRULE_ISA

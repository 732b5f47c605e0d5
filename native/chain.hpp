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
#include "subnormal.hpp"

namespace chainrule::CHAINRULE_ISA {

// Whether others want the processors. Then threads wait for one another most of the time, and one alone is faster; after a
// while it is tried again.
class Crowd {
public:
    int threads(int offered) {
        if (offered == 1 || calls_alone == 0) return offered;
        --calls_alone;
        return 1;
    }

    void note(int threads, double waited) {
        if (threads == 1 || insisting) return;
        rest = waited > 0.25 ? (rest < MOST ? 2 * rest + 1 : MOST) : 0;
        calls_alone = rest;
    }

    // From now on as if nobody else were there.
    void insist() { insisting = true; }
    bool insists() const { return insisting; }

private:
    static constexpr int MOST = 127;
    bool insisting = false;
    int rest = 0;
    int calls_alone = 0;
};

template <class T>
class Chain final : public Engine<T> {
public:
    explicit Chain(const Network& network) : plan(network) {}

    double gradient(const T* parameters, const Examples<T>& examples, T* nabla_C, int threads) override {
        double cost = 0, weight = 0;
        Stretch<T> stretch{};
        stretch.parameters = const_cast<T*>(parameters);  // only read, since there is no update
        stretch.examples = examples;
        stretch.batch_size = stretch.in_epoch = examples.n;
        stretch.n_steps = 1;
        stretch.cost = &cost;
        stretch.weight = &weight;
        train(stretch, nabla_C, threads);
        return cost;
    }

    void run(const Stretch<T>& stretch, int threads) override {
        if (stretch.n_steps > 0) train(stretch, nullptr, threads);
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

    void insist() override { crowd.insist(); }

private:
    static constexpr Index BLOCK = Plan<T>::BLOCK;

    struct Call {
        Chain* chain;
        const Stretch<T>* stretch;
        Cut cut;
        T* nabla_C;   // where the gradient of the one step goes that updates nothing
        T* unfused;   // or where it waits until all of it is known, as the sums lie; for each copy of the weights
        bool copies;  // each thread updates all weights, in a copy of its own
    };

    // The steps of a stretch; with nabla_C, ∇C of the first goes there and nothing is updated.
    void train(const Stretch<T>& stretch, T* nabla_C, int threads) {
        const Index n = stretch.in_epoch;
        const Cut cut = plan.cut_batch(stretch.batch_size < n ? stretch.batch_size : n);
        threads = crowd.threads(plan.threads_used(cut, threads));
        const bool copies = nabla_C == nullptr && threads > 1 && cut.groups > 1;
        memory.prepare(plan, {cut.blocks ? BLOCK : cut.batch, cut.blocks ? threads : 1, cut.groups, threads,
                              copies ? threads : 1});
        std::unique_ptr<T[]> unfused;
        if (nabla_C == nullptr && (!stretch.fused || stretch.clip_norm > 0))
            unfused.reset(new T[std::size_t(plan.sums_size * (copies ? threads : 1))]);
        Weights<T>& first = memory.copies[0];
        first.parameters = stretch.parameters;
        first.moments[0] = stretch.moments[0];
        first.moments[1] = stretch.moments[1];
        Call call{this, &stretch, cut, nabla_C, unfused.get(), copies};
        const double waited = in_parallel(
            threads, crowd.insists() || plan.worth_waking(cut.batch * stretch.n_steps),
            [](void* context, int t, Barrier& barrier) {
                const Call& call = *static_cast<Call*>(context);
                const FlushSubnormals flush(call.nabla_C == nullptr);
                call.chain->steps(call, t, barrier);
            },
            &call);
        crowd.note(threads, waited);
    }

    [[gnu::noinline]] void steps(const Call& call, int t, Barrier& barrier) {
        const Stretch<T>& s = *call.stretch;
        const int threads = barrier.n;
        const bool copies = call.copies && threads > 1;  // the pool may have been taken
        const Weights<T>& own = memory.copies[copies ? std::size_t(t) : 0];
        T* const unfused = call.unfused + (copies && call.unfused ? t * plan.sums_size : 0);
        const auto [first, last] = copies ? plan.parts_of(0, 1) : plan.parts_of(t, threads);
        if (copies && t > 0) copy_weights(s, own);
        for (const Part* part = first; part != last; ++part) load(plan, *part, own);
        barrier.wait();
        Batch<T> batch{s.examples, s.order, s.cursor, 0, {s.dropout, s.key}};
        const bool measured = s.squares != nullptr || s.clip_norm > 0;
        const Index n = s.in_epoch;
        int turn = 0;  // of the updates, not of the steps: one that updates nothing meets no barrier
        for (Index step = 0; step < s.n_steps; ++step) {
            batch.rows = n - batch.at < s.batch_size ? n - batch.at : s.batch_size;
            const Shares shares = batch.shares();
            if (t == 0) {
                s.cost[step] = 0;
                s.weight[step] = shares.weight;
                for (int l = 0; s.squares != nullptr && l < plan.L; ++l) s.squares[step * plan.L + l] = 0;
            }
            batch.dropout.step = std::uint64_t(s.first_step + step);
            Batch<T> next = batch;
            next.at = batch.at + batch.rows < n ? batch.at + batch.rows : 0;
            next.rows = n - next.at < s.batch_size ? n - next.at : s.batch_size;
            if (shares.weight > 0) {
                const Penalty<T> penalty = s.shared_penalty ? plan.penalty.over(shares.weight) : plan.penalty;
                rows_phase(call, own, batch, shares, t, threads, turn);
                barrier.wait();
                if (t == 0) s.cost[step] = cost_of(call, batch, turn);
                const bool more = step + 1 < s.n_steps;
                Ahead<T> ahead;
                if (more && !call.cut.blocks)
                    ahead = Ahead<T>(next, plan.inputs.n, begin_of(next.rows, t, threads),
                                     begin_of(next.rows, t + 1, threads), last - first);
                const Constants<T> constants(s.optimizer, s.rates ? s.rates[step] : 0, double(s.first_step + step + 1));
                for (const Part* part = first; part != last; ++part) {
                    ahead.fetch();
                    if (part + 1 != last) fetch(plan, part[1], own);
                    T* const g = unfused ? unfused + part->sums : memory.scratch(t);
                    if (call.cut.groups > 1)
                        add_groups(*part, call.cut.groups, threads, turn, g);
                    else
                        sum_part(plan, *part, memory.slabs[0], 0, batch.rows, g, false);
                    if (penalty) {
                        double& size = own.penalty[part - plan.parts.data()];
                        size = penalise(weights_of(plan, *part, own, g), penalty);
                        if (size != size) {  // of the padding, it may be
                            clear_padding(plan, *part, own);
                            size = penalise<false>(weights_of(plan, *part, own, g), penalty);
                        }
                    }
                    if (measured) own.squares[part - plan.parts.data()] = squares(plan, *part, g);
                    if (call.nabla_C != nullptr)
                        store(plan.layers[std::size_t(part->layer)], *part, g, g + part->n_weights, call.nabla_C);
                    else if (unfused == nullptr)
                        update_part(*part, s.optimizer.method, own, g, constants, more);
                }
                if (unfused != nullptr) {
                    barrier.wait();
                    const T share = s.clip_norm > 0 ? clipped(own, s.clip_norm) : T(1);
                    for (const Part* part = first; part != last; ++part) {
                        T* const g = unfused + part->sums;
                        for (Index i = 0; share != 1 && i < part->n_weights + part->n_biases; ++i) g[i] *= share;
                        update_part(*part, s.optimizer.method, own, g, constants, more);
                    }
                }
                if (!copies) barrier.wait();
                if (t == 0 && penalty)
                    for (std::size_t part = 0; part < plan.parts.size(); ++part) s.cost[step] += own.penalty[part];
                if (t == 0 && s.squares != nullptr)
                    for (std::size_t part = 0; part < plan.parts.size(); ++part)
                        s.squares[step * plan.L + plan.parts[part].layer - 1] += own.squares[part];
                turn ^= 1;
            }
            batch.at = next.at;
        }
        if (call.nabla_C == nullptr && !(copies && t > 0))
            for (const Part* part = first; part != last; ++part) store(plan, *part, own);
    }

    // `more`: further steps follow, which need the panels. (The next call makes them for itself.)
    void update_part(const Part& part, Method method, const Weights<T>& own, T* g, const Constants<T>& constants,
                     bool more) {
        update(plan, method, part, own, g, constants);
        if (more) derive(plan, part, own);
    }

    // What ∇C has to be multiplied by so that it is no longer than `most`.
    T clipped(const Weights<T>& own, double most) const {
        double sum = 0;
        for (std::size_t part = 0; part < plan.parts.size(); ++part) sum += own.squares[part];
        const double length = __builtin_sqrt(sum);
        return length > most ? T(most / length) : T(1);
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
                    sum_part(plan, part, memory.slabs[0], begin, end, sums + part.sums, false);
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
            for (const Part& part : plan.parts) sum_part(plan, part, slab, 0, n, sums + part.sums, i != first);
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
        const Index end = part.sums + part.n_weights + part.n_biases;
        const T* const sums = memory.sums[turn];
        if (threads == 1) {
            std::memcpy(out, sums + part.sums, std::size_t(end - part.sums) * sizeof(T));
        } else if (threads == 2) {
            const T* const other = sums + groups / 2 * plan.sums_size;
            for (Index i = part.sums; i < end; i += lanes<V>)
                store(out + i - part.sums, load<V>(sums + i) + load<V>(other + i));
        } else {
            for (Index i = part.sums; i < end; i += lanes<V>)
                store(out + i - part.sums, tree<V>(sums + i, 0, groups, groups, threads));
        }
    }

    // reading ---------------------------------------------------------------------------------------

    struct Reading {
        Chain* chain;
        Examples<T> examples;
        Way way;
        Index block, blocks;  // the rows of a block, and how many blocks there are
        T* a;
        double* cost;
    };

    // Predictions into a, or where that is null the mean cost; a block of rows at a time.
    double read(const T* parameters, const Examples<T>& examples, T* a, int threads) {
        if (examples.n == 0) return 0;
        const Way way = plan.way_of_reading(examples.n);
        threads = crowd.threads(plan.threads_reading(way, examples.n, threads));
        const Index block = plan.together(way, examples.n) ? examples.n : plan.block_of(examples.n);
        const Index blocks = (examples.n + block - 1) / block;
        memory.prepare(plan, {BLOCK, threads, 0, threads, 1});
        const std::unique_ptr<double[]> cost(new double[std::size_t(blocks)]);
        memory.copies[0].parameters = const_cast<T*>(parameters);  // only read
        memory.copies[0].moments[0] = memory.copies[0].moments[1] = nullptr;
        Reading reading{this, examples, way, block, blocks, a, cost.get()};
        const double waited = in_parallel(
            threads, crowd.insists() || plan.worth_waking(way, examples.n),
            [](void* context, int t, Barrier& barrier) {
                const Reading& reading = *static_cast<Reading*>(context);
                reading.chain->read_blocks(reading, t, barrier);
            },
            &reading);
        crowd.note(threads, waited);
        double sum = 0;
        if (a == nullptr)
            for (Index i = 0; i < blocks; ++i) sum += cost[std::size_t(i)];
        return sum / double(examples.n);
    }

    void read_blocks(const Reading& reading, int t, Barrier& barrier) {
        if (reading.way == Way::packed) {
            const auto [first, last] = plan.parts_of(t, barrier.n);
            for (const Part* part = first; part != last; ++part) load(plan, *part, memory.copies[0], false);
            barrier.wait();
        }
        const Index n = reading.examples.n;
        if (plan.together(reading.way, n)) return read_block(reading, 0, n, memory.slabs[0], {t, barrier.n, &barrier}, t);
        const Index end = begin_of(reading.blocks, t + 1, barrier.n);
        for (Index block = begin_of(reading.blocks, t, barrier.n); block < end; ++block) {
            const Index first = block * reading.block, last = first + reading.block;
            read_block(reading, first, last < n ? last : n, memory.slabs[std::size_t(t)], {}, t);
        }
    }

    // The examples first … last − 1 as the first rows of a slab.
    void read_block(const Reading& reading, Index first, Index last, Rows<T>& rows, const Team& team, int t) {
        const Weights<T>& weights = memory.copies[0];
        const Batch<T> all{reading.examples, nullptr, 0, reading.examples.n};
        const Index n = last - first;
        const std::size_t L = std::size_t(plan.L);
        const T* const X = reading.examples.X + first * plan.inputs.n;
        // the finished outputs, where no further pass makes them of what the last layer gets
        T* const out = reading.a == nullptr || plan.softmax_last ? nullptr : reading.a + first * plan.columns(plan.L).n;
        switch (reading.way) {
            case Way::dots: forward_dots(plan, weights.parameters, X, n, rows, team, out); break;
            case Way::turned: forward_turned(plan, weights.parameters, X, n, rows, team, out); break;
            case Way::packed:
                gather(reading.examples.X, all, first, last, rows.a[0], 0);
                forward(plan, weights, rows, 0, n);
        }
        if (reading.way != Way::packed && out) return;
        const auto [begin, end] = team.part_of(n, LANES<T>);
        if (begin < end) {
            if (reading.a == nullptr) {
                gather(reading.examples.Y, all, first + begin, first + end, rows.y, begin);
                for (Index i = begin; i < end; ++i) rows.share[i] = 1;
                output(plan, rows, begin, end, memory.scratch(t));
            } else {
                if (plan.softmax_last)
                    softmax(rows.a[L], begin, end, memory.scratch(t));
                else
                    for (const Panel& panel : plan.columns(plan.L).panels)
                        plan.layers[L].activation(rows.a[L].at(panel, begin), rows.d[L].at(panel, begin),
                                                  (end - begin) * panel.width);
                scatter(rows.a[L], begin, end, reading.a + (first + begin) * rows.a[L].columns->n);
            }
        }
        if (reading.a == nullptr) {
            team.wait();
            if (team.t == 0) reading.cost[first / reading.block] = total(rows.C, n);
        }
    }

    static void scatter(const Matrix<T>& from, Index first, Index last, T* out) {
        using V = Vec<T, NARROWEST<T>>;
        for (const Panel& panel : from.columns->panels)
            for (Index i = first; i < last; ++i)
                for (int j = 0; j < panel.used; j += lanes<V>)
                    store_some<V>(out + (i - first) * from.columns->n + panel.first + j, load<V>(from.at(panel, i) + j),
                                  panel.used - j);
    }

    const Plan<T> plan;
    Memory<T> memory;
    Crowd crowd;
};

}  // namespace chainrule::CHAINRULE_ISA

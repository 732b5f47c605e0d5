// What does not change while a network trains: where its layers lie, and how a batch and the gradient are cut for threads.
#pragma once

#include "cost.hpp"
#include "optimizer.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T>
struct Layer {
    Index n_in, n_out;
    Index w, b;  // where they begin in the parameters
    Columns columns;
    Pass<T> activation;
    // Whether its weights are kept in panels while steps run, as the forward product takes them: then no step has to
    // transpose them for it. Those of a large layer stay where the caller has them, since moving them at each call would
    // cost more, and so do those of a few neurons with many inputs, which fill vectors only that way.
    bool in_panels;
};

// The gradient of a panel of neurons by a panel of inputs; that of the biases goes with the first panel of inputs.
struct Part {
    int layer;
    const Panel *j, *k;
    Index sums;                 // where it begins among the sums of a group: its weights', then its biases'
    Index n_weights, n_biases;  // how many these are, with padding
    Index w, b;                 // where they begin in the parameters
    Index kept_w, kept_b;       // and in a layer's panels
    double effort;              // of all parts up to and with this one
};

// How a batch is cut. Each group of rows has its own sums of the gradient, which are then added as a binary tree. The bits
// depend on the number of groups, so that depends on the network and the batch size alone.
struct Cut {
    Index batch = 0;
    Index groups = 1;    // a power of 2; one: the sums are over the whole batch
    bool blocks = false;  // the rows of a group pass in blocks, since all of them together would leave the cache
};

// How rows that are only read go through the network: with its weights brought into panels first; with examples for
// columns, so that weights stay as they are; or by dot products with the weights as they are, if there are many for very few
// rows, or where wide inputs go into a few neurons. The first two give the same bits.
enum class Way { packed, turned, dots };

// Where piece t of `pieces` begins, of n in all.
inline Index begin_of(Index n, Index t, Index pieces) { return t == 0 ? 0 : t == pieces ? n : n * t / pieces; }

template <class T>
class Plan {
public:
    Plan(const Plan&) = delete;
    Plan& operator=(const Plan&) = delete;
    explicit Plan(const Network& network)
        : L(int(network.activation.size())),
          inputs(cut<T>(network.sizes[0])),
          penalty{T(network.l1), T(network.l2)},
          output(output_pass<T>(network)),
          softmax_last(network.activation.back() == Activation::softmax) {
        layers.resize(std::size_t(L) + 1);
        Index padded = inputs.padded;
        narrow = inputs.n >= 32 * LANES<T>;
        for (int l = 1; l <= L; ++l) {
            const Activation σ = network.activation[std::size_t(l) - 1];
            Layer<T>& layer = layers[std::size_t(l)];
            layer.n_in = network.sizes[std::size_t(l) - 1];
            layer.n_out = network.sizes[std::size_t(l)];
            layer.w = n_parameters;
            layer.b = layer.w + layer.n_in * layer.n_out;
            n_parameters = layer.b + layer.n_out;
            layer.columns = cut<T>(layer.n_out);
            layer.activation = pass<T>(σ);
            layer.in_panels = layer.n_in * layer.n_out <= LARGEST_IN_PANELS &&
                              (2 * layer.n_out >= LANES<T> || layer.n_in <= WIDEST<T>);
            padded += 2 * layer.columns.padded;
            const double cheap = σ == Activation::relu || σ == Activation::identity || σ == Activation::leaky_relu;
            row_effort += double(layer.columns.padded) * (double(layer.n_in) * (l == 1 ? 2 : 3) + (cheap ? 4 : 25));
            read_effort += double(layer.columns.padded) * (double(layer.n_in) + (cheap ? 2 : 20));
            narrow = narrow && layer.n_out <= LANES<T>;
            turned_effort += double(layer.n_out) * (double(layer.n_in) + (cheap ? 2 : 20));
        }
        row_effort = row_effort / LANES<T> + 20;
        read_effort = read_effort / LANES<T> + 20;
        turned_effort = turned_effort / LANES<T>;
        block_rows = CACHE / (padded * Index(sizeof(T))) / 8 * 8;
        if (block_rows < BLOCK) block_rows = BLOCK;
        cut_gradient();
    }

    const Columns& columns(int l) const { return l == 0 ? inputs : layers[std::size_t(l)].columns; }

    Cut cut_batch(Index batch) const {
        const bool blocks = batch > 2 * block_rows;
        Index groups = 1;
        // worth several threads, and the sums in the cache; few rows are not worth four large sums
        const Index bytes = sums_size * Index(sizeof(T));
        const bool small = bytes <= CACHE && (batch >= 128 || 4 * bytes <= CACHE);
        if (row_effort * double(batch) > LEAST_EFFORT && batch >= 64 && small)
            for (groups = 4; groups < MOST_GROUPS && groups * 8 * BLOCK <= batch;) groups *= 2;
        return {batch, groups, blocks && groups > 1};
    }

    // How many of the threads offered pay for so large a batch. A group's sums or, where the gradient is cut by parts, the
    // rows and the weights, have to travel from one core to another.
    int threads_used(const Cut& cut, int threads) const {
        const double rows = row_effort * double(cut.batch), update = 4.0 * double(n_parameters) / LANES<T>;
        const double travel = 16000 + (cut.groups > 1 ? 2.0 : 5.0) * double(n_parameters) * sizeof(T) / 4;
        int best = 1;
        double least = 0.85 * (rows + update);
        for (int t = 2; t <= threads && (cut.groups == 1 || t <= cut.groups); ++t) {
            const double each = cut.groups > 1 ? rows / t + update : (rows + update) / t;
            if (each + travel < least) {
                least = each + travel;
                best = t;
            }
        }
        return best;
    }

    // The fastest of them.
    Way way_of_reading(Index rows) const {
        if (narrow || (rows <= DOT_ROWS<T> && n_parameters > SMALL)) return Way::dots;
        return reading(Way::turned, rows) < reading(Way::packed, rows) ? Way::turned : Way::packed;
    }

    // Cycles of one core for it, about.
    double reading(Way way, Index rows) const {
        const double n = double(rows), all = double(n_parameters), wide = double(inputs.n);
        switch (way) {
            case Way::packed: return PACKING * all + n * (read_effort + 0.3 * wide);
            case Way::turned: {
                const double lanes = rows < BLOCK ? double(cut<T>(rows).padded) : n;
                return lanes * turned_effort + n * 0.5 * (wide + double(columns(L).n));
            }
            case Way::dots: return 0.08 * sizeof(T) * all + n * turned_effort;  // as weights come from a cache
        }
        return 0;
    }

    // Whether all threads take the same rows then, each some neurons of every layer.
    bool together(Way way, Index rows) const { return way != Way::packed && !narrow && rows <= WIDEST<T>; }

    int threads_reading(Way way, Index rows, int threads) const {
        const double all = reading(way, rows);
        const double travel = 16000 + (way == Way::packed ? 0.5 * double(n_parameters) : 4000.0 * (L + 1));
        const Index most = together(way, rows) ? threads : (rows + block_of(rows) - 1) / block_of(rows);
        int best = 1;
        for (int t = 2; t <= threads && t <= most; ++t)
            if (all / t + travel < 0.85 * all) best = t;
        return best;
    }

    // How many rows are read together, so that there are two blocks of them at least.
    static Index block_of(Index rows) {
        if (rows >= 2 * BLOCK) return BLOCK;
        const Index half = ((rows + 1) / 2 + TILE_ROWS - 1) / TILE_ROWS * TILE_ROWS;
        return half < BLOCK ? half : BLOCK;  // for which there is memory
    }

    // Whether a second thread saves more on so many rows than waking it takes.
    bool worth_waking(Index rows) const { return row_effort * double(rows) > 1e6; }
    bool worth_waking(Way way, Index rows) const { return reading(way, rows) > 1.5e5; }

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

    // rows that go through the network together where the batch does not stay in the cache
    static constexpr Index BLOCK = 64;
    static constexpr Index CACHE = 256 * 1024;

    const int L;
    const Columns inputs;
    std::vector<Layer<T>> layers;  // 1 … L
    std::vector<Part> parts;
    const Penalty<T> penalty;
    const OutputPass<T> output;
    const bool softmax_last;
    Index n_parameters = 0;
    Index sums_size = 0;   // of the sums of all parts
    Index block_rows = 0;  // rows that pass through all layers together: as many as stay in the cache

private:
    static constexpr double LEAST_EFFORT = 50000;  // cycles of one core, about
    static constexpr Index MOST_GROUPS = 32;
    static constexpr Index LARGEST_IN_PANELS = 1 << 17;
    static constexpr double PACKING = 2.5;   // cycles for a weight
    static constexpr Index SMALL = 1 << 13;  // so many parameters are soon brought into panels

    void cut_gradient() {
        double effort = 0;
        for (int l = 1; l <= L; ++l) {
            const Layer<T>& layer = layers[std::size_t(l)];
            for (const Panel& j : layer.columns.panels)
                for (const Panel& k : columns(l - 1).panels) {
                    Part part{l, &j, &k, sums_size, 0, 0, 0, 0, 0, 0, 0};
                    part.n_weights = layer.in_panels ? Index(k.used) * j.width : Index(j.used) * k.width;
                    part.n_biases = k.first == 0 ? j.width : 0;
                    part.w = layer.w + j.first * layer.n_in + k.first;
                    part.b = layer.b + j.first;
                    part.kept_w = j.start * layer.n_in + k.first * j.width;
                    part.kept_b = layer.n_in * layer.columns.padded + j.start;
                    effort += double(j.used) * (k.width < LANES<T> ? LANES<T> : k.width) + 64;
                    part.effort = effort;
                    sums_size += part.n_weights + part.n_biases;
                    parts.push_back(part);
                }
        }
    }

    double row_effort = 0;     // of one row, forward and back
    double read_effort = 0;    // and only forward
    double turned_effort = 0;  // that where rows are the columns of transposed matrices
    bool narrow;               // wide inputs, few neurons in each layer
};

}  // namespace chainrule::CHAINRULE_ISA

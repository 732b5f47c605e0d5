// A run of training with all that it changes.
#pragma once

#include "given.hpp"

namespace chainrule::tests {

inline constexpr Method METHODS[] = {Method::sgd,  Method::momentum, Method::nesterov,
                                     Method::adam, Method::adamw,    Method::rmsprop};

template <class T>
struct Run {
    Block<T> p, moments[2];
    Block<std::int64_t> order;  // none: natural
    Block<double> cost, weight, squares, rates, dropout;  // dropout: none where it has no entries
    Optimizer optimizer;
    bool shared_penalty = false;
    double clip_norm = 0;
    Index batch_size, in_epoch, cursor = 0, first_step = 0;

    Run(const Problem<T>& given, Optimizer optimizer, double lr, Index batch_size, Index n_steps)
        : p(given.p), cost(n_steps), weight(n_steps), squares(n_steps * given.L()), rates(n_steps), optimizer(optimizer),
          batch_size(batch_size), in_epoch(given.n) {
        for (Index i = 0; i < moments_of(optimizer.method); ++i) moments[i] = Block<T>(p.size(), 1 + i);
        for (Index step = 0; step < n_steps; ++step) rates[step] = lr / double(1 + step);
    }

    // With moments as they are after some steps; and `shuffled`, with other rows in each epoch than there are.
    Run(const Problem<T>& given, Method method, Index batch_size, Index n_steps, bool shuffled, Random& random)
        : Run(given, Optimizer{method, 0.9, 0.9, 0.99, 1e-6, random.below(2) == 1, 0.8, 0.1}, 0.05, batch_size, n_steps) {
        shared_penalty = random.below(2);
        for (Block<T>& moment : moments)
            for (T& m : moment) m = T(random.between(0, 0.1));
        if (!shuffled) return;
        in_epoch = given.n + random.below(3) - 1 + (given.n == 1);
        order = Block<std::int64_t>(in_epoch, 1);
        for (Index i = 0; i < in_epoch; ++i) {
            order[i] = i % given.n;
            std::swap(order[i], order[random.below(i + 1)]);
        }
    }

    // n_steps of them; `done` were made before.
    void go(Engine<T>& engine, const Problem<T>& given, Index done, Index n_steps, bool fused, int threads) {
        Stretch<T> stretch{};
        stretch.parameters = p.data();
        for (int i = 0; i < 2; ++i) stretch.moments[i] = i < moments_of(optimizer.method) ? moments[i].data() : nullptr;
        stretch.examples = given.examples();
        stretch.order = order.size() ? order.data() : nullptr;
        stretch.in_epoch = in_epoch;
        stretch.cursor = cursor;
        stretch.batch_size = batch_size;
        stretch.first_step = first_step + done;
        stretch.n_steps = n_steps;
        stretch.optimizer = optimizer;
        stretch.rates = rates.data() + done;
        stretch.dropout = dropout.size() ? dropout.data() : nullptr;
        stretch.key = 7;
        stretch.clip_norm = clip_norm;
        stretch.squares = squares.data() + done * given.L();
        stretch.fused = fused;
        stretch.shared_penalty = shared_penalty;
        stretch.cost = cost.data() + done;
        stretch.weight = weight.data() + done;
        engine.run(stretch, threads);
        for (Index i = 0; i < n_steps; ++i) cursor = batch_size < in_epoch - cursor ? cursor + batch_size : 0;
    }

    bool same(const Run& other) const {
        return p.same(other.p) && moments[0].same(other.moments[0]) && moments[1].same(other.moments[1]) &&
               cost.same(other.cost) && weight.same(other.weight) && squares.same(other.squares);
    }
    bool intact() const {
        return p.intact() && moments[0].intact() && moments[1].intact() && cost.intact() && weight.intact() &&
               squares.intact() && rates.intact() && dropout.intact() && order.intact();
    }
};

}  // namespace chainrule::tests

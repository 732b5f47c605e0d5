// A run of training with all that it changes.
#pragma once

#include "given.hpp"

namespace chainrule::tests {

inline constexpr Method METHODS[] = {Method::sgd, Method::momentum, Method::nesterov, Method::adam};

inline Index n_moments(Method method) { return method == Method::sgd ? 0 : method == Method::adam ? 2 : 1; }

template <class T>
struct Run {
    Block<T> p, moments[2];
    Block<std::int64_t> order;  // none: natural
    Block<double> cost, weight;
    Optimizer optimizer;
    bool shared_penalty = false;
    Index batch_size, in_epoch, cursor = 0, first_step = 0;

    Run(const Problem<T>& given, Optimizer optimizer, Index batch_size, Index n_steps)
        : p(given.p), cost(n_steps), weight(n_steps), optimizer(optimizer), batch_size(batch_size), in_epoch(given.n) {
        for (Index i = 0; i < n_moments(optimizer.method); ++i) moments[i] = Block<T>(p.size(), 1 + i);
    }

    // With moments as they are after some steps; and `shuffled`, with other rows in each epoch than there are.
    Run(const Problem<T>& given, Method method, Index batch_size, Index n_steps, bool shuffled, Random& random)
        : Run(given, Optimizer{method, 0.05, 0.9, 0.9, 0.99, 1e-6, random.below(2) == 1}, batch_size, n_steps) {
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
        for (int i = 0; i < 2; ++i) stretch.moments[i] = i < n_moments(optimizer.method) ? moments[i].data() : nullptr;
        stretch.examples = given.examples();
        stretch.order = order.size() ? order.data() : nullptr;
        stretch.in_epoch = in_epoch;
        stretch.cursor = cursor;
        stretch.batch_size = batch_size;
        stretch.first_step = first_step + done;
        stretch.n_steps = n_steps;
        stretch.optimizer = optimizer;
        stretch.fused = fused;
        stretch.shared_penalty = shared_penalty;
        stretch.cost = cost.data() + done;
        stretch.weight = weight.data() + done;
        engine.run(stretch, threads);
        for (Index i = 0; i < n_steps; ++i) cursor = batch_size < in_epoch - cursor ? cursor + batch_size : 0;
    }

    bool same(const Run& other) const {
        return p.same(other.p) && moments[0].same(other.moments[0]) && moments[1].same(other.moments[1]) &&
               cost.same(other.cost) && weight.same(other.weight);
    }
    bool intact() const {
        return p.intact() && moments[0].intact() && moments[1].intact() && cost.intact() && weight.intact() &&
               order.intact();
    }
};

}  // namespace chainrule::tests

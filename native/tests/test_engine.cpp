// The engine through engine.hpp, in every instruction set and both real types: gradients, costs and predictions against
// plain loops; every optimizer's step against its formula.
#include "../engine.hpp"

#include <functional>
#include <memory>

#include "check.hpp"
#include "given.hpp"
#include "reference.hpp"
#include "training.hpp"

namespace {

using namespace chainrule;
using namespace chainrule::tests;

template <class T>
std::unique_ptr<Engine<T>> engine_for(const char* instruction_set, const Network& network) {
    std::unique_ptr<Engine<T>> engine = make_engine<T>(instruction_set, network);
    engine->poison();
    engine->insist();
    return engine;
}

// The reference ------------------------------------------------------------------------------------------------------

template <class T>
bool gradient_is_near(const Reference<T>& reference, double C, const T* nabla_C) {
    bool near = reference.near(reference.cost, C);
    for (std::size_t i = 0; i < reference.gradient.size(); ++i)
        near = near && reference.near(reference.gradient[i], nabla_C[i]);
    return near;
}

template <class T>
bool gradient_is_near(const Reference<T>& reference, Engine<T>& engine, const Problem<T>& given) {
    Block<T> nabla_C(given.p.size(), 1);
    const double C = engine.gradient(given.p.data(), given.examples(), nabla_C.data(), 1);
    return CHECK(nabla_C.intact()) && gradient_is_near(reference, C, nabla_C.data());
}

// How large a mistake it could miss, as a part of the largest derivative.
template <class T>
double blindness(const Reference<T>& reference) {
    double off = 0, size = 0;
    for (const auto& each : reference.gradient) {
        off = std::max(off, double(each.off));
        size = std::max(size, double(std::fabs(each.x)));
    }
    return off / size;
}

template <class T>
struct Gradients {
    Random random{sizeof(T)};
    std::vector<double> blind;

    void operator()(std::vector<Index> sizes, std::vector<Activation> hidden, Ending ending, Index n,
                    bool weighted = false, double l1 = 0, double l2 = 0) {
        const Problem<T> given = problem<T>(sizes, hidden, ending, n, random, weighted, l1, l2);
        const Reference<T> reference(given);
        CHECK(reference.largest < 1e30);
        blind.push_back(blindness(reference));
        for (const char* isa : instruction_sets()) {
            const auto engine = engine_for<T>(isa, given.network);
            if (!CHECK(gradient_is_near(reference, *engine, given))) tell(isa, given);
            engine->poison();
            if (!weighted)
                CHECK(reference.near(reference.data_cost, engine->data_cost(given.p.data(), given.examples(), 1)));
            Block<T> a(n * given.n_L(), 1);
            engine->predict(given.p.data(), given.X.data(), n, a.data(), 1);
            bool near = a.intact();
            for (Index i = 0; i < a.size(); ++i) near = near && reference.near(reference.a[std::size_t(i)], a[i]);
            if (!CHECK(near)) tell(isa, given);
        }
    }

    static void tell(const char* isa, const Problem<T>& given) {
        std::printf("  %s %s, sizes", isa, sizeof(T) == 4 ? "float" : "double");
        for (const Index n : given.network.sizes) std::printf(" %d", int(n));
        std::printf(", activations");
        for (const Activation σ : given.network.activation) std::printf(" %d", int(σ));
        std::printf(", cost %d, %d rows\n", int(given.network.cost), int(given.n));
    }
};

template <class T>
void gradients_are_those_of_the_loops() {
    Gradients<T> check;
    const std::vector<Ending> all = endings();
    Random random{1};
    const auto any = [&] { return ELEMENTWISE[random.below(10)]; };
    const auto ending = [&] { return all[std::size_t(random.below(Index(all.size())))]; };
    for (const Activation σ : ELEMENTWISE)
        for (const Ending& each : all) check({5, 7, 3}, {σ}, each, 9, random.below(2));
    for (Index n = 1; n <= 65; ++n) {  // around the widths of panels and of tiles; and as many batches
        check({n, 66 - n, n}, {any()}, ending(), 2 * n - 1);
        check({66 - n, n, 1 + n % 9}, {any()}, ending(), 2 * n, true, n % 2 * 0.01, n % 3 * 0.02);
        check({1 + n % 3, n}, {}, ending(), 1 + n % 5);
    }
    check({1, 1}, {}, all[0], 1);
    check({3, 4, 5, 6, 7, 8}, {any(), any(), any(), any()}, ending(), 12, true, 0.01, 0.01);
    check({130, 2, 131, 3}, {any(), any()}, ending(), 17);
    check({400, 340, 3}, {Activation::elu}, all[5], 5, true, 0.001, 0.002);  // weights that stay where the caller has them
    for (Index n = 1; n <= 5; ++n) {  // few rows, for which the weights stay where they are
        check({401, 39, 70, 1 + n}, {any(), any()}, ending(), n);
        check({100, 131}, {}, ending(), n);
        check({550 + n, n, 2}, {any()}, ending(), 50 * n - 40);  // wide inputs and few neurons: dot products
        check({700, 3 - n % 3}, {}, ending(), 7 * n);
    }
    check({20, 30, 5}, {Activation::tanh}, all[0], 900);  // more rows than stay in the cache
    for (const bool weighted : {false, true}) {           // groups of rows
        check({4, 32, 16, 4}, {Activation::tanh, Activation::relu}, all[0], 3000, weighted, 0.001, 0.002);
        check({4, 9, 1}, {Activation::sigmoid}, all[1], 2049, weighted);
        check({2, 3, 2}, {Activation::gelu}, all[5], 9001, weighted);
    }
    std::sort(check.blind.begin(), check.blind.end());
    const double middle = check.blind[check.blind.size() / 2];
    std::printf("%s: %d networks; in the middle one a mistake of %.1g of the largest derivative would be seen\n",
                sizeof(T) == 4 ? "float" : "double", int(check.blind.size()), middle);
    CHECK(middle < 500 * double(std::numeric_limits<T>::epsilon()));
}

// Every derivative for every other, each cost's for each other's: none passes.
template <class T>
void wrong_derivatives_are_seen() {
    Random random{2};
    const std::vector<Ending> all = endings();
    const char* const isa = instruction_sets().back();
    const auto passes = [&](const Problem<T>& given, const Network& wrong) {
        return gradient_is_near(Reference<T>(given), *engine_for<T>(isa, wrong), given);
    };
    for (const Activation right : ELEMENTWISE) {
        const Problem<T> given = problem<T>({3, 8, 2}, {right}, {Activation::identity, Cost::huber}, 16, random);
        for (const Activation wrong : ELEMENTWISE) {
            Network other = given.network;
            other.activation[0] = wrong;
            CHECK(passes(given, other) == (right == wrong));
        }
    }
    for (const Ending& right : all) {
        const Problem<T> given = problem<T>({3, 3, 3}, {Activation::tanh}, right, 16, random);
        for (const Ending& wrong : all) {
            if ((right.activation == Activation::softmax) != (wrong.activation == Activation::softmax)) continue;
            Network other = given.network;
            other.activation[1] = wrong.activation;
            other.cost = wrong.cost;
            if (!CHECK(passes(given, other) == (right.activation == wrong.activation && right.cost == wrong.cost)))
                std::printf("  activation %d for %d, cost %d for %d\n", int(wrong.activation), int(right.activation), int(wrong.cost), int(right.cost));
        }
    }
    Problem<T> given = problem<T>({6, 5, 4}, {Activation::silu}, all[0], 20, random, true, 0.01, 0.02);
    const Reference<T> reference(given);
    const auto engine = engine_for<T>(isa, given.network);
    CHECK(gradient_is_near(reference, *engine, given));
    for (const bool other_l1 : {true, false}) {
        Network other = given.network;
        (other_l1 ? other.l1 : other.l2) *= 1.01;
        CHECK(!passes(given, other));
    }
    given.weights[3] += T(0.001);
    CHECK(!gradient_is_near(reference, *engine, given));
}

// Training -----------------------------------------------------------------------------------------------------------

// The rows of the batch that the cursor stands at, as a problem of their own.
template <class T>
Problem<T> batch_of(const Problem<T>& given, const Run<T>& run) {
    const Index rows = std::min(run.batch_size, run.in_epoch - run.cursor), n_0 = given.n_0(), n_L = given.n_L();
    Problem<T> batch{given.network, run.p, Block<T>(rows * n_0), Block<T>(rows * n_L), Block<T>(given.weights.size() ? rows : 0), rows};
    for (Index i = 0; i < rows; ++i) {
        const Index row = run.order.size() ? Index(run.order[run.cursor + i]) : run.cursor + i;
        std::copy_n(given.X.data() + row * n_0, n_0, batch.X.data() + i * n_0);
        std::copy_n(given.Y.data() + row * n_L, n_L, batch.Y.data() + i * n_L);
        if (given.weights.size()) batch.weights[i] = given.weights[row];
    }
    return batch;
}

// One step by its formula, from the gradient g and what was before; true if `after` is it, up to the roundings: each
// intermediate result is off by u of its size, at most.
template <class T>
bool is_the_step(const Run<T>& before, const Block<T>& g, const Run<T>& after, double rate, double t,
                 const std::function<bool(Index)>& is_weight) {
    using R = typename Reference<T>::R;
    const R u = R(std::numeric_limits<T>::epsilon()) / 2, tiny = R(std::numeric_limits<T>::min());
    const Optimizer& o = before.optimizer;
    const auto near = [&](T got, R x, R size) { return std::fabs(R(got) - x) <= u * size + tiny; };
    const R lr = R(rate), μ = R(o.momentum);
    bool holds = true;
    for (Index i = 0; i < g.size(); ++i) {
        const R decay = o.method == Method::adamw && is_weight(i) ? 1 - lr * R(o.weight_decay) : 1;
        const R p = R(before.p[i]) * decay, G = R(g[i]);
        const auto moment = [&](int which) { return R(before.moments[which][i]); };
        switch (o.method) {
            case Method::sgd:
                holds = holds && near(after.p[i], p - lr * G, 2 * (std::fabs(p) + 2 * std::fabs(lr * G)));
                break;
            case Method::momentum: {
                const R size = std::fabs(μ * moment(0)) + std::fabs(G), m = R(after.moments[0][i]);
                holds = holds && near(after.moments[0][i], μ * moment(0) + G, 4 * size);
                holds = holds && near(after.p[i], p - lr * m, 2 * (std::fabs(p) + 2 * std::fabs(lr * m)));
                break;
            }
            case Method::nesterov: {
                const R size = std::fabs(μ * moment(0)) + std::fabs(G), m = R(after.moments[0][i]);
                holds = holds && near(after.moments[0][i], μ * moment(0) + G, 4 * size);
                const R ahead = std::fabs(G) + std::fabs(μ * m);
                holds = holds && near(after.p[i], p - lr * (G + μ * m), 2 * (std::fabs(p) + 4 * lr * ahead));
                break;
            }
            case Method::rmsprop: {
                const R v = R(after.moments[0][i]), v_size = std::fabs(moment(0)) + G * G;
                holds = holds && near(after.moments[0][i], moment(0) + (1 - R(o.rho)) * (G * G - moment(0)), 8 * v_size);
                const R step = lr * G / (std::sqrt(v) + R(o.epsilon));
                holds = holds && near(after.p[i], p - step, 2 * std::fabs(p) + 20 * std::fabs(step));
                break;
            }
            case Method::adam:
            case Method::adamw: {
                const R r1 = 1 - R(o.beta1), r2 = 1 - R(o.beta2), m = R(after.moments[0][i]), v = R(after.moments[1][i]);
                const R m_size = std::fabs(moment(0)) + std::fabs(G), v_size = std::fabs(moment(1)) + G * G;
                holds = holds && near(after.moments[0][i], moment(0) + r1 * (G - moment(0)), 8 * m_size);
                holds = holds && near(after.moments[1][i], moment(1) + r2 * (G * G - moment(1)), 8 * v_size);
                const R m_part = 1 - std::pow(R(o.beta1), R(t)), v_part = 1 - std::pow(R(o.beta2), R(t));
                const R step = o.epsilon_hat ? lr * std::sqrt(v_part) / m_part * m / (std::sqrt(v) + R(o.epsilon))
                                             : lr * (m / m_part) / (std::sqrt(v / v_part) + R(o.epsilon));
                holds = holds && near(after.p[i], p - step, 6 * std::fabs(p) + 20 * std::fabs(step));
                break;
            }
        }
    }
    return holds;
}

// Each step of a run, with the gradient that it took: momentum with no momentum leaves it in the moment.
template <class T>
void steps_are_those_of_the_formulas(const char* isa) {
    Random random{3};
    const std::vector<Ending> all = endings();
    for (int round = 0; round < 24; ++round) {
        const Method method = METHODS[round % 6];
        const bool shuffled = round / 6 % 2, weighted = round / 12 % 2;
        const Index n = 20 + random.below(20), n_steps = 6;
        const Ending ending = all[std::size_t(random.below(Index(all.size())))];
        const Activation σ = ELEMENTWISE[random.below(10)];
        const Problem<T> given = problem<T>({1 + random.below(20), 1 + random.below(40), 1 + random.below(5)}, {σ}, ending, n,
                                      random, weighted, round % 3 * 0.01, round % 2 * 0.01);
        Run<T> run(given, method, 1 + random.below(n + 3), n_steps, shuffled, random);
        run.first_step = round;
        if (run.batch_size < run.in_epoch) run.cursor = random.below((run.in_epoch - 1) / run.batch_size + 1) * run.batch_size;
        const auto engine = engine_for<T>(isa, given.network);
        for (Index step = 0; step < n_steps; ++step) {
            Problem<T> batch = batch_of(given, run);
            double weight = batch.weights.size() ? 0 : double(batch.n);
            for (const T each : batch.weights) weight += double(each);
            if (run.shared_penalty && weight > 0) {
                batch.network.l1 /= weight;
                batch.network.l2 /= weight;
            }
            const Reference<T> reference(batch);
            const Run<T> before = run;
            Run<T> probe = run;
            probe.optimizer.method = Method::momentum;
            probe.optimizer.momentum = 0;
            probe.moments[0] = Block<T>(run.p.size(), 1);
            std::fill(probe.moments[0].begin(), probe.moments[0].end(), T(0));
            probe.go(*engine, given, step, 1, true, 1);
            run.go(*engine, given, step, 1, random.below(2), 1);
            CHECK(run.intact());
            CHECK(run.weight[step] == weight);
            if (weight == 0) {
                CHECK(run.p.same(before.p) && run.cost[step] == 0 && run.squares[step * given.L()] == 0);
                continue;
            }
            CHECK(run.cost[step] == probe.cost[step]);
            CHECK(gradient_is_near(reference, run.cost[step], probe.moments[0].data()));
            std::vector<double> squares(std::size_t(given.L()));
            for (Index i = 0; i < run.p.size(); ++i)
                squares[std::size_t(given.place(i).first)] += double(probe.moments[0][i]) * double(probe.moments[0][i]);
            for (Index l = 0; l < given.L(); ++l) {
                const double x = squares[std::size_t(l)];
                CHECK(std::fabs(run.squares[step * given.L() + l] - x) <= 1e-12 * x);
            }
            const Index t = run.first_step + step + 1;
            const auto is_weight = [&](Index i) { return given.place(i).second; };
            CHECK(is_the_step(before, probe.moments[0], run, run.rates[step], double(t), is_weight));
            Block<T> wrong = probe.moments[0];
            for (T& g : wrong) g = g * T(1.01) + T(0.001);
            CHECK(!is_the_step(before, wrong, run, run.rates[step], double(t), is_weight));
        }
    }
}

// Batches that weigh nothing, at the beginning, in between, and all of them: nothing changes, cost and weight are 0.
template <class T>
void batches_of_no_weight_change_nothing(const char* isa) {
    Random random{4};
    for (const Method method : METHODS) {
        Problem<T> given = problem<T>({3, 5, 2}, {Activation::tanh}, endings()[0], 12, random, true);
        std::fill(given.weights.begin(), given.weights.end(), T(1));
        for (const Index i : {0, 1, 2, 6, 7, 8}) given.weights[i] = 0;
        const auto engine = engine_for<T>(isa, given.network);
        for (const bool fused : {true, false}) {
            Run<T> run(given, method, 3, 8, false, random);
            Run<T> before = run;
            run.go(*engine, given, 0, 1, fused, 1);
            CHECK(run.p.same(before.p) && run.moments[0].same(before.moments[0]) && run.moments[1].same(before.moments[1]));
            run.go(*engine, given, 1, 7, fused, 1);
            CHECK(run.intact() && !run.p.same(before.p));
            for (Index step = 0; step < 8; ++step) CHECK(run.weight[step] == (step % 2 ? 3 : 0));
            for (Index step = 0; step < 8; step += 2) CHECK(run.cost[step] == 0);
            for (Index step = 1; step < 8; step += 2) CHECK(run.cost[step] > 0);
            std::fill(given.weights.begin(), given.weights.end(), T(0));
            before = run;
            run.cursor = 0;
            run.go(*engine, given, 0, 8, fused, 4);
            CHECK(run.p.same(before.p) && run.moments[0].same(before.moments[0]));
            for (Index step = 0; step < 8; ++step) CHECK(run.weight[step] == 0 && run.cost[step] == 0);
            for (const Index i : {3, 4, 5, 9, 10, 11}) given.weights[i] = 1;
        }
    }
}

// On the threads of the pool itself; test_threads.cpp has more.
template <class T>
void the_pool_changes_no_bit(const char* isa) {
    Random random{5};
    const Problem<T> given = problem<T>({33, 64, 10}, {Activation::relu}, endings()[0], 200, random);
    for (const Index batch_size : {64, 200}) {
        const Run<T> start(given, Method::adam, batch_size, 20, false, random);
        Run<T> alone = start;
        alone.go(*engine_for<T>(isa, given.network), given, 0, 20, true, 1);
        for (int threads = 2; threads <= 4; ++threads) {
            Run<T> run = start;
            run.go(*engine_for<T>(isa, given.network), given, 0, 20, true, threads);
            CHECK(run.same(alone) && run.intact());
        }
    }
}

template <class T>
void in_every_instruction_set() {
    for (const char* isa : instruction_sets()) {
        steps_are_those_of_the_formulas<T>(isa);
        batches_of_no_weight_change_nothing<T>(isa);
        the_pool_changes_no_bit<T>(isa);
    }
}

}  // namespace

int main() {
    CHECK(make_engine<float>("nonesuch", {{1, 1}, {Activation::identity}, Cost::huber, 0, 0}) == nullptr);
    CHECK(!instruction_sets().empty());
    in_every_instruction_set<float>();
    in_every_instruction_set<double>();
    gradients_are_those_of_the_loops<float>();
    gradients_are_those_of_the_loops<double>();
    wrong_derivatives_are_seen<float>();
    wrong_derivatives_are_seen<double>();
    return report();
}

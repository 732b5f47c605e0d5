// The same bits for any number of threads, however the steps are cut into calls, wherever the arrays lie, and whatever an
// engine has done before; in every instruction set and both real types. Here a job gets the threads that it asks for, or
// sometimes fewer, as where another has the pool (see always.hpp).
#include <memory>

#include "always.hpp"
#include "check.hpp"
#include "training.hpp"

namespace {

using namespace chainrule;
using namespace chainrule::tests;

// One call on one thread is what every other number of threads, way to cut the steps into calls, place in memory, and
// engine that has done something else before, must come out as.
template <class T>
void bits_are_the_same_however_it_is_cut(const char* isa, const Problem<T>& given, Index batch_size, Index n_steps,
                                         bool shuffled) {
    Random random{5};
    const auto fresh = make_engine<T>(isa, given.network);
    const auto used = make_engine<T>(isa, given.network);
    for (const Method method : METHODS) {
        Run<T> start(given, method, batch_size, n_steps, shuffled, random);
        if (random.below(2)) start.clip_norm = random.between(0.001, 1);
        if (random.below(2)) {
            start.dropout = Block<double>(given.L(), 1);
            for (double& p : start.dropout) p = random.below(3) ? random.between(0, 0.9) : 0;
        }
        Run<T> whole = start;
        whole.go(*fresh, given, 0, n_steps, true, 1);
        CHECK(whole.intact());
        for (int threads = 1; threads <= 4; ++threads) {
            const bool fused = random.below(2);
            Problem<T> moved = given;
            moved.X = given.X.moved(random.below(4));
            moved.Y = given.Y.moved(random.below(4));
            moved.weights = given.weights.moved(random.below(4));
            Run<T> run = start;
            run.p = start.p.moved(random.below(4));
            for (Index done = 0; done < n_steps;) {
                const Index some = std::min(1 + random.below(threads == 2 ? 1 : n_steps), n_steps - done);
                Block<T> other(std::max(given.p.size(), given.n * given.n_L()), random.below(4));
                switch (random.below(4)) {
                    case 0: used->poison(); break;
                    case 1: used->gradient(run.p.data(), moved.examples(), other.data(), threads); break;
                    case 2: used->predict(run.p.data(), moved.X.data(), moved.n, other.data(), 5 - threads); break;
                    default: used->data_cost(run.p.data(), moved.examples(), threads);
                }
                run.go(*used, moved, done, some, fused, threads);
                done += some;
            }
            if (!CHECK(run.same(whole) && run.intact()))
                std::printf("  %s %s, %d threads, %s, method %d, batches of %d\n", isa, sizeof(T) == 4 ? "float" : "double",
                            threads, fused ? "fused" : "unfused", int(method), int(batch_size));
        }
    }
    // and the same without training
    Block<T> nabla_C(given.p.size()), a(given.n * given.n_L());
    const double C = fresh->gradient(given.p.data(), given.examples(), nabla_C.data(), 1);
    const double data_cost = fresh->data_cost(given.p.data(), given.examples(), 1);
    fresh->predict(given.p.data(), given.X.data(), given.n, a.data(), 1);
    for (int threads = 1; threads <= 4; ++threads) {
        Block<T> other_nabla_C(nabla_C.size(), threads), other_a(a.size(), threads);
        used->poison();
        CHECK(used->gradient(given.p.data(), given.examples(), other_nabla_C.data(), threads) == C);
        CHECK(other_nabla_C.same(nabla_C));
        used->poison();
        CHECK(used->data_cost(given.p.data(), given.examples(), threads) == data_cost);
        used->poison();
        used->predict(given.p.data(), given.X.data(), given.n, other_a.data(), threads);
        CHECK(other_a.same(a));
        CHECK(other_nabla_C.intact() && other_a.intact());
    }
    // a row's prediction does not depend on the others, but where there are very few
    const Index few = std::min<Index>(given.n, 5 + random.below(90)), row = random.below(given.n - few + 1), n_L = given.n_L();
    Block<T> x(few * given.n_0(), 1), alone(few * n_L, 1), in_a(few * n_L);
    std::copy_n(given.X.data() + row * given.n_0(), x.size(), x.data());
    std::copy_n(a.data() + row * n_L, in_a.size(), in_a.data());
    for (int threads = 1; threads <= 4; ++threads) {
        used->poison();
        used->predict(given.p.data(), x.data(), few, alone.data(), threads);
        CHECK(alone.same(in_a) && alone.intact());
    }
}

template <class T>
void bits_are_the_same(const char* isa) {
    Random random{6};
    const std::vector<Ending> all = endings();
    const auto check = [&](std::vector<Index> sizes, Ending ending, Index n, Index batch_size, Index n_steps, bool shuffled,
                           bool weighted) {
        std::vector<Activation> hidden;
        for (std::size_t l = 2; l < sizes.size(); ++l) hidden.push_back(ELEMENTWISE[random.below(9)]);
        Problem<T> given = problem<T>(sizes, hidden, ending, n, random, weighted, weighted * 0.01, weighted * 0.01);
        for (Index i = batch_size; weighted && i < std::min(2 * batch_size, n); ++i) given.weights[i] = 0;  // a whole batch
        bits_are_the_same_however_it_is_cut(isa, given, batch_size, n_steps, shuffled);
    };
    check({2, 3, 1}, all[1], 9, 2, 9, false, true);
    check({33, 70, 45, 10}, all[0], 50, 32, 4, true, true);
    check({65, 100, 3}, all[2], 90, 40, 5, false, false);
    check({40, 65, 17, 33}, all[4], 60, 60, 3, false, true);
    check({7, 66, 5}, all[7], 131, 130, 3, true, false);
    check({7, 66, 5}, all[8], 400, 128, 7, false, true);
    check({400, 340, 3}, all[9], 120, 50, 3, false, true);  // weights that stay where the caller has them
    check({600, 7, 3}, all[2], 300, 60, 2, true, false);  // predicted by dot products
    check({20, 30, 5}, all[3], 900, 900, 2, false, true);
    check({4, 32, 16, 4}, all[0], 3000, 3000, 2, false, true);  // in groups
    check({4, 9, 1}, all[1], 4603, 2300, 5, true, false);       // in the end, fewer rows than groups
    for (int threads = 2; threads <= 4; ++threads) CHECK(jobs_on[threads].exchange(0) > 0);
}

}  // namespace

int main() {
    for (const char* isa : instruction_sets()) {
        bits_are_the_same<float>(isa);
        bits_are_the_same<double>(isa);
    }
    return report();
}

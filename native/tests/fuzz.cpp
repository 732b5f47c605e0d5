// What must hold for the engine whatever it is given: an input is some bytes, which choose a network, what is in its
// arrays, and what is done with them. Nothing is written outside the arrays or into those that are only read; the bits are
// the same for any number of threads, however the steps are cut; and where the numbers are moderate, the gradient is near
// that of plain loops.
//
//   fuzz [--seconds S] [--seed N] [--input I] [FILE…]
//
// runs inputs that follow from the seed for S seconds, or only the I-th of them; or, given files, these and mutations of
// them. Compiled by Clang with -DCHAINRULE_SANITIZE=fuzzer-no-link,address,undefined it is a libFuzzer program instead.
#include "../engine.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include "always.hpp"
#include "check.hpp"
#include "given.hpp"
#include "reference.hpp"
#include "training.hpp"

#if defined(CHAINRULE_SANITIZE_ADDRESS) || defined(CHAINRULE_SANITIZE_THREAD)
#include <sanitizer/common_interface_defs.h>
#endif

namespace {

using namespace chainrule;
using namespace chainrule::tests;

// The input: its bytes one after the other, and 0 once they are used up.
class Bytes {
public:
    Bytes(const std::uint8_t* data, std::size_t size) : next(data), end(data + size) {}

    int byte() { return next == end ? 0 : *next++; }
    int below(int n) { return byte() % n; }
    bool one_in(int n) { return below(n) == n - 1; }
    std::uint64_t word() {
        std::uint64_t value = 0;
        for (int i = 0; i < 8; ++i) value = value << 8 | std::uint64_t(byte());
        return value;
    }

private:
    const std::uint8_t *next, *end;
};

template <class T>
T raw(std::uint64_t bits) {
    T value;
    std::memcpy(&value, &bits, sizeof value);  // for float the lower half
    return value;
}

template <class T>
T hostile(Random& random) {
    using L = std::numeric_limits<T>;
    const T values[] = {0, 1, L::denorm_min(), L::min(), L::min() / 2, L::epsilon(), T(0.5), T(17), T(88.8), T(104), T(709.9),
                        T(746), T(1e6), T(1e19), std::sqrt(L::max()), L::max() / 2, L::max(), L::infinity(), L::quiet_NaN()};
    const T value = values[random.below(Index(std::size(values)))];
    return random.below(2) ? value : -value;
}

// Fill it in one of a few manners; true if all is moderate.
template <class T>
bool fill(Block<T>& block, Bytes& bytes, double low, double high) {
    const int manner = bytes.below(12);
    Random random(bytes.word());
    for (T& x : block) {
        x = T(random.between(low, high));
        switch (manner) {
            case 6: x = 0; break;
            case 7:  // a few among moderate ones
                if (random.below(16) == 0) x = hostile<T>(random);
                break;
            case 8:
                if (random.below(1 + block.size()) == 0) x = hostile<T>(random);
                break;
            case 9: x = hostile<T>(random); break;
            case 10: x = raw<T>(random.bits()); break;
            case 11: x *= std::numeric_limits<T>::min(); break;
            default: break;
        }
    }
    return std::all_of(block.begin(), block.end(), [](T x) { return std::fabs(x) <= T(1e6); });
}

double number(Bytes& bytes, double customary) {
    switch (bytes.below(8)) {
        case 5: return 0;
        case 6: {
            Random random(bytes.word());
            return hostile<double>(random);
        }
        case 7: return raw<double>(bytes.word());
        default: return customary;
    }
}

Index width(Bytes& bytes) {
    const Index edges[] = {1, 2, 3, 4, 5, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 47, 48, 49, 63, 64, 65, 96, 127, 129, 200, 513};
    return bytes.below(2) ? edges[bytes.below(int(std::size(edges)))] : 1 + bytes.below(12);
}

Network network(Bytes& bytes) {
    const std::vector<Ending> all = endings();
    const int depth = 1 + bytes.below(5);
    Network made{{width(bytes)}, {}, Cost::huber, 0, 0};
    for (int l = 1; l <= depth; ++l) {
        made.sizes.push_back(width(bytes));
        made.activation.push_back(ELEMENTWISE[bytes.below(10)]);
    }
    // the four costs with an ending of their own as often as the others
    const Ending ending = all[std::size_t(bytes.below(2) ? bytes.below(4) : bytes.below(int(all.size())))];
    made.activation.back() = ending.activation;
    made.cost = ending.cost;
    if (bytes.one_in(3)) {
        made.l1 = number(bytes, 0.01);
        made.l2 = number(bytes, 0.02);
    }
    return made;
}

bool failed_now = false;

void must(bool holds, const char* what) {
    if (holds) return;
    std::printf("not so: %s\n", what);
    failed_now = true;
#if defined(CHAINRULE_LIBFUZZER)
    std::abort();
#endif
}

bool same(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b); }

template <class T>
void one_input(Bytes& bytes, const Network& network) {
    const Index parameters = n_parameters(network), n_0 = network.sizes.front(), n_L = network.sizes.back();
    // as many rows as a hundredth of a second allows
    Index n = 1 + bytes.below(130);
    if (bytes.one_in(8)) n = 100 + 40 * Index(bytes.byte());
    n = std::min(n, 1 + 2000000 / (parameters + 200));

    const Index gap = bytes.below(4);
    Problem<T> given{network, Block<T>(parameters, gap), Block<T>(n * n_0, gap), Block<T>(n * n_L, gap), Block<T>(bytes.one_in(3) ? n : 0, gap), n};
    bool moderate = fill(given.p, bytes, -2, 2);
    for (T& p : given.p) p /= std::sqrt(T(n_0));
    moderate &= fill(given.X, bytes, -2, 2);
    const bool share = network.cost == Cost::cross_entropy || network.cost == Cost::binary_cross_entropy;
    moderate &= fill(given.Y, bytes, share || network.cost == Cost::poisson ? 0 : -2, share ? 1 : 3);
    if (given.weights.size()) {
        moderate &= fill(given.weights, bytes, 0, 3);
        double sum = 0;
        for (const T weight : given.weights) {
            sum += double(weight);
            moderate &= weight >= 0;
        }
        moderate &= sum >= double(std::numeric_limits<T>::min());
    }
    moderate &= network.l1 >= 0 && network.l2 >= 0 && network.l1 <= 1e6 && network.l2 <= 1e6;

    const std::vector<const char*> isas = instruction_sets();
    const char* const isa = isas[std::size_t(bytes.below(int(isas.size())))];
    const auto fresh = make_engine<T>(isa, network), used = make_engine<T>(isa, network);
    const int threads = 1 + bytes.below(5);
    Random random(bytes.word());
    const Problem<T> before = given;
    const auto unchanged = [&] {
        return before.p.same(given.p) && before.X.same(given.X) && before.Y.same(given.Y) && before.weights.same(given.weights) &&
               given.p.intact() && given.X.intact() && given.Y.intact() && given.weights.intact();
    };

    // reading
    Block<T> nabla_C(parameters, gap), other_nabla_C(parameters, 1), a(n * n_L, gap), other_a(n * n_L, 1);
    used->poison();
    const double C = fresh->gradient(given.p.data(), given.examples(), nabla_C.data(), 1);
    const double other_C = used->gradient(given.p.data(), given.examples(), other_nabla_C.data(), threads);
    must(same(C, other_C) && nabla_C.same(other_nabla_C), "the gradient is the same for any number of threads");
    fresh->predict(given.p.data(), given.X.data(), n, a.data(), 1);
    used->predict(given.p.data(), given.X.data(), n, other_a.data(), threads);
    must(a.same(other_a), "predictions are the same for any number of threads");
    const double data_cost = fresh->data_cost(given.p.data(), given.examples(), 1);
    used->poison();
    must(same(data_cost, used->data_cost(given.p.data(), given.examples(), threads)), "so is the cost");
    must(nabla_C.intact() && other_nabla_C.intact() && a.intact() && other_a.intact(), "nothing is written beside the arrays");
    must(unchanged(), "what is only read is not changed");
    if (moderate && n * parameters < 200000) {
        const Reference<T> reference(given);
        if (reference.largest < std::sqrt(double(std::numeric_limits<T>::max())) / 16) {
            bool near = reference.near(reference.cost, C);
            for (Index i = 0; i < parameters; ++i) near = near && reference.near(reference.gradient[std::size_t(i)], nabla_C[i]);
            must(near, "the gradient is near that of the loops");
            near = given.weights.size() || reference.near(reference.data_cost, data_cost);
            for (Index i = 0; i < a.size(); ++i) near = near && reference.near(reference.a[std::size_t(i)], a[i]);
            must(near, "predictions and their cost are near those of the loops");
        }
    }

    // training
    const Index n_steps = bytes.below(7);
    const Index batch_size = bytes.below(2) ? 1 + bytes.below(int(std::min(n, Index(255)))) : std::max(Index(1), n - 3 + bytes.below(6));
    const double lr = number(bytes, 0.05);
    const Optimizer optimizer{Method(bytes.below(6)), number(bytes, 0.9),    number(bytes, 0.9), number(bytes, 0.999),
                              number(bytes, 1e-8),    bytes.below(2) == 1, number(bytes, 0.9), number(bytes, 0.01)};
    Run<T> whole(given, optimizer, lr, batch_size, n_steps);
    if (bytes.one_in(3)) whole.clip_norm = number(bytes, 0.1);
    if (bytes.one_in(3)) {
        whole.dropout = Block<double>(given.L(), 1);
        for (double& p : whole.dropout) p = double(bytes.below(4)) / 4;
    }
    whole.shared_penalty = bytes.below(2);
    whole.first_step = bytes.below(2) ? 0 : Index(bytes.word() >> (1 + bytes.below(63))) / 2;
    for (Block<T>& moment : whole.moments) fill(moment, bytes, 0, 1);
    if (bytes.below(3)) {
        const bool repeated = bytes.one_in(4);
        if (repeated) whole.in_epoch = 1 + random.below(2 * n);
        whole.order = Block<std::int64_t>(whole.in_epoch, gap);
        for (Index i = 0; i < whole.in_epoch; ++i) {
            whole.order[i] = repeated ? random.below(n) : i;
            if (!repeated) std::swap(whole.order[i], whole.order[random.below(i + 1)]);
        }
    }
    whole.cursor = bytes.below(2) ? 0 : random.below(whole.in_epoch);
    Run<T> cut = whole;
    const Block<std::int64_t> order = whole.order;
    whole.go(*fresh, given, 0, n_steps, bytes.below(2), 1);
    used->poison();
    for (Index done = 0; done < n_steps;) {
        const Index steps = 1 + random.below(n_steps - done);
        cut.go(*used, given, done, steps, random.below(2), threads);
        done += steps;
    }
    must(whole.same(cut), "training is the same for any number of threads, however the steps are cut");
    must(whole.intact() && cut.intact(), "nothing is written beside the arrays of a training");
    must(unchanged() && whole.order.same(order) && cut.order.same(order), "what training only reads is not changed");

    if (!failed_now) return;
    std::printf("  %s %s, sizes", isa, sizeof(T) == 4 ? "float" : "double");
    for (const Index size : network.sizes) std::printf(" %d", int(size));
    std::printf(", activations");
    for (const Activation activation : network.activation) std::printf(" %d", int(activation));
    std::printf(", cost %d, penalties %g %g, %d rows%s%s, batches of %d, %d steps from %g, method %d: %g %g %g %g %g %g %g%s%s%s, clipped at %g, %d threads\n",
                int(network.cost), network.l1, network.l2, int(n), given.weights.size() ? " weighted" : "",
                whole.order.size() ? " in an order" : "", int(batch_size), int(n_steps), double(whole.first_step), int(optimizer.method),
                lr, optimizer.momentum, optimizer.beta1, optimizer.beta2, optimizer.epsilon, optimizer.rho,
                optimizer.weight_decay, optimizer.epsilon_hat ? " hat" : "", whole.shared_penalty ? ", shared penalty" : "",
                whole.dropout.size() ? ", dropout" : "", whole.clip_norm, threads);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Bytes bytes(data, size);
    const bool in_float = bytes.below(2);
    const Network made = network(bytes);
    if (n_parameters(made) > 40000) return 0;
    if (in_float)
        one_input<float>(bytes, made);
    else
        one_input<double>(bytes, made);
    return 0;
}

#if !defined(CHAINRULE_LIBFUZZER)
namespace {

using Input = std::vector<std::uint8_t>;

unsigned long long seed = 1, at = 0;
const char* file = nullptr;

void tell() {
    if (file != nullptr && at == 0) std::fprintf(stderr, "fuzz %s\n", file);
    else std::fprintf(stderr, "fuzz --seed %llu --input %llu\n", seed, at);
}

Input random_input(std::uint64_t number) {
    Random random(seed * 0x9e3779b97f4a7c15 ^ number);
    Input input(std::size_t(random.below(4) ? 120 + random.below(60) : random.below(180)));
    for (std::uint8_t& byte : input) byte = std::uint8_t(random.bits());
    return input;
}

Input mutated(Input input, Random& random) {
    for (Index changes = 1 + random.below(6); changes > 0 && !input.empty(); --changes) {
        const Index where = random.below(Index(input.size()));
        switch (random.below(4)) {
            case 0: input[std::size_t(where)] = std::uint8_t(random.bits()); break;
            case 1: input[std::size_t(where)] ^= std::uint8_t(1 << random.below(8)); break;
            case 2: input.erase(input.begin() + where); break;
            default: input.insert(input.begin() + where, std::uint8_t(random.bits()));
        }
    }
    return input;
}

void run(const Input& input) {
    failed_now = false;
    LLVMFuzzerTestOneInput(input.data(), input.size());
    ++(failed_now ? failed : passed);
    if (failed_now) tell();
}

Input read(const char* path) {
    Input input;
    if (std::FILE* const from = std::fopen(path, "rb")) {
        for (int byte; (byte = std::fgetc(from)) != EOF;) input.push_back(std::uint8_t(byte));
        std::fclose(from);
    } else {
        std::fprintf(stderr, "%s: cannot be read\n", path);
        std::exit(2);
    }
    return input;
}

}  // namespace

int main(int argc, char** argv) {
    double seconds = 3;
    unsigned long long only = 0;
    std::vector<Input> corpus;
#if defined(CHAINRULE_SANITIZE_ADDRESS) || defined(CHAINRULE_SANITIZE_THREAD)
    __sanitizer_set_death_callback(tell);
#else
    std::signal(SIGSEGV, [](int signal) {
        tell();
        std::signal(signal, SIG_DFL);
    });
#endif
    for (int i = 1; i < argc; ++i) {
        const std::string option = argv[i];
        const bool has_value = i + 1 < argc;
        if (option == "--seconds" && has_value) seconds = std::atof(argv[++i]);
        else if (option == "--seed" && has_value) seed = std::strtoull(argv[++i], nullptr, 10);
        else if (option == "--input" && has_value) only = std::strtoull(argv[++i], nullptr, 10);
        else {
            file = argv[i];
            corpus.push_back(read(file));
            run(corpus.back());
        }
    }
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    for (at = only ? only : 1; only ? at == only : std::chrono::steady_clock::now() < end; ++at) {
        Random random(~seed ^ at);
        Input input = random_input(at);
        if (at % 4 == 0) {  // another one, a little different
            const Index which = random.below(Index(corpus.size()) + 1);
            input = mutated(which ? corpus[std::size_t(which) - 1] : random_input(1 + random.bits() % at), random);
        }
        run(input);
    }
    return report();
}
#endif

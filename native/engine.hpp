// What an engine offers, whatever instruction set it was compiled for. This header is shared, so it defines no function
// that an instruction set could change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace chainrule {

using Index = std::ptrdiff_t;

enum class Activation { identity, sigmoid, tanh, relu, leaky_relu, elu, softplus, silu, gelu, exp, softmax };

enum class Cost {
    squared_error,
    half_squared_error,
    mean_squared_error,
    huber,
    cross_entropy,
    binary_cross_entropy,
    poisson
};

enum class Method { sgd, momentum, nesterov, adam, adamw, rmsprop };

// How many vectors as long as the parameters it carries from step to step.
constexpr int moments_of(Method method) {
    return method == Method::sgd ? 0 : method == Method::adam || method == Method::adamw ? 2 : 1;
}

// sizes are n_0 … n_L, activation has one entry a layer.
struct Network {
    std::vector<Index> sizes;
    std::vector<Activation> activation;
    Cost cost;
    double l1, l2;
};

struct Optimizer {
    Method method;
    double momentum, beta1, beta2, epsilon;
    bool epsilon_hat;  // Adam's ε is added before the moments are corrected
    double rho, weight_decay;
};

// X (n, n_0), Y (n, n_L), weights (n) or null, all row by row without gaps.
template <class T>
struct Examples {
    const T* X;
    const T* Y;
    const T* weights;
    Index n;
};

// A stretch of training: what run(state, n_steps) reads and changes. The order has the rows of one epoch, in_epoch many; a
// null order is 0, 1, …, n − 1 in every epoch.
template <class T>
struct Stretch {
    T* parameters;
    T* moments[2];
    Examples<T> examples;
    const std::int64_t* order;
    Index in_epoch;
    Index cursor;
    Index batch_size;
    Index first_step;  // counts from 0
    Index n_steps;
    Optimizer optimizer;
    const double* rates;  // the learning rate of every step (n_steps)
    bool fused;
    bool shared_penalty;  // the penalty is divided by the batch's weight
    const double* dropout;  // the probability with which each number of a⁽⁰⁾ … a⁽ᴸ⁻¹⁾ is dropped, a layer (L); or null
    std::uint64_t key;      // from which that is drawn
    double clip_norm;       // a longer ∇C is shortened to this length; 0: none is
    double* cost;     // C of every step's batch (n_steps)
    double* weight;   // and what the batch counts for; 0 where nothing was updated
    double* squares;  // ‖∂C/∂(w, b)‖² of every step and layer (n_steps, L), before it is shortened; or null
};

// One network's plan and memory. One call at a time.
template <class T>
class Engine {
public:
    virtual ~Engine() = default;

    // C, and ∇C in the parameters' layout.
    virtual double gradient(const T* parameters, const Examples<T>& examples, T* nabla_C, int threads) = 0;

    // The steps of a stretch; the same bits for any number of threads, fused or not, however it is cut.
    virtual void run(const Stretch<T>& stretch, int threads) = 0;

    // a⁽ᴸ⁾ of n rows of X into a (n, n_L).
    virtual void predict(const T* parameters, const T* X, Index n, T* a, int threads) = 0;

    // C without penalties; Y as in Examples.
    virtual double data_cost(const T* parameters, const Examples<T>& examples, int threads) = 0;

    // How many of the threads offered a step on so many rows uses.
    virtual int threads_used(Index rows, int threads) const = 0;

    // For tests: fill all scratch memory with NaN, so that reading what was never written shows.
    virtual void poison() = 0;

    // For tests: use several threads even while others want the processors.
    virtual void insist() = 0;
};

// The engine for an instruction set that this machine has: "baseline", "avx2" or "avx512"; null for any other name.
template <class T>
std::unique_ptr<Engine<T>> make_engine(const char* instruction_set, const Network& network);

// The instruction sets that were compiled and that this machine has, the best one last.
std::vector<const char*> instruction_sets();

}  // namespace chainrule

// The engine as a Python module: arrays in, arrays filled. It checks what could make it read or write where it must not;
// chainrule.engines.native says it in words that a person can act on.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "engine.hpp"
#include "pool.hpp"

#if defined(__linux__) || defined(__APPLE__)
#include <unistd.h>
#endif

namespace nb = nanobind;

namespace chainrule {

namespace {

template <class T>
constexpr char FORMAT = std::is_same_v<T, float> ? 'f' : std::is_same_v<T, double> ? 'd' : 'l';

// A contiguous array of T of a given shape, for as long as this lives. None becomes null where that is allowed.
template <class T>
class View {
public:
    View(nb::handle array, const char* what, std::initializer_list<Index> shape, bool writable = false,
         bool optional = false) {
        if (optional && array.is_none()) return;
        const int flags = PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0);
        if (PyObject_GetBuffer(array.ptr(), &buffer, flags) != 0) throw nb::python_error();
        const char* format = buffer.format ? buffer.format : "B";
        if (*format == '=' || *format == '@') ++format;
        const bool same_kind = *format == FORMAT<T> || (FORMAT<T> == 'l' && *format == 'q');
        bool fits = format[1] == '\0' && same_kind && buffer.itemsize == Py_ssize_t(sizeof(T)) &&
                    buffer.ndim == int(shape.size());
        if (fits) {
            const Py_ssize_t* n = buffer.shape;
            for (const Index wanted : shape) fits = *n++ == wanted && fits;
        }
        if (!fits || reinterpret_cast<std::uintptr_t>(buffer.buf) % alignof(T) != 0) {
            PyBuffer_Release(&buffer);
            std::string message = std::string(what) + ": expected an aligned contiguous array of format " + FORMAT<T> + ", shape (";
            for (const Index n : shape) message += std::to_string(n) + ",";
            throw nb::value_error((message + ")").c_str());
        }
        held = true;
    }
    View(const View&) = delete;
    View& operator=(const View&) = delete;
    ~View() {
        if (held) PyBuffer_Release(&buffer);
    }

    T* data() const { return held ? static_cast<T*>(buffer.buf) : nullptr; }

private:
    Py_buffer buffer{};
    bool held = false;
};

Index rows_of(nb::handle array, const char* what) {
    const Py_ssize_t n = PyObject_Length(array.ptr());
    if (n < 0) throw nb::python_error();
    if (n == 0) throw nb::value_error((std::string(what) + ": no rows").c_str());
    return n;
}

// Other Python threads run while this one lives. A thread that comes back to an interpreter which is shutting down is
// ended by it; since that would unwind through frames that cannot be unwound, such a thread waits for the process to end.
class WithoutGil {
public:
    WithoutGil() : state(PyEval_SaveThread()) {}
    WithoutGil(const WithoutGil&) = delete;
    WithoutGil& operator=(const WithoutGil&) = delete;
    ~WithoutGil() {
        try {
            PyEval_RestoreThread(state);
        } catch (...) {
#if defined(__linux__) || defined(__APPLE__)
            for (;;) ::pause();
#endif
        }
    }

private:
    PyThreadState* state;
};

template <class T>
class Chain {
public:
    Chain(std::vector<Index> sizes, std::vector<int> activation, int cost, double l1, double l2,
          std::string instruction_set)
        : instruction_set(std::move(instruction_set)) {
        if (sizes.size() < 2 || activation.size() + 1 != sizes.size()) throw nb::value_error("sizes: not a network");
        for (const Index n : sizes)
            if (n < 1) throw nb::value_error("sizes: below 1");
        for (const int σ : activation)
            if (σ < 0 || σ > int(Activation::softmax)) throw nb::value_error("activation: unknown");
        if (cost < 0 || cost > int(Cost::poisson)) throw nb::value_error("cost: unknown");
        network = {std::move(sizes), {}, Cost(cost), l1, l2};
        for (const int σ : activation) network.activation.push_back(Activation(σ));
        for (std::size_t l = 0; l + 1 < activation.size(); ++l)
            if (network.activation[l] == Activation::softmax) throw nb::value_error("activation: softmax is last");
        if ((network.activation.back() == Activation::softmax) != (network.cost == Cost::cross_entropy))
            throw nb::value_error("activation: softmax goes with cross-entropy");
        constexpr Index MOST = PTRDIFF_MAX / Index(sizeof(T));
        for (std::size_t l = 1; l < network.sizes.size(); ++l) {
            const Index n_in = network.sizes[l - 1], n_out = network.sizes[l];
            if (n_in >= MOST / n_out || (n_in + 1) * n_out > MOST - n_parameters)
                throw nb::value_error("sizes: more parameters than an array can have");
            n_parameters += (n_in + 1) * n_out;
        }
        put(make_engine<T>(this->instruction_set.c_str(), network));
    }

    double gradient(nb::handle parameters, nb::handle X, nb::handle Y, nb::handle weights, nb::handle nabla_C,
                    int threads) {
        const Index n = rows_of(X, "X");
        const View<T> p(parameters, "parameters", {n_parameters});
        const View<T> x(X, "X", {n, n_0()}), y(Y, "Y", {n, n_L()}), s(weights, "weights", {n}, false, true);
        const View<T> g(nabla_C, "gradient", {n_parameters}, true);
        const WithoutGil without_gil;
        Lent engine(*this);
        return engine->gradient(p.data(), {x.data(), y.data(), s.data(), n}, g.data(), threads);
    }

    void run(nb::handle parameters, nb::handle moment1, nb::handle moment2, nb::handle X, nb::handle Y,
             nb::handle weights, nb::handle order, Index cursor, Index batch_size, Index first_step, Index n_steps,
             int method, nb::handle rates, double momentum, double beta1, double beta2, double epsilon,
             bool epsilon_hat, double rho, double weight_decay, bool fused, bool shared_penalty, nb::handle dropout,
             std::uint64_t key, double clip_norm, nb::handle cost, nb::handle weight, nb::handle squares, int threads) {
        const Index n = rows_of(X, "X"), L = Index(network.activation.size());
        if (method < 0 || method > int(Method::rmsprop)) throw nb::value_error("method: unknown");
        const Method m = Method(method);
        const View<T> p(parameters, "parameters", {n_parameters}, true);
        const View<T> m1(moment1, "moments", {n_parameters}, true, moments_of(m) < 1);
        const View<T> m2(moment2, "moments", {n_parameters}, true, moments_of(m) < 2);
        const View<double> lr(rates, "rates", {n_steps}), drops(dropout, "dropout", {L}, false, true);
        const View<T> x(X, "X", {n, n_0()}), y(Y, "Y", {n, n_L()}), s(weights, "weights", {n}, false, true);
        const Index in_epoch = order.is_none() ? n : rows_of(order, "order");
        const View<std::int64_t> o(order, "order", {in_epoch}, false, true);
        const View<double> c(cost, "cost", {n_steps}, true), w(weight, "weight", {n_steps}, true);
        const View<double> q(squares, "squares", {n_steps, L}, true, true);
        if (cursor < 0 || cursor >= in_epoch || batch_size < 1 || first_step < 0 || n_steps < 0)
            throw nb::value_error("cursor, batch_size, first_step or n_steps: out of range");
        for (Index l = 0; drops.data() != nullptr && l < L; ++l)
            if (!(drops.data()[l] >= 0 && drops.data()[l] < 1)) throw nb::value_error("dropout: not a probability below 1");
        const Index left = in_epoch - cursor;
        // The part of the order that these steps take, where they look for it: in a copy, since another thread could put
        // other numbers into the caller's after they were checked.
        std::unique_ptr<std::int64_t[]> rows;
        if (o.data() != nullptr) {
            if (left / batch_size + (left % batch_size != 0) < n_steps)
                throw nb::value_error("n_steps: goes beyond the order");
            const Index end = n_steps <= left / batch_size ? cursor + n_steps * batch_size : in_epoch;
            rows.reset(new std::int64_t[std::size_t(end)]);
            std::copy(o.data() + cursor, o.data() + end, rows.get() + cursor);
            bool fits = true;
            for (Index i = cursor; i < end; ++i) fits = fits & (rows[i] >= 0) & (rows[i] < n);
            if (!fits) throw nb::value_error("order: an entry is no row of X");
        }
        const Stretch<T> stretch{p.data(),   {m1.data(), m2.data()}, {x.data(), y.data(), s.data(), n},
                                 rows.get(), in_epoch,               cursor,
                                 batch_size, first_step,             n_steps,
                                 {m, momentum, beta1, beta2, epsilon, epsilon_hat, rho, weight_decay},
                                 lr.data(),  fused,                  shared_penalty,
                                 drops.data(), key,                  clip_norm,
                                 c.data(),   w.data(),               q.data()};
        const WithoutGil without_gil;
        Lent engine(*this);
        engine->run(stretch, threads);
    }

    void predict(nb::handle parameters, nb::handle X, nb::handle a, int threads) {
        const Index n = rows_of(X, "X");
        const View<T> p(parameters, "parameters", {n_parameters});
        const View<T> x(X, "X", {n, n_0()}), out(a, "a", {n, n_L()}, true);
        const WithoutGil without_gil;
        Lent engine(*this);
        engine->predict(p.data(), x.data(), n, out.data(), threads);
    }

    double data_cost(nb::handle parameters, nb::handle X, nb::handle Y, int threads) {
        const Index n = rows_of(X, "X");
        const View<T> p(parameters, "parameters", {n_parameters});
        const View<T> x(X, "X", {n, n_0()}), y(Y, "Y", {n, n_L()});
        const WithoutGil without_gil;
        Lent engine(*this);
        return engine->data_cost(p.data(), {x.data(), y.data(), nullptr, n}, threads);
    }

    int threads_used(Index rows, int threads) {
        Lent engine(*this);
        return engine->threads_used(rows, threads);
    }

    void poison() {
        Lent engine(*this);
        engine->poison();
    }

    void insist() {
        Lent engine(*this);
        engine->insist();
    }

private:
    // An engine does one call at a time; calls from several Python threads each get one of their own.
    class Lent {
    public:
        explicit Lent(Chain& chain) : chain(chain), engine(chain.get()) {}
        Lent(const Lent&) = delete;
        Lent& operator=(const Lent&) = delete;
        ~Lent() {
            try {
                chain.put(std::move(engine));
            } catch (const std::bad_alloc&) {  // then the next caller makes another
            }
        }
        Engine<T>* operator->() const { return engine.get(); }

    private:
        Chain& chain;
        std::unique_ptr<Engine<T>> engine;
    };

    std::unique_ptr<Engine<T>> get() {
        {
            // never waiting for it: in a child it may have been forked while locked
            const std::unique_lock<std::mutex> lock(mutex, std::try_to_lock);
            if (lock.owns_lock() && !free.empty()) {
                std::unique_ptr<Engine<T>> engine = std::move(free.back());
                free.pop_back();
                return engine;
            }
        }
        return make_engine<T>(instruction_set.c_str(), network);
    }

    void put(std::unique_ptr<Engine<T>> engine) {
        if (engine == nullptr) throw nb::value_error("instruction_set: this machine does not have it");
        const std::unique_lock<std::mutex> lock(mutex, std::try_to_lock);
        if (lock.owns_lock()) free.push_back(std::move(engine));
    }

    Index n_0() const { return network.sizes.front(); }
    Index n_L() const { return network.sizes.back(); }

    Network network;
    Index n_parameters = 0;
    std::string instruction_set;
    std::mutex mutex;
    std::vector<std::unique_ptr<Engine<T>>> free;
};

template <class T>
void define(nb::module_& m, const char* name) {
    using namespace nb::literals;
    using C = Chain<T>;
    nb::class_<C>(m, name)
        .def(nb::init<std::vector<Index>, std::vector<int>, int, double, double, std::string>(), "sizes"_a,
             "activation"_a, "cost"_a, "l1"_a, "l2"_a, "instruction_set"_a)
        .def("gradient", &C::gradient, "parameters"_a, "X"_a, "Y"_a, "weights"_a.none(), "gradient"_a, "threads"_a)
        .def("run", &C::run, "parameters"_a, "moment1"_a.none(), "moment2"_a.none(), "X"_a, "Y"_a, "weights"_a.none(),
             "order"_a.none(), "cursor"_a, "batch_size"_a, "first_step"_a, "n_steps"_a, "method"_a, "rates"_a,
             "momentum"_a, "beta1"_a, "beta2"_a, "epsilon"_a, "epsilon_hat"_a, "rho"_a, "weight_decay"_a, "fused"_a,
             "shared_penalty"_a, "dropout"_a.none(), "key"_a, "clip_norm"_a, "cost"_a, "weight"_a, "squares"_a.none(),
             "threads"_a)
        .def("predict", &C::predict, "parameters"_a, "X"_a, "a"_a, "threads"_a)
        .def("data_cost", &C::data_cost, "parameters"_a, "X"_a, "Y"_a, "threads"_a)
        .def("threads_used", &C::threads_used, "rows"_a, "threads"_a)
        .def("poison", &C::poison)
        .def("insist", &C::insist);
}

}  // namespace

}  // namespace chainrule

NB_MODULE(_native, m) {
    using namespace chainrule;
    nb::set_leak_warnings(false);  // a daemon thread that trains while the process ends keeps what it uses
    define<float>(m, "Chain32");
    define<double>(m, "Chain64");
    m.def("instruction_sets", [] {
        std::vector<std::string> names;
        for (const char* name : instruction_sets()) names.emplace_back(name);
        return names;
    });
    m.def("processors", &processors);
}

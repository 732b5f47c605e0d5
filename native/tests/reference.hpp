// The gradient by plain loops with more digits than the engine has, and with each number how far an engine that
// computes in T may be off.
//
// The distances are carried through the calculation, not chosen: u being half the epsilon of T, a sum of n products is off
// by at most γ(n + 1) = (n + 1)·u/(1 − (n + 1)·u) of the sum of their sizes, in whatever order (Higham, Accuracy and
// Stability of Numerical Algorithms, 2nd ed., section 3.1), a function of math.hpp by 4 ulp ≤ 8u of its size, and what
// entered with a distance leaves with it times the largest slope. A sum of any length whose terms underflow is made up
// for by the smallest normal number.
#pragma once

#include "given.hpp"

namespace chainrule::tests {

template <class T>
struct Reference {
    using R = std::conditional_t<sizeof(T) == 4, double, long double>;

    // A number, and how far the engine's may be from it.
    struct Near {
        R x = 0, off = 0;
    };

    Near cost, data_cost;
    std::vector<Near> gradient, a;  // a of the last layer, row by row
    R largest = 0;                  // of all that occurred: where it comes near to what T can hold, nothing is promised

    explicit Reference(const Problem<T>& problem) : network(problem.network), p(problem.p.data()) {
        gradient.resize(std::size_t(n_parameters(network)));
        const Index n = problem.n, n_0 = problem.n_0(), n_L = problem.n_L();
        R top = 0, sum = 0;
        const bool weighted = problem.weights.size() != 0;
        for (const T weight : problem.weights) top = std::max(top, R(weight));
        for (const T weight : problem.weights) sum += R(weight) / top;
        for (Index i = 0; i < n; ++i) {
            const R share = weighted ? R(problem.weights[i]) / top / sum : 1 / R(n);
            row(problem.X.data() + i * n_0, problem.Y.data() + i * n_L, share, n);
        }
        penalise();
    }

    // The reference has its own last digit, too.
    static bool near(Near expected, R got) {
        const R own = R(std::numeric_limits<R>::epsilon()) / R(std::numeric_limits<T>::epsilon());
        return std::fabs(got - expected.x) <= expected.off * (1 + own);
    }

private:
    static constexpr R u = R(std::numeric_limits<T>::epsilon()) / 2;
    static constexpr R TINY = R(std::numeric_limits<T>::min());

    static R γ(Index n) { return R(n) * u / (1 - R(n) * u); }

    const Network& network;
    const T* p;

    // σ and σ′ with the largest |σ′| and |σ″| near z; their own rounding included.
    struct Slope {
        Near value, derivative;
    };

    static R sigmoid(R z) {
        const R e = std::exp(-std::fabs(z));
        return (z < 0 ? e : 1) / (1 + e);
    }
    static R softplus(R z) { return std::max(z, R(0)) + std::log1p(std::exp(-std::fabs(z))); }

    static Slope slope(Activation activation, Near z) {
        const R x = z.x;
        R value = x, derivative = 1, size = 1, steepest = 1, bend = 0;
        const R step = x > 0 ? 1 : 0;
        switch (activation) {
            case Activation::sigmoid: {
                value = sigmoid(x);
                size = derivative = value * sigmoid(-x);
                steepest = R(0.25);
                bend = R(0.0963);
                break;
            }
            case Activation::tanh:
                value = std::tanh(x);
                size = derivative = 4 * sigmoid(2 * x) * sigmoid(-2 * x);
                bend = R(0.77);
                break;
            case Activation::relu:
                value = x * step;
                size = derivative = step;
                if (std::fabs(x) <= z.off) bend = 1 / z.off;
                break;
            case Activation::leaky_relu:
                size = derivative = x > 0 ? 1 : R(0.01L);
                value = x * derivative;
                if (std::fabs(x) <= z.off) bend = 1 / z.off;
                break;
            case Activation::elu:
                value = x > 0 ? x : std::expm1(x);
                size = derivative = x > 0 ? 1 : std::exp(x);
                bend = 1;
                break;
            case Activation::softplus:
                value = softplus(x);
                size = derivative = sigmoid(x);
                bend = R(0.25);
                break;
            case Activation::silu: {
                const R s = sigmoid(x), term = x * s * sigmoid(-x);
                value = x * s;
                derivative = s + term;
                size = s + std::fabs(term);
                steepest = R(1.1);
                bend = R(0.5);
                break;
            }
            case Activation::gelu: {
                const R Φ = std::erfc(-x / std::sqrt(R(2))) / 2;
                const R term = x * std::exp(-x * x / 2) * R(0.398942280401432677939946059934381868L);
                value = x * Φ;
                derivative = Φ + term;
                size = Φ + std::fabs(term);
                steepest = R(1.13);
                bend = R(0.8);
                break;
            }
            case Activation::exp:
                value = size = derivative = std::exp(x);
                steepest = bend = std::exp(x + z.off);
                break;
            default: break;
        }
        const R by_z = z.off * steepest, slope_by_z = z.off * bend;
        return {{value, by_z + 8 * u * (std::fabs(value) + by_z) + TINY},
                {derivative, slope_by_z + 8 * u * (size + slope_by_z) + TINY}};
    }

    static Near product(Near a, Near b) {
        const R x = a.x * b.x, off = a.off * std::fabs(b.x) + b.off * std::fabs(a.x) + a.off * b.off;
        return {x, off + u * (std::fabs(x) + off) + TINY};
    }

    void note(R x) { largest = x == x ? std::max(largest, std::fabs(x)) : std::numeric_limits<R>::infinity(); }

    // One example through the network and back.
    void row(const T* x, const T* y, R share, Index n) {
        const std::size_t L = network.activation.size();
        std::vector<std::vector<Near>> a(L + 1), d(L + 1);
        std::vector<Index> at(L + 1);
        for (Index k = 0; k < network.sizes[0]; ++k) a[0].push_back({R(x[k]), 0});
        std::vector<Near> z;
        Index next = 0;
        for (std::size_t l = 1; l <= L; ++l) {
            const Index n_in = network.sizes[l - 1], n_out = network.sizes[l];
            at[l] = next;
            next += (n_in + 1) * n_out;
            z.clear();
            for (Index j = 0; j < n_out; ++j) {
                const T* const w = p + at[l] + j * n_in;
                const T bias = p[at[l] + n_in * n_out + j];
                R sum = R(bias), size = std::fabs(R(bias)), off = 0;
                for (Index k = 0; k < n_in; ++k) {
                    const Near& below = a[l - 1][std::size_t(k)];
                    sum += R(w[k]) * below.x;
                    size += std::fabs(R(w[k]) * below.x);
                    off += std::fabs(R(w[k])) * below.off;
                }
                note(size + off);
                z.push_back({sum, off + γ(n_in + 1) * (size + off) + TINY});
            }
            if (l == L) break;
            for (const Near& each : z) {
                const Slope both = slope(network.activation[l - 1], each);
                a[l].push_back(both.value);
                d[l].push_back(both.derivative);
                note(both.value.x + both.value.off);
            }
        }
        const Near C = output(z, y, d[L]);
        const R share_off = share * (3 * u + R(n + 3) * R(0x1p-53));
        const Near part = product({share, share_off}, C);
        cost.x += part.x;
        cost.off += part.off + γ(network.sizes[L] + 3) * std::fabs(part.x);
        data_cost.x += C.x / R(n);
        data_cost.off += (C.off + γ(network.sizes[L] + 3) * std::fabs(C.x)) / R(n);
        for (Near& delta : d[L]) delta = product({share, share_off}, delta);
        for (std::size_t l = L; l > 0; --l) {
            const Index n_in = network.sizes[l - 1], n_out = network.sizes[l];
            for (Index j = 0; j < n_out; ++j) {
                const Near& delta = d[l][std::size_t(j)];
                note(delta.x);
                for (Index k = 0; k < n_in; ++k) add(gradient[std::size_t(at[l] + j * n_in + k)], delta, a[l - 1][std::size_t(k)], n);
                add(gradient[std::size_t(at[l] + n_in * n_out + j)], delta, {1, 0}, n);
            }
            if (l == 1) break;
            for (Index k = 0; k < n_in; ++k) {
                R sum = 0, size = 0, off = 0;
                for (Index j = 0; j < n_out; ++j) {
                    const R w = R(p[at[l] + j * n_in + k]);
                    const Near& delta = d[l][std::size_t(j)];
                    sum += delta.x * w;
                    size += std::fabs(delta.x * w);
                    off += delta.off * std::fabs(w);
                }
                note(size + off);
                Near& below = d[l - 1][std::size_t(k)];
                below = product(below, {sum, off + γ(n_out + 1) * (size + off) + TINY});
            }
        }
    }

    static void add(Near& sum, Near delta, Near a, Index n) {
        const R off = delta.off * std::fabs(a.x) + std::fabs(delta.x) * a.off + delta.off * a.off;
        sum.x += delta.x * a.x;
        sum.off += off + γ(n + 1) * (std::fabs(delta.x * a.x) + off) + TINY;
    }

    // C of an example; and ∂C/∂z of the last layer into d.
    Near output(const std::vector<Near>& z, const T* y, std::vector<Near>& d) {
        const Activation activation = network.activation.back();
        if (activation == Activation::softmax) return cross_entropy(z, y, d);
        Near C;
        for (std::size_t j = 0; j < z.size(); ++j) {
            const Slope σ = slope(activation, z[j]);
            a.push_back(σ.value);
            Near delta, c;
            const R target = R(y[j]), off = z[j].off;
            switch (network.cost) {
                case Cost::binary_cross_entropy: {
                    const R x = z[j].x, others = 1 - target, both = std::fabs(target) + std::fabs(others);
                    const R parts = std::fabs(target) * softplus(-x) + std::fabs(others) * softplus(x);
                    c = {target * softplus(-x) + others * softplus(x), both * off + 24 * u * (parts + both * off)};
                    const R sizes = std::fabs(others) * sigmoid(x) + std::fabs(target) * sigmoid(-x);
                    delta = {others * sigmoid(x) - target * sigmoid(-x), both * off / 4 + 12 * u * (sizes + both * off / 4)};
                    break;
                }
                case Cost::poisson: {
                    const R x = z[j].x, size = std::fabs(target);
                    const bool by_exp = activation == Activation::exp;
                    // ln σ, which for softplus is z + ln(ln(1 + e)/e) below 0, and its derivative
                    const R e = std::exp(-std::fabs(x)), ratio = e == 0 ? 1 : std::log1p(e) / e;
                    const R logarithm = by_exp ? x : x > 0 ? std::log(softplus(x)) : x + std::log(ratio);
                    const R derivative = by_exp ? 1 : x > 0 ? sigmoid(x) / softplus(x) : 1 / ((1 + e) * ratio);
                    const R rounded = by_exp ? 0 : 40 * u * (1 + std::fabs(logarithm));
                    c = {σ.value.x - target * logarithm, σ.value.off + size * (off + rounded)};
                    c.off += 3 * u * (std::fabs(σ.value.x) + size * std::fabs(logarithm) + c.off);
                    delta = {σ.derivative.x - target * derivative, σ.derivative.off};
                    if (!by_exp) delta.off += size * (off / 2 + 48 * u * derivative);  // |(ln softplus)″| < 1/2
                    delta.off += 3 * u * (std::fabs(σ.derivative.x) + size * derivative + delta.off);
                    break;
                }
                case Cost::huber: {
                    const Near r = difference(σ.value, target);
                    const R size = std::fabs(r.x), inner = std::min(size, R(1));
                    delta = product({std::copysign(inner, r.x), r.off}, σ.derivative);
                    c = {inner * inner / 2 + (size - inner), r.off * std::min(size + r.off, R(1))};
                    c.off += 5 * u * (c.x + c.off);
                    break;
                }
                default: {
                    const R n_L = R(z.size());
                    const R scale = network.cost == Cost::squared_error ? 1 : network.cost == Cost::half_squared_error ? R(0.5) : 1 / n_L;
                    const Near r = difference(σ.value, target);
                    delta = product(product({2 * scale, 2 * u * scale}, r), σ.derivative);
                    c = product({scale, u * scale}, product(r, r));
                }
            }
            d.push_back({delta.x, delta.off + TINY});
            note(c.x + c.off);
            note(target);
            C.x += c.x;
            C.off += c.off + γ(Index(z.size())) * std::fabs(c.x) + TINY;
        }
        return C;
    }

    static Near difference(Near a, R y) { return {a.x - y, a.off + u * (std::fabs(a.x - y) + a.off)}; }

    Near cross_entropy(const std::vector<Near>& z, const T* y, std::vector<Near>& d) {
        const Index n = Index(z.size());
        R top = z[0].x, bottom = z[0].x, off = 0, sum = 0, targets = 0;
        for (const Near& each : z) {
            top = std::max(top, each.x);
            bottom = std::min(bottom, each.x);
            off = std::max(off, each.off);
        }
        std::vector<R> e;
        for (Index j = 0; j < n; ++j) {
            e.push_back(std::exp(z[std::size_t(j)].x - top));
            sum += e.back();
            targets += std::fabs(R(y[j]));
        }
        const R shifted_off = 2 * off + 2 * u * (top - bottom + 2 * off);
        const R e_off = std::expm1(shifted_off) + 8 * u;      // of e^(z_j − max z), relatively
        const R a_off = 2 * e_off + γ(n + 4);                 // of a_j, relatively
        note(a_off);
        Near C{0, 2 * targets * off};
        for (Index j = 0; j < n; ++j) {
            const std::size_t at = std::size_t(j);
            const R target = R(y[j]), a_j = e[at] / sum;
            a.push_back({a_j, a_off * a_j + TINY});
            R others = 0, other_targets = 0, size = 0;
            for (Index k = 0; k < n; ++k) {
                if (k == j) continue;
                others += e[std::size_t(k)] / sum;
                other_targets += R(y[k]);
                size += std::fabs(R(y[k]));
            }
            const R sizes = a_j * size + std::fabs(target) * others;
            d.push_back({a_j * other_targets - target * others, (a_off + γ(2 * n + 6)) * sizes + TINY});
            const R logarithm = z[at].x - top - std::log(sum);
            C.x -= target * logarithm;
            C.off += std::fabs(target) * ((e_off + γ(n + 12)) * (std::log(sum) + 1) + γ(n + 4) * (top - z[at].x + shifted_off));
        }
        note(C.x + C.off);
        return C;
    }

    void penalise() {
        const R l1 = R(network.l1), l2 = R(network.l2);
        data_cost.off += R(0x1p-50) * std::fabs(data_cost.x) + TINY;
        cost.off += R(0x1p-50) * std::fabs(cost.x) + TINY;
        if (T(l1) == 0 && T(l2) == 0) return;
        Index at = 0;
        for (std::size_t l = 1; l < network.sizes.size(); ++l) {
            const Index n_in = network.sizes[l - 1], n_out = network.sizes[l];
            for (Index i = at; i < at + n_in * n_out; ++i) {
                const R w = R(p[i]), size = l1 + 2 * l2 * std::fabs(w);
                Near& g = gradient[std::size_t(i)];
                g.x += (w > 0 ? l1 : w < 0 ? -l1 : 0) + 2 * l2 * w;
                g.off += 4 * u * size + u * std::fabs(g.x) + TINY;
                const R penalty = l1 * std::fabs(w) + l2 * w * w;
                cost.x += penalty;
                cost.off += γ(std::min(n_in * n_out, Index(1024)) + 4) * penalty + TINY;  // summed block by block
            }
            at += (n_in + 1) * n_out;
        }
    }
};

}  // namespace chainrule::tests

// math.hpp in one instruction set: how many ulp each function is off at most, what it makes of ±0, ±∞ and NaN, and
// whether its bits are the same in vectors of any length. A number as argument is the stride through all floats.
#ifndef CHAINRULE_ISA
#define CHAINRULE_ISA baseline
#endif
#include "../math.hpp"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "check.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CHAINRULE_WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CHAINRULE_WATCHED 1
#endif
#endif

namespace {

using namespace chainrule::CHAINRULE_ISA;
namespace here = chainrule::CHAINRULE_ISA;

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

// References: R has many more digits than what is tested. ------------------------------------------------------------

template <class R>
R sigmoid_reference(R z) {
    const R e = std::exp(-std::fabs(z));
    return (z < 0 ? e : 1) / (1 + e);
}

template <class R>
R slope_of_sigmoid(R z) {
    const R e = std::exp(-std::fabs(z));
    return e / ((1 + e) * (1 + e));
}

template <class R>
R softplus_reference(R z) {
    return std::fmax(z, R(0)) + std::log1p(std::exp(-std::fabs(z)));
}

// From here on e^(−z²/2) is 0 in any R.
template <class R>
R within(R z) {
    const R far = 10000;
    return z > far ? far : z < -far ? -far : z;
}

// e^(−z²/2)/√(2π), the larger part of the exponent being exact.
template <class R>
R density(R unlimited) {
    const R z = within(unlimited), head = R(float(z));
    const R gauss = std::exp(-head * head / 2) * std::exp(-(z - head) * (z + head) / 2);
    return gauss * R(0.398942280401432677939946059934381868L);
}

// Φ(z) = erfc(−z/√2)/2. What is lost in rounding the argument is made up for: e^(x²)·erfc(x) is hardly steep.
template <class R>
R normal(R z) {
    constexpr long double ROOT = 1.41421356237309504880168872420969808L;
    const R root = R(ROOT), u = within(-z), x = u / root;
    const R lost = std::fma(x, root, -u) + x * R(ROOT - root);
    return std::erfc(x) / 2 * (u > 0 ? 1 + lost * u : 1);
}

// 0 where a is, though b be infinite.
template <class R>
R product(R a, R b) {
    return a == 0 ? 0 : a * b;
}

// The errors. --------------------------------------------------------------------------------------------------------

// The distance from one T to the next near r.
template <class T, class R>
R ulp(R r) {
    const int exponent = r == 0 ? -1000000 : std::ilogb(r) + 1;
    return std::ldexp(R(1), std::max(exponent, std::numeric_limits<T>::min_exponent) - std::numeric_limits<T>::digits);
}

// |y − r| in ulp of r, or of the larger number that is given. ∞ stands for the first number that T has no room for.
template <class T, class R>
R error(T y, R r, R size) {
    if (std::isnan(y) || std::isnan(r)) return std::isnan(y) && std::isnan(r) ? R(0) : R(INFINITY);
    const R top = std::ldexp(R(1), std::numeric_limits<T>::max_exponent);
    const auto inside = [&](R x) { return std::fmin(std::fmax(x, -top), top); };
    const R largest = std::fmin(std::fmax(std::fabs(r), size), R(std::numeric_limits<T>::max()));
    return std::fabs(inside(R(y)) - inside(r)) / ulp<T>(largest);
}

template <int LANES_USED, class T, class F>
void apply(F f, const std::vector<T>& x, std::vector<T>& y) {
    using V = Vec<T, LANES_USED>;
    for (std::size_t i = 0; i < x.size(); i += LANES_USED) store<V>(&y[i], f(load<V>(&x[i])));
}

template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
    for (std::size_t i = 0; i < a.size(); ++i)
        if (std::memcmp(&a[i], &b[i], sizeof(T)) != 0 && !(std::isnan(a[i]) && std::isnan(b[i]))) return false;
    return true;
}

template <class T>
struct Worst {
    double error = 0;
    T x = 0;
};

template <class T, class R>
struct Trial {
    std::vector<T> x;

    // f in the widest vectors is at most so many ulp off, those of size if that is given; what lies below lowest is
    // passed over. Shorter vectors give the same bits.
    template <class F, class Reference, class Size = std::nullptr_t>
    void operator()(const char* name, double bound, F f, Reference reference, double lowest = -INFINITY,
                    Size size = nullptr) const {
        std::vector<T> y(x.size()), other(x.size());
        apply<LANES<T>>(f, x, y);
        Worst<T> worst;
        for (std::size_t i = 0; i < x.size(); ++i) {
            if (x[i] < lowest) continue;
            R least = 0;
            if constexpr (!std::is_same_v<Size, std::nullptr_t>) least = size(R(x[i]));
            const double e = double(error(y[i], R(reference(R(x[i]))), least));
            if (!(e <= worst.error)) worst = {e, x[i]};
        }
        const char* type = sizeof(T) == 4 ? "float" : "double";
        std::printf(TEXT(CHAINRULE_ISA) " %-6s %-9s %6.3f ulp at %.17g\n", type, name, worst.error, double(worst.x));
        CHECK(worst.error <= bound);
        if constexpr (LANES<T> >= 2 * 16 / int(sizeof(T))) {
            apply<LANES<T> / 2>(f, x, other);
            CHECK(same(y, other));
        }
        if constexpr (LANES<T> >= 4 * 16 / int(sizeof(T))) {
            apply<LANES<T> / 4>(f, x, other);
            CHECK(same(y, other));
        }
    }
};

template <class T, class R>
void errors(const std::vector<T>& x) {
    const Trial<T, R> trial{x};
    trial("exp", 1.5, [](auto z) { return here::exp(z); }, [](R z) { return std::exp(z); });
    trial("expm1", 2.5, [](auto z) { return here::expm1(z); }, [](R z) { return std::expm1(z); });
    trial("log", 1.5, [](auto z) { return here::log(z); }, [](R z) { return std::log(z); }, 0);
    trial("log1p", 2, [](auto z) { return here::log1p(z); }, [](R z) { return std::log1p(z); }, 0);
    trial("erfc", 4, [](auto z) { return here::erfc(z); }, [](R z) { return std::erfc(z); });
    trial("sigmoid", 3, [](auto z) { return sigmoid(z).value; }, sigmoid_reference<R>);
    trial("sigmoid'", 3, [](auto z) { return sigmoid(z).derivative; }, slope_of_sigmoid<R>);
    trial("tanh", 3, [](auto z) { return here::tanh(z).value; }, [](R z) { return std::tanh(z); });
    trial("tanh'", 4, [](auto z) { return here::tanh(z).derivative; }, [](R z) { return 4 * slope_of_sigmoid(2 * z); });
    trial("softplus", 2.5, [](auto z) { return softplus(z).value; }, softplus_reference<R>);
    trial("softplus'", 3, [](auto z) { return softplus(z).derivative; }, sigmoid_reference<R>);
    trial("elu", 1.5, [](auto z) { return elu(z).value; }, [](R z) { return z > 0 ? z : std::expm1(z); });
    trial("elu'", 1.5, [](auto z) { return elu(z).derivative; }, [](R z) { return z > 0 ? 1 : std::exp(z); });
    trial("silu", 3, [](auto z) { return silu(z).value; }, [](R z) { return product(sigmoid_reference(z), z); });
    trial("gelu", 4, [](auto z) { return gelu(z).value; }, [](R z) { return product(normal(z), z); });
    // These are sums whose terms cancel somewhere.
    const auto silu_term = [](R z) { return product(slope_of_sigmoid(z), z); };
    const auto gelu_term = [](R z) { return product(density(z), z); };
    trial(
        "silu'", 3.5, [](auto z) { return silu(z).derivative; },
        [&](R z) { return sigmoid_reference(z) + silu_term(z); }, -INFINITY,
        [&](R z) { return sigmoid_reference(z) + std::fabs(silu_term(z)); });
    trial(
        "gelu'", 4, [](auto z) { return gelu(z).derivative; },
        [&](R z) { return normal(z) + gelu_term(z); }, -INFINITY,
        [&](R z) { return normal(z) + std::fabs(gelu_term(z)); });
}

// What they are tried at. --------------------------------------------------------------------------------------------

// Where something changes, with 100 neighbours on each side, ±; then as many NaN as make the length a multiple of 16.
template <class T>
void add_edges(std::vector<T>& x) {
    using L = std::numeric_limits<T>;
    constexpr double ln2 = 0.69314718055994531;
    std::vector<double> edges = {0, double(L::min()), double(L::epsilon()), L::epsilon() / 4., double(L::max())};
    for (const double m : {0.25, 0.5, 1., 2., 4.}) edges.insert(edges.end(), {std::sqrt(m), std::sqrt(m) - 1});
    for (const double limit : {11.2, 16., 28., 40., 64., 128., 800.}) edges.push_back(limit);
    for (int n = 1; n < 2 * L::digits; n += 2) edges.push_back(n * ln2 / 2);
    for (const int last : {L::max_exponent, 1 - L::min_exponent, L::digits - L::min_exponent})
        for (const double n : {last - 1., last + 0., last + 1.})
            edges.insert(edges.end(), {n * ln2, n * ln2 / 2, std::sqrt(n * ln2), std::sqrt(n * ln2 * 2)});
    for (const double edge : edges) {
        T up = T(std::fabs(edge)), down = up;
        for (int i = 0; i < 100; ++i) {
            x.insert(x.end(), {up, -up, down, -down});
            up = std::nextafter(up, L::infinity());
            down = std::nextafter(down, T(0));
        }
    }
    x.insert(x.end(), {L::infinity(), -L::infinity()});
    do x.push_back(L::quiet_NaN());
    while (x.size() % 16 != 0);
}

std::vector<float> floats(std::uint32_t stride) {
    std::vector<float> x;
    for (std::uint64_t pattern = 0; pattern <= 0xffffffff; pattern += stride) {
        const auto word = std::uint32_t(pattern);
        float value;
        std::memcpy(&value, &word, sizeof value);
        x.push_back(value);
    }
    add_edges(x);
    return x;
}

// Bits at random, and numbers at random in ranges where the functions have their turns and their tails.
std::vector<double> doubles(int count) {
    std::vector<double> x;
    std::uint64_t state = 1;
    const auto random = [&state] {  // Vigna's splitmix64
        std::uint64_t z = state += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    };
    for (int i = 0; i < count; ++i) {
        const std::uint64_t word = random();
        double value;
        std::memcpy(&value, &word, sizeof value);
        x.push_back(value);
        const auto within_1 = [&random] { return double(random() >> 11) * 0x1p-52 - 1; };
        for (const double range : {0.01, 0.5, 2., 4., 10., 40., 400., 760.}) x.push_back(within_1() * range);
        x.push_back(std::ldexp(within_1(), -int(random() % 64)));
    }
    add_edges(x);
    return x;
}

// Single numbers. ----------------------------------------------------------------------------------------------------

template <class T>
void special_values() {
    using V = Vec<T, LANES<T>>;
    const T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
    const auto is = [](T y, T expected) { return y == expected && std::signbit(y) == std::signbit(expected); };
    const auto at = [](T x) { return splat<V>(x); };

    CHECK(is(here::exp(at(0))[0], 1));
    CHECK(is(here::exp(at(T(-0.0)))[0], 1));
    CHECK(is(here::exp(at(-infinity))[0], 0));
    CHECK(is(here::exp(at(infinity))[0], infinity));
    CHECK(is(here::expm1(at(0))[0], 0));
    CHECK(is(here::expm1(at(T(-0.0)))[0], T(-0.0)));
    CHECK(is(here::expm1(at(-infinity))[0], -1));
    CHECK(is(here::expm1(at(infinity))[0], infinity));
    CHECK(is(here::log(at(1))[0], 0));
    CHECK(is(here::log(at(0))[0], -infinity));
    CHECK(is(here::log(at(infinity))[0], infinity));
    CHECK(std::isnan(here::log(at(-1))[0]));
    CHECK(is(here::log1p(at(0))[0], 0));
    CHECK(is(here::log1p(at(infinity))[0], infinity));
    CHECK(is(here::erfc(at(infinity))[0], 0));
    CHECK(is(here::erfc(at(-infinity))[0], 2));

    const auto slope = [&](auto f, T z, T value, T derivative) {
        const Slope<V> s = f(at(z));
        return is(s.value[0], value) && is(s.derivative[0], derivative);
    };
    const auto sigmoid = [](V z) { return here::sigmoid(z); };
    CHECK(slope(sigmoid, 0, T(0.5), T(0.25)));
    CHECK(slope(sigmoid, infinity, 1, 0));
    CHECK(slope(sigmoid, -infinity, 0, 0));
    const auto tanh = [](V z) { return here::tanh(z); };
    CHECK(slope(tanh, 0, 0, 1));
    CHECK(slope(tanh, T(-0.0), T(-0.0), 1));
    CHECK(slope(tanh, infinity, 1, 0));
    CHECK(slope(tanh, -infinity, -1, 0));
    const auto softplus = [](V z) { return here::softplus(z); };
    CHECK(slope(softplus, 0, T(0.69314718055994531), T(0.5)));
    CHECK(slope(softplus, infinity, infinity, 1));
    CHECK(slope(softplus, -infinity, 0, 0));
    const auto elu = [](V z) { return here::elu(z); };
    CHECK(slope(elu, 0, 0, 1));
    CHECK(slope(elu, T(-0.0), T(-0.0), 1));
    CHECK(slope(elu, 3, 3, 1));
    CHECK(slope(elu, infinity, infinity, 1));
    CHECK(slope(elu, -infinity, -1, 0));
    const auto silu = [](V z) { return here::silu(z); };
    CHECK(slope(silu, 0, 0, T(0.5)));
    CHECK(slope(silu, T(-0.0), T(-0.0), T(0.5)));
    CHECK(slope(silu, infinity, infinity, 1));
    CHECK(silu(at(-infinity)).value[0] == 0);
    CHECK(silu(at(-infinity)).derivative[0] == 0);
    const auto gelu = [](V z) { return here::gelu(z); };
    CHECK(slope(gelu, 0, 0, T(0.5)));
    CHECK(slope(gelu, T(-0.0), T(-0.0), T(0.5)));
    CHECK(slope(gelu, infinity, infinity, 1));
    CHECK(gelu(at(-infinity)).value[0] == 0);
    CHECK(gelu(at(-infinity)).derivative[0] == 0);

    const auto both = [&](auto f) {
        const Slope<V> s = f(at(nan));
        return std::isnan(s.value[0]) && std::isnan(s.derivative[0]);
    };
    CHECK(both(sigmoid));
    CHECK(both(tanh));
    CHECK(both(softplus));
    CHECK(both(elu));
    CHECK(both(silu));
    CHECK(both(gelu));
}

bool runs_here() {
#if defined(__AVX512F__)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#elif defined(__AVX2__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return true;
#endif
}

}  // namespace

int main(int argc, char** argv) {
    if (!runs_here()) {
        std::puts("this processor lacks " TEXT(CHAINRULE_ISA) ": nothing is tested");
        return chainrule::tests::report();
    }
#if defined(CHAINRULE_WATCHED)
    const int thinner = 5;
#else
    const int thinner = 1;
#endif
    special_values<float>();
    special_values<double>();
    errors<float, double>(floats(argc > 1 ? std::uint32_t(std::atoi(argv[1])) : 997 * thinner));
    // Some C libraries compute a long double from that of a double.
    if (volatile long double one = 1; std::fabs(std::exp(one) - 2.71828182845904523536028747135266250L) < 1e-18L)
        errors<double, long double>(doubles((LDBL_MANT_DIG == 64 ? 20000 : 1000) / thinner));
    else
        std::puts("the C library knows no more digits than a double has: the doubles' errors are not measured");
    return chainrule::tests::report();
}

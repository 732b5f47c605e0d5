// exp, log and what is made of them, for whole vectors: one polynomial each, one division at most, and selects in place
// of branches.
//
// Every result is within 4 ulp, where it is subnormal within 4 of the steps there; silu′ and gelu′, sums whose terms
// cancel near a zero of theirs, are within 4 ulp of the sum of the terms' sizes. NaN gives NaN. At ±∞ each function has
// its limit. tests/test_math.cpp measures all that.
#pragma once

#include "vector.hpp"

namespace chainrule::CHAINRULE_ISA {

// A function's value beside its derivative, which share their work.
template <class V>
struct Slope {
    V value, derivative;
};

// Constants and the coefficients of polynomials, printed by coefficients.py.
template <class T>
struct Table;

template <>
struct Table<float> {
    static constexpr float log2e = 1.442695e+00f;
    static constexpr float ln2_high = 6.9314575e-01f;
    static constexpr float ln2_low = 1.4286068e-06f;
    static constexpr float sqrt2_high = 1.4140625e+00f;
    static constexpr float sqrt2_low = 1.5106237e-04f;
    // (e^r - 1 - r)/r^2, |r| <= ln(2)/2: degree 4, error 1.7e-08.
    static constexpr float expm1[] = {
        4.9999997e-01f, 1.6666543e-01f, 4.1667204e-02f, 8.366535e-03f, 1.3882447e-03f,
    };
    // (ln(1 + f) - f)/f^2, sqrt(1/2) <= 1 + f <= sqrt(2): degree 8, error 4.5e-09.
    static constexpr float log1p[] = {
        -4.9999988e-01f, 3.3333325e-01f, -2.5001585e-01f, 2.0001978e-01f, -1.6609077e-01f, 1.4181802e-01f,
        -1.3243005e-01f, 1.2904535e-01f, -7.621806e-02f,
    };
    // (u + 4)*e^(u^2/2)*Phi(-u) by (u - 4)/(u + 4), u >= 0: degree 11, error 2.1e-08.
    static constexpr float mills[] = {
        7.5528514e-01f, -6.078966e-01f, 3.8713738e-01f, -1.8652223e-01f, 6.039638e-02f, -7.537103e-03f,
        -3.4791152e-03f, 1.6204009e-03f, 1.3261971e-04f, -2.137281e-04f, -1.29221e-06f, 2.0445814e-05f,
    };
};

template <>
struct Table<double> {
    static constexpr double log2e = 1.4426950408889634e+00;
    static constexpr double ln2_high = 6.931471805592082e-01;
    static constexpr double ln2_low = 7.371002565167799e-13;
    static constexpr double sqrt2_high = 1.4142135381698608e+00;
    static constexpr double sqrt2_low = 2.420323420895794e-08;
    // (e^r - 1 - r)/r^2, |r| <= ln(2)/2: degree 9, error 3.0e-17.
    static constexpr double expm1[] = {
        5.000000000000006e-01, 1.666666666666659e-01, 4.166666666657664e-02, 8.33333333338968e-03,
        1.3888888931605588e-03, 1.9841269718767475e-04, 2.4801505219945735e-05, 2.755740770185615e-06,
        2.7626061021019324e-07, 2.505374718932228e-08,
    };
    // (ln(1 + f) - f)/f^2, sqrt(1/2) <= 1 + f <= sqrt(2): degree 19, error 2.3e-17.
    static constexpr double log1p[] = {
        -5.000000000000003e-01, 3.333333333333302e-01, -2.4999999999974928e-01, 2.000000000008522e-01,
        -1.666666667135482e-01, 1.4285714279621325e-01, -1.249999960455483e-01, 1.11111110988943e-01,
        -1.0000017936809164e-01, 9.090927445922098e-02, -8.33286412546481e-02, 7.691433141053163e-02,
        -7.149937113787865e-02, 6.685933900551877e-02, -6.1943668264640456e-02, 5.6589788131652725e-02,
        -5.678112296697496e-02, 6.529506602308803e-02, -6.006081298308044e-02, 2.6174000293236282e-02,
    };
    // (u + 4)*e^(u^2/2)*Phi(-u) by (u - 4)/(u + 4), u >= 0: degree 24, error 4.8e-17.
    static constexpr double mills[] = {
        7.552851304157515e-01, -6.078966419718923e-01, 3.87137400742214e-01, -1.865218579596411e-01,
        6.039657489096507e-02, -7.540188967266647e-03, -3.4796923679506426e-03, 1.630818465953973e-03,
        1.3334431829799856e-04, -2.3109500754084272e-04, -1.9082978187352677e-06, 3.514507148632493e-05,
        7.168472979763748e-07, -5.921504379092088e-06, -6.302904999550174e-07, 1.024600769397595e-06,
        2.73190367681351e-07, -1.5956645971663382e-07, -8.76356180834833e-08, 1.769837069408595e-08,
        2.1942785381943105e-08, -5.28397302103144e-10, -3.92868652156918e-09, -1.3028706971110386e-10,
        3.736107178552027e-10,
    };
};

template <class V>
using UInt = Vec<std::make_unsigned_t<IntOf<Element<V>>>, lanes<V>>;

template <class T>
struct Format {
    static constexpr int MANTISSA = std::numeric_limits<T>::digits - 1;
    static constexpr int BIAS = std::numeric_limits<T>::max_exponent - 1;
    static constexpr T INTEGER = T(std::uint64_t{3} << (MANTISSA - 1));  // x + INTEGER has round(x) in its low bits
    static constexpr T LIMIT = sizeof(T) == 4 ? 128 : 800;               // e^-LIMIT·LIMIT is 0 and e^LIMIT ∞,
    static constexpr int UP = sizeof(T) == 4 ? 64 : 512;                 // e^-LIMIT·2^UP is normal
    static constexpr T BELL = sizeof(T) == 4 ? 16 : 40;                  // √(2·LIMIT)
    static constexpr T DOWN = T(sizeof(T) == 4 ? 0x1p-64 : 0x1p-512);    // 2^-UP
};

// c[0] + c[1]·x + c[2]·x² + …
template <int I = 0, class V, int N>
CHAINRULE_INLINE V polynomial(V x, const Element<V> (&c)[N]) {
    if constexpr (I == N - 1)
        return splat<V>(c[I]);
    else
        return fma(x, polynomial<I + 1>(x, c), splat<V>(c[I]));
}

// −|x|.
template <class V>
CHAINRULE_INLINE V minus_abs(V x) {
    return bits<V>(bits<Int<V>>(x) | bits<Int<V>>(splat<V>(Element<V>(-0.0))));
}

// e^x = 2^n·(1 + p).
template <class V>
struct Power {
    UInt<V> n;  // its low bits are n + BIAS + OFFSET
    V p;
};

// n = round(x/ln 2) and p = e^r − 1 with r = x − n·ln 2, where ln 2 is in two parts, n times the first of which is exact
// (Cody and Waite, Software Manual for the Elementary Functions, 1980, chapter 6); |x| ≤ LIMIT. What is in low, far
// below 1, is a part of x that x has no room for.
template <int OFFSET, class V, class... Low>
CHAINRULE_INLINE Power<V> power(V x, Low... low) {
    using T = Element<V>;
    const V integer = splat<V>(Format<T>::INTEGER + T(Format<T>::BIAS + OFFSET));
    const V shifted = fma(x, splat<V>(Table<T>::log2e), integer);
    const V n = shifted - integer;
    const V high = (fma(n, splat<V>(-Table<T>::ln2_high), x) + ... + low);
    const V r = fma(n, splat<V>(-Table<T>::ln2_low), high);
    return {bits<UInt<V>>(shifted), fma(r * r, polynomial(r, Table<T>::expm1), r)};
}

// e^x = s·(1 + p)·2^-UP for −LIMIT ≤ x ≤ 0, with s a normal power of 2 however small e^x is: who multiplies with 2^-UP
// last rounds once, to subnormals too.
template <class V>
struct Decay {
    V s, p;
};

template <class V, class... Low>
CHAINRULE_INLINE Decay<V> decay(V x, Low... low) {
    using F = Format<Element<V>>;
    const Power<V> e = power<F::UP>(x, low...);
    return {bits<V>(e.n << F::MANTISSA), e.p};
}

template <class V, class... Low>
CHAINRULE_INLINE Decay<V> growth(V x, Low... low) {
    using F = Format<Element<V>>;
    const Power<V> e = power<-F::UP>(x, low...);
    return {bits<V>(e.n << F::MANTISSA), e.p};
}

// e^x, with 2^n in two factors, since it may be subnormal, or too large where e^x is not.
template <class V>
CHAINRULE_INLINE V exp(V x) {
    using T = Element<V>;
    using F = Format<T>;
    const Power<V> e = power<F::BIAS>(max(splat<V>(-F::LIMIT), min(splat<V>(F::LIMIT), x)));
    const UInt<V> exponent = bits<UInt<V>>(splat<V>(std::numeric_limits<T>::infinity()));
    const UInt<V> half = (e.n << (F::MANTISSA - 1)) & exponent;
    const V a = bits<V>(half), b = bits<V>((e.n << F::MANTISSA) - half);
    return fma(a, e.p, a) * b;
}

// e^x − 1 = 2·(h·p + (h − ½)) with h = 2^(n−1), which is finite wherever e^x is; x itself where the rest is below ½ ulp.
template <class V>
CHAINRULE_INLINE V expm1(V x) {
    using T = Element<V>;
    using F = Format<T>;
    const V high = splat<V>(T(F::BIAS + 1) * T(0.6932));  // a little above ln 2^(BIAS + 1), where e^x becomes ∞
    const Power<V> e = power<-1>(max(splat<V>(T(-64)), min(high, x)));
    const V h = bits<V>(e.n << F::MANTISSA);
    const V half = fma(h, e.p, h - splat<V>(T(0.5)));
    return abs(x) < splat<V>(std::numeric_limits<T>::epsilon() / 4) ? x : half + half;
}

// ln(1 + f) for √½ ≤ 1 + f ≤ √2.
template <class V>
CHAINRULE_INLINE V log1p_near(V f) {
    return fma(f * f, polynomial(f, Table<Element<V>>::log1p), f);
}

// k + BIAS, where x = 2^k·m with √½ ≤ m < √2, for normal x > 0.
template <class V>
CHAINRULE_INLINE UInt<V> octave(V x) {
    using T = Element<V>;
    using U = UInt<V>;
    const U lift = bits<U>(splat<V>(T(1))) - bits<U>(splat<V>(T(0.70710678118654752)));
    return (bits<U>(x) + lift) >> Format<T>::MANTISSA;
}

// x·2^-k, in the exponent's bits.
template <class V>
CHAINRULE_INLINE V into_octave(V x, UInt<V> k) {
    using F = Format<Element<V>>;
    return bits<V>(bits<UInt<V>>(x) - (k << F::MANTISSA) + bits<UInt<V>>(splat<V>(Element<V>(1))));
}

// (k − bias)·ln 2 + ln(1 + f).
template <class V>
CHAINRULE_INLINE V log_sum(UInt<V> k, V bias, V f) {
    using T = Element<V>;
    const V two = splat<V>(T(std::uint64_t{1} << Format<T>::MANTISSA));  // with k in its low bits it is larger by k
    const V n = bits<V>(k | bits<UInt<V>>(two)) - two - bias;
    return fma(n, splat<V>(Table<T>::ln2_high), fma(n, splat<V>(Table<T>::ln2_low), log1p_near(f)));
}

// ln x for x > 0, by x = 2^k·m; −∞ at 0, NaN below.
template <class V>
CHAINRULE_INLINE V log(V x) {
    using T = Element<V>;
    using F = Format<T>;
    using L = std::numeric_limits<T>;
    const auto tiny = x < splat<V>(L::min());
    const V normal = tiny ? x * splat<V>(1 / L::epsilon()) : x;
    const V bias = tiny ? splat<V>(T(F::BIAS + F::MANTISSA)) : splat<V>(T(F::BIAS));
    const UInt<V> k = octave(normal);
    const V y = log_sum(k, bias, into_octave(normal, k) - splat<V>(T(1)));
    const V outside = x == V{} ? splat<V>(-L::infinity()) : splat<V>(L::quiet_NaN());
    return x < splat<V>(L::infinity()) ? (x > V{} ? y : outside) : x;
}

// ln(1 + x) for x ≥ 0: 1 + x, rounded, says which k, but f = x·2^-k − (1 − 2^-k) is made of x itself.
template <class V>
CHAINRULE_INLINE V log1p(V x) {
    using T = Element<V>;
    using F = Format<T>;
    const V one = splat<V>(T(1));
    const UInt<V> k = octave(one + x);
    const V g = bits<V>(bits<UInt<V>>(splat<V>(T(2))) + bits<UInt<V>>(one) - (k << F::MANTISSA));  // 2^(1−k), or 0
    const V f = into_octave(x, k) + fma(splat<V>(T(0.5)), g, -one);
    return x < splat<V>(std::numeric_limits<T>::infinity()) ? log_sum(k, splat<V>(T(F::BIAS)), f) : x;
}

// σ(z) = 1/(1 + e^−z) and σ′(z) = σ(z)·σ(−z) = o − o², where o = 1/(1 + e^|z|) is the smaller of σ(±z), 1 − o the other.
template <class V>
CHAINRULE_INLINE Slope<V> sigmoid(V z) {
    using F = Format<Element<V>>;
    const V down = splat<V>(F::DOWN), one = splat<V>(Element<V>(1));
    const Decay<V> d = growth(min(splat<V>(F::LIMIT), abs(z)));
    const V o = one / (fma(d.s, d.p, d.s) + down) * down;
    return {z < V{} ? o : one - o, fma(-o, o, o)};
}

// tanh z = −m/(2 + m) with m = e^(−2|z|) − 1, and sech² z = 4·e/(1 + e)² with e = 1 + m, but not summed so, where e is
// small.
template <class V>
CHAINRULE_INLINE Slope<V> tanh(V z) {
    using T = Element<V>;
    using F = Format<T>;
    const V one = splat<V>(T(1)), two = splat<V>(T(2));
    const Decay<V> d = decay(max(splat<V>(-F::LIMIT), two * minus_abs(z)));
    const V s = d.s * splat<V>(F::DOWN);
    const V m = fma(s, d.p, s - one);
    const V q = one / (two + m);
    const V v = fma(d.s, d.p, d.s) * (q * splat<V>(2 * F::DOWN));
    return {copysign(m * q, z), fma(-v, v, v + v)};
}

// ln(1 + e^z) = max(z, 0) + ln(1 + e) with e = e^−|z|, and sigmoid(z).
template <class V>
CHAINRULE_INLINE Slope<V> softplus(V z) {
    using T = Element<V>;
    using F = Format<T>;
    const V down = splat<V>(F::DOWN), one = splat<V>(T(1)), half = splat<V>(T(0.5));
    const Decay<V> d = decay(max(splat<V>(-F::LIMIT), minus_abs(z)));
    const V up = fma(d.s, d.p, d.s);  // 2^UP·e
    const V e = up * down;
    const V q = one / (one + e);
    const auto far = e > splat<V>(T(0.41421356237309505));  // 1 + e > √2: ln(1 + e) = ln 2 + ln(1 + (e − 1)/2)
    const V f = far ? fma(e, half, -half) : e;
    const V log = log1p_near(f) + (far ? splat<V>(T(0.69314718055994531)) : V{});
    return {max(V{}, z) + log, z < V{} ? up * (q * down) : q};
}

// z for z > 0, else e^z − 1; and 1 or e^z.
template <class V>
CHAINRULE_INLINE Slope<V> elu(V z) {
    using F = Format<Element<V>>;
    const V down = splat<V>(F::DOWN);
    const Decay<V> d = decay(max(splat<V>(-F::LIMIT), min(V{}, z)));
    const V s = d.s * down;
    const V m = fma(s, d.p, s - splat<V>(Element<V>(1)));
    return {m < V{} ? m : z, fma(d.s, d.p, d.s) * down};
}

// z·σ(z) = max(z, 0) − a·σ(−a) with a = |z|, σ the sigmoid; its derivative is D = σ(−a)·(1 − a·σ(a)) for z < 0, and
// 1 − D for z > 0.
template <class V>
CHAINRULE_INLINE Slope<V> silu(V z) {
    using F = Format<Element<V>>;
    const V down = splat<V>(F::DOWN), one = splat<V>(Element<V>(1));
    const V a = min(splat<V>(F::LIMIT), abs(z));
    const Decay<V> d = growth(a);
    const V o = one / (fma(d.s, d.p, d.s) + down);  // 2^UP·σ(−a)
    const V D = o * fma(fma(o, down, -one), a, one) * down;
    return {fma(o * a, -down, max(V{}, z)), z < V{} ? D : one - D};
}

// x without the lower half of its bits: the product of two such is exact.
template <class V>
CHAINRULE_INLINE V upper(V x) {
    return bits<V>(bits<UInt<V>>(x) & ~UInt<V>{} << ((Format<Element<V>>::MANTISSA + 2) / 2));
}

// e^(−c·u²) for c·u² ≤ LIMIT and c a power of 2: rounding c·u² would cost as many ulp.
template <class V>
CHAINRULE_INLINE Decay<V> bell(V u, Element<V> c) {
    const V h = upper(u), k = splat<V>(-c);
    return decay(k * h * h, k * (u - h) * (u + h));
}

// e^(u²/2)·Φ(−u) for u ≥ 0. The quotient q = 1/(u + 4) = h + ρ·q has its remainder ρ with it, since its rounding would be
// magnified in t = 1 − 8·q. What is in low is a part of u that u has no room for.
template <class V, class... Low>
CHAINRULE_INLINE V mills(V u, Low... low) {
    using T = Element<V>;
    const V one = splat<V>(T(1)), four = splat<V>(T(4)), minus_eight = splat<V>(T(-8));
    const V a = u + four, a_upper = upper(a), a_rest = ((u - (a_upper - four)) + ... + low);
    const V q = one / a, h = upper(q);
    const V rest = q * ((one - h * a_upper) - h * a_rest);
    const V t = fma(rest, minus_eight, fma(h, minus_eight, one));
    return (h + rest) * polynomial(t, Table<T>::mills);
}

// erfc x = 2·Φ(−√2·x), and 2 − erfc(−x) for x < 0. The product with √2 is taken in two parts.
template <class V>
CHAINRULE_INLINE V erfc(V x) {
    using T = Element<V>;
    using F = Format<T>;
    const V size = min(splat<V>(F::BELL * T(0.7)), abs(x));
    const Decay<V> d = bell(size, T(1));
    const V h = upper(size), root = splat<V>(Table<T>::sqrt2_high);
    const V part = h * root, rest = fma(size - h, root, size * splat<V>(Table<T>::sqrt2_low));
    const V u = part + rest;
    const V g = mills(u, rest - (u - part));
    const V y = fma(g, d.p, g) * d.s * splat<V>(2 * F::DOWN);
    return x < V{} ? splat<V>(T(2)) - y : y;
}

// z·Φ(z) = max(z, 0) − u·Φ(−u) with u = |z|; its derivative is D = Φ(−u) − u·φ(u) for z < 0, and 1 − D for z > 0. Φ is the
// normal distribution function and φ its density, e^(−u²/2)/√(2π).
template <class V>
CHAINRULE_INLINE Slope<V> gelu(V z) {
    using T = Element<V>;
    using F = Format<T>;
    const V down = splat<V>(F::DOWN), one = splat<V>(T(1));
    const V u = min(splat<V>(F::BELL), abs(z));
    const Decay<V> d = bell(u, T(0.5));
    const V g = mills(u), gu = g * u, slope = fma(u, splat<V>(T(-0.39894228040143268)), g);
    const V D = fma(slope, d.p, slope) * d.s * down;
    return {fma(fma(gu, d.p, gu) * d.s, -down, max(V{}, z)), z < V{} ? D : one - D};
}

}  // namespace chainrule::CHAINRULE_ISA

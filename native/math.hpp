// exp, log and what is made of them, for whole vectors: polynomials, one division at most, and selects in place of
// branches.
//
// The errors named here are the largest, in ulp, or where a result is subnormal in the steps there; tests/test_math.cpp
// holds the functions to them, for float and double and with fma in one rounding or two. No function needs more than 4.
// At ±∞ each has its limit, and NaN gives NaN.
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
        4.9999997e-01f, 1.6666543e-01f, 4.1667208e-02f, 8.3665345e-03f, 1.3882449e-03f,
    };
    // (ln(1 + f) - f)/f^2, sqrt(1/2) <= 1 + f <= sqrt(2): degree 8, error 4.4e-09.
    static constexpr float log1p[] = {
        -4.9999988e-01f, 3.3333325e-01f, -2.5001585e-01f, 2.0001979e-01f, -1.660908e-01f, 1.4181805e-01f,
        -1.3243008e-01f, 1.2904537e-01f, -7.621807e-02f,
    };
    // (u + 9/4)*e^(u^2/2)*Phi(-u) by (u - 9/4)/(u + 9/4), u >= 0: degree 12, error 1.6e-08.
    static constexpr float mills[] = {
        6.914337e-01f, -3.863811e-01f, 8.013326e-02f, 2.7838143e-02f, -1.05629e-02f, -5.648142e-03f,
        8.155921e-04f, 1.397659e-03f, 2.7704774e-04f, -2.5820677e-04f, -1.5403712e-04f, 2.2772547e-05f,
        2.8450911e-05f,
    };
};

template <>
struct Table<double> {
    static constexpr double log2e = 1.4426950408889634e+00;
    static constexpr double ln2_high = 6.931471805592082e-01;
    static constexpr double ln2_low = 7.371002565167799e-13;
    static constexpr double sqrt2_high = 1.4142135381698608e+00;
    static constexpr double sqrt2_low = 2.420323420895794e-08;
    // (e^r - 1 - r)/r^2, |r| <= ln(2)/2: degree 9, error 2.9e-17.
    static constexpr double expm1[] = {
        5.000000000000006e-01, 1.666666666666659e-01, 4.166666666657663e-02, 8.33333333338968e-03,
        1.3888888931605583e-03, 1.984126971876748e-04, 2.480150521994573e-05, 2.7557407701856154e-06,
        2.762606102101932e-07, 2.505374718932228e-08,
    };
    // (ln(1 + f) - f)/f^2, sqrt(1/2) <= 1 + f <= sqrt(2): degree 19, error 2.2e-17.
    static constexpr double log1p[] = {
        -5.000000000000003e-01, 3.333333333333302e-01, -2.499999999997493e-01, 2.0000000000085222e-01,
        -1.6666666671354827e-01, 1.428571427962133e-01, -1.2499999604554833e-01, 1.1111111098894301e-01,
        -1.0000017936809165e-01, 9.090927445922098e-02, -8.33286412546481e-02, 7.691433141053163e-02,
        -7.149937113787865e-02, 6.685933900551877e-02, -6.1943668264640456e-02, 5.6589788131652725e-02,
        -5.678112296697496e-02, 6.529506602308803e-02, -6.006081298308044e-02, 2.6174000293236282e-02,
    };
    // (u + 9/4)*e^(u^2/2)*Phi(-u) by (u - 9/4)/(u + 9/4), u >= 0: degree 28, error 5.3e-17.
    static constexpr double mills[] = {
        6.914337184072874e-01, -3.863810608479395e-01, 8.013323879102975e-02, 2.783749861930959e-02,
        -1.0562332387615956e-02, -5.6424062758614075e-03, 8.118614130196679e-04, 1.3750492571698283e-03,
        2.877361611009489e-04, -2.1266624049920483e-04, -1.6753306421740625e-04, -2.6008736940386518e-05,
        3.254886268880813e-05, 2.599510275151832e-05, 5.935648259654464e-06, -4.258136376773329e-06,
        -4.648912075481169e-06, -1.7613991114271793e-06, 1.982960247554754e-07, 6.602099472001674e-07,
        5.742448606989297e-07, 3.071350756658699e-07, -1.2063281384265689e-07, -2.839539483774766e-07,
        -6.984458527923555e-08, 8.544811277550446e-08, 3.929455826810152e-08, -9.980973168883588e-09,
        -6.076805653751685e-09,
    };
};

template <class V>
using UInt = Vec<std::make_unsigned_t<IntOf<Element<V>>>, lanes<V>>;

template <class T>
struct Format {
    static constexpr int MANTISSA = std::numeric_limits<T>::digits - 1;
    static constexpr int BIAS = std::numeric_limits<T>::max_exponent - 1;
    static constexpr T INTEGER = T(std::uint64_t{3} << (MANTISSA - 1));  // x + INTEGER has round(x) in its low bits
    static constexpr T LIMIT = sizeof(T) == 4 ? 128 : 800;               // e^LIMIT is ∞ and LIMIT·e^-LIMIT 0, but
    static constexpr int UP = sizeof(T) == 4 ? 64 : 512;                 // e^LIMIT·2^-UP and e^-LIMIT·2^UP are normal
    static constexpr T DOWN = T(sizeof(T) == 4 ? 0x1p-64 : 0x1p-512);    // 2^-UP
    static constexpr T BELL = sizeof(T) == 4 ? 16 : 40;                  // √(2·LIMIT): e^(−u²/2) beyond is 0
};

// c[0] + c[1]·x + c[2]·x² + …, two terms at a time.
template <int I = 0, class V, int N>
CHAINRULE_INLINE V polynomial(V x, V square, const Element<V> (&c)[N]) {
    if constexpr (I == N - 1) {
        return splat<V>(c[I]);
    } else {
        const V two = fma(x, splat<V>(c[I + 1]), splat<V>(c[I]));
        if constexpr (I == N - 2)
            return two;
        else
            return fma(square, polynomial<I + 2>(x, square, c), two);
    }
}

// −|x|.
template <class V>
CHAINRULE_INLINE V minus_abs(V x) {
    return bits<V>(bits<Int<V>>(x) | bits<Int<V>>(splat<V>(Element<V>(-0.0))));
}

// e^x = 2^n·(1 + p) with n = round(x/ln 2).
template <class V>
struct Power {
    V p, scale;       // scale is 2^(n + OFFSET), where that is a normal number
    UInt<V> shifted;  // its low bits are n + OFFSET + BIAS
};

// p = e^r − 1 with r = x − n·ln 2, for |x| ≤ LIMIT. ln 2 is in two parts, n times the first of which is exact: Cody and
// Waite, Software Manual for the Elementary Functions, 1980, chapter 6. What is in low is a part of x, far below 1,
// that x has no room for. Who multiplies with 2^-OFFSET last rounds once, to subnormals too.
template <int OFFSET, class V, class... Low>
CHAINRULE_INLINE Power<V> power(V x, Low... low) {
    using T = Element<V>;
    using F = Format<T>;
    const V integer = splat<V>(F::INTEGER + T(F::BIAS + OFFSET));
    const V shifted = fma(x, splat<V>(Table<T>::log2e), integer);
    const V n = shifted - integer, ln2_low = splat<V>(-Table<T>::ln2_low);
    V r = fma(n, splat<V>(-Table<T>::ln2_high), x);
    if constexpr (sizeof...(low) == 0)
        r = fma(n, ln2_low, r);
    else
        r += fma(n, ln2_low, low...);
    const V square = r * r;
    const UInt<V> bits_of_n = bits<UInt<V>>(shifted);
    return {fma(square, polynomial(r, square, Table<T>::expm1), r), bits<V>(bits_of_n << F::MANTISSA), bits_of_n};
}

// e^x, 1.5 ulp. 2^n is in two factors, since it may be subnormal, or too large where e^x is not.
template <class V>
CHAINRULE_INLINE V exp(V x) {
    using T = Element<V>;
    using F = Format<T>;
    const Power<V> e = power<F::BIAS>(max(splat<V>(-F::LIMIT), min(splat<V>(F::LIMIT), x)));
    const UInt<V> exponent = bits<UInt<V>>(splat<V>(std::numeric_limits<T>::infinity()));
    const UInt<V> half = (e.shifted << (F::MANTISSA - 1)) & exponent;
    const V a = bits<V>(half), b = bits<V>((e.shifted << F::MANTISSA) - half);
    return fma(a, e.p, a) * b;
}

// e^x − 1 = 2·(h·p + (h − ½)), 2.5 ulp. h = 2^(n−1) is finite wherever e^x is; tiny x is itself, so that −0 stays.
template <class V>
CHAINRULE_INLINE V expm1(V x) {
    using T = Element<V>;
    const V high = splat<V>(T(Format<T>::BIAS + 1) * T(0.6932));  // a little above ln 2^(BIAS + 1), where e^x becomes ∞
    const Power<V> e = power<-1>(max(splat<V>(T(-64)), min(high, x)));
    const V half = fma(e.scale, e.p, e.scale - splat<V>(T(0.5)));
    return abs(x) < splat<V>(std::numeric_limits<T>::epsilon() / 4) ? x : half + half;
}

// ln(1 + f) for √½ ≤ 1 + f ≤ √2.
template <class V>
CHAINRULE_INLINE V log1p_near(V f) {
    const V square = f * f;
    return fma(square, polynomial(f, square, Table<Element<V>>::log1p), f);
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

// ln x by x = 2^k·m, 1.5 ulp; −∞ at 0, NaN below.
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

// ln(1 + x) for x ≥ 0, 2 ulp. 1 + x, rounded, says which k, but f = x·2^-k − (1 − 2^-k) is made of x itself.
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

// σ(z) = 1/(1 + e^−z) and σ′(z) = σ(z)·σ(−z) = o − o², 3 ulp each: o = 1/(1 + e^|z|) is the smaller of σ(±z), so that
// neither 1 − o nor o − o² magnifies its error.
template <class V>
CHAINRULE_INLINE Slope<V> sigmoid(V z) {
    using F = Format<Element<V>>;
    const V down = splat<V>(F::DOWN), one = splat<V>(Element<V>(1));
    const Power<V> e = power<-F::UP>(min(splat<V>(F::LIMIT), abs(z)));
    const V o = one / (fma(e.scale, e.p, e.scale) + down) * down;
    return {z < V{} ? o : one - o, fma(-o, o, o)};
}

// tanh z = (1 − e)/(1 + e) with e = e^(−2|z|), 3 ulp, where 1 − e comes of expm1's sum; sech² z = v·(2 − v) with
// v = 2·e/(1 + e), 4 ulp, where e comes of the product that keeps its digits when e is small.
template <class V>
CHAINRULE_INLINE Slope<V> tanh(V z) {
    using T = Element<V>;
    using F = Format<T>;
    const V one = splat<V>(T(1));
    const Power<V> e = power<F::UP>(max(splat<V>(-F::LIMIT), minus_abs(z) + minus_abs(z)));
    const V s = e.scale * splat<V>(F::DOWN);
    const V m = fma(s, e.p, s - one), q = one / fma(s, e.p, s + one);
    const V v = fma(e.scale, e.p, e.scale) * (q * splat<V>(2 * F::DOWN));
    return {copysign(m * q, z), fma(-v, v, v + v)};
}

// ln(1 + e^z) = max(z, 0) + ln(1 + e) with e = e^−|z|, 2.5 ulp; σ(z), 3 ulp.
template <class V>
CHAINRULE_INLINE Slope<V> softplus(V z) {
    using T = Element<V>;
    using F = Format<T>;
    const V down = splat<V>(F::DOWN), one = splat<V>(T(1)), half = splat<V>(T(0.5));
    const Power<V> p = power<F::UP>(max(splat<V>(-F::LIMIT), minus_abs(z)));
    const V up = fma(p.scale, p.p, p.scale), e = up * down;
    const V q = one / (one + e);
    const auto far = e > splat<V>(T(0.41421356237309505));  // 1 + e > √2: ln(1 + e) = ln 2 + ln(1 + (e − 1)/2)
    const V near = log1p_near(far ? fma(e, half, -half) : e);
    return {max(V{}, z) + (near + (far ? splat<V>(T(0.69314718055994531)) : V{})), z < V{} ? up * (q * down) : q};
}

// z for z > 0, else e^z − 1; 1 for z > 0, else e^z; 1.5 ulp.
template <class V>
CHAINRULE_INLINE Slope<V> elu(V z) {
    using F = Format<Element<V>>;
    const V down = splat<V>(F::DOWN);
    const Power<V> e = power<F::UP>(max(splat<V>(-F::LIMIT), min(V{}, z)));
    const V s = e.scale * down, m = fma(s, e.p, s - splat<V>(Element<V>(1)));
    return {z < V{} ? m : z, fma(e.scale, e.p, e.scale) * down};
}

// z·σ(z) = max(z, 0) − a·o with a = |z| and o = σ(−a), 3 ulp. σ(z) + z·σ′(z) is D = o·(1 − a·(1 − o)) for z < 0, else
// 1 − D, 3.5 ulp of the sum of the terms' sizes: they cancel at z = −1.278.
template <class V>
CHAINRULE_INLINE Slope<V> silu(V z) {
    using F = Format<Element<V>>;
    const V down = splat<V>(F::DOWN), one = splat<V>(Element<V>(1));
    const V a = min(splat<V>(F::LIMIT), abs(z));
    const Power<V> e = power<-F::UP>(a);
    const V o = one / (fma(e.scale, e.p, e.scale) + down);  // 2^UP·σ(−a)
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
CHAINRULE_INLINE Power<V> bell(V u, Element<V> c) {
    const V h = upper(u), k = splat<V>(-c);
    return power<Format<Element<V>>::UP>(k * h * h, k * (u - h) * (u + h));
}

// e^(u²/2)·Φ(−u) = (h + rest)·factor for u ≥ 0, Φ being the normal distribution function.
template <class V>
struct Mills {
    V h, rest, factor;
};

// The quotient q = 1/(u + K) = h + ρ·q is taken in two parts, ρ being the remainder of h, since its rounding would be
// magnified in t = 1 − 2·K·q. What is in low is a part of u that u has no room for.
template <class V, class... Low>
CHAINRULE_INLINE Mills<V> mills(V u, Low... low) {
    using T = Element<V>;
    const V one = splat<V>(T(1)), K = splat<V>(T(2.25)), minus_2K = splat<V>(T(-4.5));
    const V a = u + K, a_upper = upper(a), a_rest = ((u - (a_upper - K)) + ... + low);
    const V q = one / a, h = upper(q);
    const V rest = q * ((one - h * a_upper) - h * a_rest);
    const V t = fma(rest, minus_2K, fma(h, minus_2K, one));
    return {h, rest, fma(t, polynomial<1>(t, t * t, Table<T>::mills), splat<V>(Table<T>::mills[0]))};
}

// erfc x = 2·Φ(−√2·x), and 2 − erfc(−x) for x < 0, 4 ulp. The product with √2 is taken in two parts,
// that of the quotient and the factor in three, the largest of which are exact.
template <class V>
CHAINRULE_INLINE V erfc(V x) {
    using T = Element<V>;
    using F = Format<T>;
    const V size = min(splat<V>(F::BELL * T(0.7)), abs(x));
    const Power<V> e = bell(size, T(1));
    const V h = upper(size), root = splat<V>(Table<T>::sqrt2_high);
    const V part = h * root, rest = fma(size - h, root, size * splat<V>(Table<T>::sqrt2_low));
    const V u = part + rest;
    const Mills<V> m = mills(u, rest - (u - part));
    const V f = upper(m.factor), g = fma(m.h, f, fma(m.h, m.factor - f, m.rest * m.factor));
    const V y = fma(g, e.p, g) * e.scale * splat<V>(2 * F::DOWN);
    return x < V{} ? splat<V>(T(2)) - y : y;
}

// z·Φ(z) = max(z, 0) − u·Φ(−u) with u = |z|, 4 ulp. Φ(z) + z·φ(z) is D = Φ(−u) − u·φ(u) for z < 0, else 1 − D, 4 ulp of
// the sum of the terms' sizes: they cancel at z = −0.752. φ(u) is e^(−u²/2)/√(2π).
template <class V>
CHAINRULE_INLINE Slope<V> gelu(V z) {
    using T = Element<V>;
    using F = Format<T>;
    const V down = splat<V>(F::DOWN), one = splat<V>(T(1));
    const V u = min(splat<V>(F::BELL), abs(z));
    const Power<V> e = bell(u, T(0.5));
    const Mills<V> m = mills(u);
    const V u_upper = upper(u), gu = fma(u_upper, m.h, fma(u - u_upper, m.h, u * m.rest)) * m.factor;
    const V slope = fma(u, splat<V>(T(-0.39894228040143268)), (m.h + m.rest) * m.factor);
    const V D = fma(slope, e.p, slope) * e.scale * down;
    return {fma(fma(gu, e.p, gu) * e.scale, -down, max(V{}, z)), z < V{} ? D : one - D};
}

}  // namespace chainrule::CHAINRULE_ISA

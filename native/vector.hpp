// Vectors of lanes as GCC and Clang provide them, and the few operations that they leave out.
//
// This header and all that include it are compiled once for each instruction set, each time in a namespace of its own:
// a function that two of them shared could be the one that the machine cannot run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace chainrule::CHAINRULE_ISA {

#if defined(__AVX512F__)
inline constexpr int VECTOR_BYTES = 64;
#elif defined(__AVX__)
inline constexpr int VECTOR_BYTES = 32;
#else
inline constexpr int VECTOR_BYTES = 16;
#endif

#define CHAINRULE_INLINE [[gnu::always_inline]] inline

template <class T, int N>
struct VectorOf {
    typedef T type __attribute__((vector_size(N * sizeof(T))));
};

// N lanes of T.
template <class T, int N>
using Vec = typename VectorOf<T, N>::type;

// The number of lanes of T in the machine's widest vector.
template <class T>
inline constexpr int LANES = VECTOR_BYTES / int(sizeof(T));

template <class V>
using Element = std::remove_cvref_t<decltype(std::declval<V&>()[0])>;

template <class V>
inline constexpr int lanes = int(sizeof(V) / sizeof(Element<V>));

template <class T>
using IntOf = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

// As many lanes, of integers as wide: what a comparison of V gives.
template <class V>
using Int = Vec<IntOf<Element<V>>, lanes<V>>;

// x in every lane.
template <class V>
CHAINRULE_INLINE V splat(Element<V> x) {
    return [x]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
        return V{(static_cast<void>(I), x)...};
    }(std::make_integer_sequence<int, lanes<V>>());
}

template <class V>
CHAINRULE_INLINE V load(const Element<V>* p) {
    V v;
    std::memcpy(&v, p, sizeof v);
    return v;
}

template <class V>
CHAINRULE_INLINE void store(Element<V>* p, V v) {
    std::memcpy(p, &v, sizeof v);
}

template <class To, class From>
CHAINRULE_INLINE To bits(From v) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    std::memcpy(&to, &v, sizeof to);
    return to;
}

// The first n lanes from memory, 0 in the others; 0 < n < lanes. Nothing beyond them is read.
template <class V>
CHAINRULE_INLINE V load_first(const Element<V>* p, int n) {
    using T [[maybe_unused]] = Element<V>;
#if defined(__AVX512VL__)
    const unsigned mask = (1u << n) - 1;
    if constexpr (sizeof(V) == 64 && sizeof(T) == 4) return V(_mm512_maskz_loadu_ps(__mmask16(mask), p));
    if constexpr (sizeof(V) == 32 && sizeof(T) == 4) return V(_mm256_maskz_loadu_ps(__mmask8(mask), p));
    if constexpr (sizeof(V) == 16 && sizeof(T) == 4) return V(_mm_maskz_loadu_ps(__mmask8(mask), p));
    if constexpr (sizeof(V) == 64 && sizeof(T) == 8) return V(_mm512_maskz_loadu_pd(__mmask8(mask), p));
    if constexpr (sizeof(V) == 32 && sizeof(T) == 8) return V(_mm256_maskz_loadu_pd(__mmask8(mask), p));
    if constexpr (sizeof(V) == 16 && sizeof(T) == 8) return V(_mm_maskz_loadu_pd(__mmask8(mask), p));
#else
    V v{};
    for (int i = 0; i < lanes<V>; ++i)
        if (i < n) v[i] = p[i];
    return v;
#endif
}

// The first n lanes to memory; nothing beyond them is touched.
template <class V>
CHAINRULE_INLINE void store_first(Element<V>* p, V v, int n) {
    using T [[maybe_unused]] = Element<V>;
#if defined(__AVX512VL__)
    const unsigned mask = (1u << n) - 1;
    if constexpr (sizeof(V) == 64 && sizeof(T) == 4) _mm512_mask_storeu_ps(p, __mmask16(mask), __m512(v));
    if constexpr (sizeof(V) == 32 && sizeof(T) == 4) _mm256_mask_storeu_ps(p, __mmask8(mask), __m256(v));
    if constexpr (sizeof(V) == 16 && sizeof(T) == 4) _mm_mask_storeu_ps(p, __mmask8(mask), __m128(v));
    if constexpr (sizeof(V) == 64 && sizeof(T) == 8) _mm512_mask_storeu_pd(p, __mmask8(mask), __m512d(v));
    if constexpr (sizeof(V) == 32 && sizeof(T) == 8) _mm256_mask_storeu_pd(p, __mmask8(mask), __m256d(v));
    if constexpr (sizeof(V) == 16 && sizeof(T) == 8) _mm_mask_storeu_pd(p, __mmask8(mask), __m128d(v));
#else
    for (int i = 0; i < lanes<V>; ++i)
        if (i < n) p[i] = v[i];
#endif
}

// a·b + c, rounded once where the machine can. It is written out wherever it is meant (the compiler is told not to fuse
// by itself), so that the same sum has the same bits in every kernel.
template <class V>
CHAINRULE_INLINE V fma(V a, V b, V c) {
    using T [[maybe_unused]] = Element<V>;
#if defined(__AVX512F__)
    if constexpr (sizeof(V) == 64 && sizeof(T) == 4) return V(_mm512_fmadd_ps(__m512(a), __m512(b), __m512(c)));
    if constexpr (sizeof(V) == 64 && sizeof(T) == 8) return V(_mm512_fmadd_pd(__m512d(a), __m512d(b), __m512d(c)));
#endif
#if defined(__FMA__)
    if constexpr (sizeof(V) == 32 && sizeof(T) == 4) return V(_mm256_fmadd_ps(__m256(a), __m256(b), __m256(c)));
    if constexpr (sizeof(V) == 32 && sizeof(T) == 8) return V(_mm256_fmadd_pd(__m256d(a), __m256d(b), __m256d(c)));
    if constexpr (sizeof(V) == 16 && sizeof(T) == 4) return V(_mm_fmadd_ps(__m128(a), __m128(b), __m128(c)));
    if constexpr (sizeof(V) == 16 && sizeof(T) == 8) return V(_mm_fmadd_pd(__m128d(a), __m128d(b), __m128d(c)));
#elif defined(__aarch64__)
    if constexpr (sizeof(T) == 4) return V(vfmaq_f32(float32x4_t(c), float32x4_t(a), float32x4_t(b)));
    if constexpr (sizeof(T) == 8) return V(vfmaq_f64(float64x2_t(c), float64x2_t(a), float64x2_t(b)));
#else
    return a * b + c;
#endif
}

template <class V>
CHAINRULE_INLINE V sqrt(V a) {
    using T [[maybe_unused]] = Element<V>;
#if defined(__AVX512F__)
    if constexpr (sizeof(V) == 64 && sizeof(T) == 4) return V(_mm512_maskz_sqrt_ps(__mmask16(-1), __m512(a)));
    if constexpr (sizeof(V) == 64 && sizeof(T) == 8) return V(_mm512_maskz_sqrt_pd(__mmask8(-1), __m512d(a)));
#endif
#if defined(__AVX__)
    if constexpr (sizeof(V) == 32 && sizeof(T) == 4) return V(_mm256_sqrt_ps(__m256(a)));
    if constexpr (sizeof(V) == 32 && sizeof(T) == 8) return V(_mm256_sqrt_pd(__m256d(a)));
#endif
#if defined(__SSE2__)
    if constexpr (sizeof(V) == 16 && sizeof(T) == 4) return V(_mm_sqrt_ps(__m128(a)));
    if constexpr (sizeof(V) == 16 && sizeof(T) == 8) return V(_mm_sqrt_pd(__m128d(a)));
#elif defined(__aarch64__)
    if constexpr (sizeof(T) == 4) return V(vsqrtq_f32(float32x4_t(a)));
    if constexpr (sizeof(T) == 8) return V(vsqrtq_f64(float64x2_t(a)));
#else
    V r;
    for (int i = 0; i < lanes<V>; ++i) r[i] = T(__builtin_sqrt(a[i]));
    return r;
#endif
}

// |a|, and the sign bit alone.
template <class V>
CHAINRULE_INLINE V abs(V a) {
    using I = Int<V>;
    return bits<V>(bits<I>(a) & ~bits<I>(splat<V>(Element<V>(-0.0))));
}

template <class V>
CHAINRULE_INLINE V copysign(V size, V sign) {
    using I = Int<V>;
    const I top = bits<I>(splat<V>(Element<V>(-0.0)));
    return bits<V>((bits<I>(size) & ~top) | (bits<I>(sign) & top));
}

// The larger and the smaller; where either is NaN, b. (So a NaN in b stays.) That is x86's own rule.
template <class V>
CHAINRULE_INLINE V max(V a, V b) {
    using T [[maybe_unused]] = Element<V>;
#if defined(__AVX512F__)
    if constexpr (sizeof(V) == 64 && sizeof(T) == 4) return V(_mm512_maskz_max_ps(__mmask16(-1), __m512(a), __m512(b)));
    if constexpr (sizeof(V) == 64 && sizeof(T) == 8) return V(_mm512_maskz_max_pd(__mmask8(-1), __m512d(a), __m512d(b)));
#endif
#if defined(__AVX__)
    if constexpr (sizeof(V) == 32 && sizeof(T) == 4) return V(_mm256_max_ps(__m256(a), __m256(b)));
    if constexpr (sizeof(V) == 32 && sizeof(T) == 8) return V(_mm256_max_pd(__m256d(a), __m256d(b)));
#endif
#if defined(__SSE2__)
    if constexpr (sizeof(V) == 16 && sizeof(T) == 4) return V(_mm_max_ps(__m128(a), __m128(b)));
    if constexpr (sizeof(V) == 16 && sizeof(T) == 8) return V(_mm_max_pd(__m128d(a), __m128d(b)));
#endif
    return a > b ? a : b;
}

template <class V>
CHAINRULE_INLINE V min(V a, V b) {
    using T [[maybe_unused]] = Element<V>;
#if defined(__AVX512F__)
    if constexpr (sizeof(V) == 64 && sizeof(T) == 4) return V(_mm512_maskz_min_ps(__mmask16(-1), __m512(a), __m512(b)));
    if constexpr (sizeof(V) == 64 && sizeof(T) == 8) return V(_mm512_maskz_min_pd(__mmask8(-1), __m512d(a), __m512d(b)));
#endif
#if defined(__AVX__)
    if constexpr (sizeof(V) == 32 && sizeof(T) == 4) return V(_mm256_min_ps(__m256(a), __m256(b)));
    if constexpr (sizeof(V) == 32 && sizeof(T) == 8) return V(_mm256_min_pd(__m256d(a), __m256d(b)));
#endif
#if defined(__SSE2__)
    if constexpr (sizeof(V) == 16 && sizeof(T) == 4) return V(_mm_min_ps(__m128(a), __m128(b)));
    if constexpr (sizeof(V) == 16 && sizeof(T) == 8) return V(_mm_min_pd(__m128d(a), __m128d(b)));
#endif
    return a < b ? a : b;
}

// The lanes that I names, of a and behind them of b.
template <class V, int... I>
CHAINRULE_INLINE V shuffle(V a, V b, std::integer_sequence<int, I...>) {
#if defined(__clang__)
    return __builtin_shufflevector(a, b, I...);
#else
    return __builtin_shuffle(a, b, Int<V>{I...});
#endif
}

// The sum of the lanes: halves are added, and halves of that.
template <class V, int half = lanes<V> / 2>
CHAINRULE_INLINE Element<V> sum(V a) {
    if constexpr (half == 0)
        return a[0];
    else
        return [a]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
            return sum<V, half / 2>(a + shuffle(a, a, std::integer_sequence<int, (I + half) % lanes<V>...>()));
        }(std::make_integer_sequence<int, lanes<V>>());
}

}  // namespace chainrule::CHAINRULE_ISA

// Which of the compiled engines this machine can run.
#include <cstring>

#include "engine.hpp"

namespace chainrule {

namespace baseline {
template <class T>
std::unique_ptr<Engine<T>> make(const Network& network);
}
namespace avx2 {
template <class T>
std::unique_ptr<Engine<T>> make(const Network& network);
}
namespace avx512 {
template <class T>
std::unique_ptr<Engine<T>> make(const Network& network);
}

std::vector<const char*> instruction_sets() {
    std::vector<const char*> sets{"baseline"};
#if defined(CHAINRULE_HAS_AVX2)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
        __builtin_cpu_supports("bmi2"))
        sets.push_back("avx2");
#endif
#if defined(CHAINRULE_HAS_AVX512)
    if (sets.size() == 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        sets.push_back("avx512");
#endif
    return sets;
}

template <class T>
std::unique_ptr<Engine<T>> make_engine(const char* instruction_set, const Network& network) {
    for (const char* usable : instruction_sets()) {
        if (std::strcmp(usable, instruction_set) != 0) continue;
#if defined(CHAINRULE_HAS_AVX512)
        if (std::strcmp(usable, "avx512") == 0) return avx512::make<T>(network);
#endif
#if defined(CHAINRULE_HAS_AVX2)
        if (std::strcmp(usable, "avx2") == 0) return avx2::make<T>(network);
#endif
        return baseline::make<T>(network);
    }
    return nullptr;
}

template std::unique_ptr<Engine<float>> make_engine<float>(const char* instruction_set, const Network& network);
template std::unique_ptr<Engine<double>> make_engine<double>(const char* instruction_set, const Network& network);

}  // namespace chainrule

// Numbers below the smallest normal one become 0 while training: processors take a hundred times as long over them, and weights
// that a penalty shrinks, or means of gradients that have ended, come to be nothing else.
#pragma once

#include <cstdint>

namespace chainrule::CHAINRULE_ISA {

// So it is in this thread while one of these lives that is told to.
class FlushSubnormals {
public:
    explicit FlushSubnormals(bool flush) : before(read()) {
        if (flush) write(before | FLUSH);
    }
    FlushSubnormals(const FlushSubnormals&) = delete;
    FlushSubnormals& operator=(const FlushSubnormals&) = delete;
    ~FlushSubnormals() { write(before); }

private:
#if defined(__x86_64__) || defined(__i386__)
    using Control = unsigned;
    static constexpr Control FLUSH = 1u << 15;
    static Control read() { return __builtin_ia32_stmxcsr(); }
    static void write(Control control) { __builtin_ia32_ldmxcsr(control); }
#elif defined(__aarch64__)
    using Control = std::uint64_t;
    static constexpr Control FLUSH = Control(1) << 24;
    static Control read() {
        Control control;
        asm volatile("mrs %0, fpcr" : "=r"(control));
        return control;
    }
    static void write(Control control) { asm volatile("msr fpcr, %0" : : "r"(control)); }
#else
    using Control = int;
    static constexpr Control FLUSH = 0;
    static Control read() { return 0; }
    static void write(Control) {}
#endif

    const Control before;
};

}  // namespace chainrule::CHAINRULE_ISA

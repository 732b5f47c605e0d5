// CHECK(condition) counts and goes on; report(), as the last line of main, says how many held.
#pragma once

#include <cstdio>

namespace chainrule::tests {

inline int passed = 0, failed = 0;

inline bool check(bool holds, const char* what, const char* file, int line) {
    ++(holds ? passed : failed);
    if (!holds) std::printf("%s:%d: not so: %s\n", file, line, what);
    return holds;
}

inline int report() {
    std::printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}

}  // namespace chainrule::tests

#define CHECK(...) chainrule::tests::check(bool(__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)

// In place of pool.cpp, for one program: a job gets its threads even where others want the processors and even if it is not
// worth it; but every third job that asks for several gets fewer, since that must change nothing.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "../pool.hpp"

namespace chainrule {

namespace tests {

inline std::atomic<long> jobs_on[64];  // so many threads
inline std::atomic<unsigned> jobs{0};

}  // namespace tests

int processors() { return 4; }

void Barrier::wait() {
    const int now = round.load();
    if (arrived.fetch_add(1) + 1 == n) {
        arrived.store(0);
        round.store(now + 1);
    } else {
        while (round.load() == now) std::this_thread::yield();
    }
}

double in_parallel(int threads, bool, Work work, void* context) {
    if (threads > 2 && tests::jobs++ % 3 == 2) --threads;
    if (threads < 1) threads = 1;
    ++tests::jobs_on[threads];
    Barrier barrier(threads);
    std::vector<std::thread> others;
    for (int t = 1; t < threads; ++t) others.emplace_back(work, context, t, std::ref(barrier));
    work(context, 0, barrier);
    for (std::thread& other : others) other.join();
    return 0;
}

}  // namespace chainrule

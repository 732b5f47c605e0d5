// A small persistent pool of threads, and the barrier at which those of one job meet.
#pragma once

#include <atomic>

namespace chainrule {

// How many processors this process may use.
int processors();

// Where the threads of one job meet.
class Barrier {
public:
    explicit Barrier(int n) : n(n) {}
    Barrier(const Barrier&) = delete;
    Barrier& operator=(const Barrier&) = delete;

    // Wait until all n threads are here; what they wrote before is then seen by all.
    void wait();

    // Nanoseconds that all threads together have waited beyond what they may expect to.
    long overdue() const { return overdue_ns.load(std::memory_order_relaxed); }

    const int n;

private:
    alignas(64) std::atomic<int> arrived{0};
    alignas(64) std::atomic<int> round{0};
    alignas(64) std::atomic<long> overdue_ns{0};
};

using Work = void (*)(void* context, int thread, Barrier& barrier);

// Call work(context, t, barrier) on barrier.n threads, t = 0 … barrier.n − 1, of which the caller's is 0; returns when
// all have. barrier.n is `threads` or, where another caller has the pool or the system gives no more, less: the job
// must come out the same. Waking a thread can take longer than a small job: one that is not `worth_waking` is done alone
// unless the others are still awake from the last one, which they are where such jobs come one upon another.
// Returns the share of the threads' time that was spent waiting for one that did not run: where it is large, others
// want the processors, and one thread is faster.
double in_parallel(int threads, bool worth_waking, Work work, void* context);

}  // namespace chainrule

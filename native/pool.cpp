#include "pool.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#elif defined(__APPLE__)
#include <pthread.h>
#endif

namespace chainrule {

namespace {

inline void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

using Clock = std::chrono::steady_clock;

// Look again and again whether it is so, for some time at the most. (How long one pause is, processors differ in by five.)
template <class Ready>
bool soon(Ready ready, std::chrono::microseconds most) {
    for (Clock::time_point start{};;) {
        for (int i = 0; i < 32; ++i) {
            if (ready()) return true;
            pause();
        }
        const auto now = Clock::now();
        if (start == Clock::time_point{}) start = now;
        if (now - start > most) return false;
    }
}

// Spin for a while, since the others are usually near; then let whoever else wants this processor have it. Returns the
// nanoseconds that took.
template <class Ready>
long spin(Ready ready) {
    if (soon(ready, std::chrono::microseconds(50))) return 0;
    const auto start = Clock::now();
    while (!ready()) std::this_thread::yield();
    return long((Clock::now() - start) / std::chrono::nanoseconds(1));
}

// How long an idle worker looks for its next job before it sleeps: calls that follow one another need no wake-up.
constexpr std::chrono::microseconds IDLE(500);

class Pool {
public:
    // False where the pool is taken. `waited` is what in_parallel returns.
    bool run(int threads, bool worth_waking, Work work, void* context, double& waited) {
        std::unique_lock<std::mutex> mine(taken, std::try_to_lock);
        if (!mine.owns_lock()) return false;
        if (!worth_waking && awake.load(std::memory_order_relaxed) < threads - 1 && !one_upon_another()) return false;
        const int helpers = start(threads - 1);
        if (helpers == 0) return false;
        Barrier barrier(helpers + 1);
        job = {work, context, &barrier};
        unfinished.store(helpers, std::memory_order_relaxed);
        const auto start = Clock::now();
        {
            const std::lock_guard<std::mutex> lock(sleeping);
            wanted = helpers;
            round.fetch_add(1, std::memory_order_release);
        }
        wake.notify_all();
        work(context, 0, barrier);
        const long last = spin([&] { return unfinished.load(std::memory_order_acquire) == 0; });
        const auto all = (Clock::now() - start) / std::chrono::nanoseconds(1);
        const double share = double(barrier.overdue() + last) / (double(all) * barrier.n + 1);
        waited = share < 1 ? share : 1;
        return true;
    }

private:
    // Whether many jobs have lately been refused in quick succession.
    bool one_upon_another() {
        const auto now = Clock::now();
        refused = now - last_refused < std::chrono::microseconds(100) ? refused + 1 : 0;
        last_refused = now;
        return refused >= 16;
    }

    struct Job {
        Work work;
        void* context;
        Barrier* barrier;
    };

    // Have that many helpers, or as many as the system lets us.
    int start(int helpers) {
        while (int(workers.size()) < helpers) {
            try {
                const int t = int(workers.size()) + 1;
                const unsigned seen = round.load(std::memory_order_relaxed);
                workers.emplace_back([this, t, seen] { help(t, seen); });
            } catch (const std::system_error&) {
                break;
            }
        }
        return helpers < int(workers.size()) ? helpers : int(workers.size());
    }

    void help(int t, unsigned seen) {
        for (;;) {
            awake.fetch_add(1, std::memory_order_relaxed);
            soon([&] { return round.load(std::memory_order_acquire) != seen; }, IDLE);
            awake.fetch_sub(1, std::memory_order_relaxed);
            {
                std::unique_lock<std::mutex> lock(sleeping);
                wake.wait(lock, [&] { return round.load(std::memory_order_acquire) != seen; });
                seen = round.load(std::memory_order_relaxed);
                if (t > wanted) continue;
            }
            job.work(job.context, t, *job.barrier);
            unfinished.fetch_sub(1, std::memory_order_release);
        }
    }

    std::mutex taken;
    std::mutex sleeping;
    std::condition_variable wake;
    int wanted = 0;  // under `sleeping`
    std::atomic<unsigned> round{0};
    std::atomic<int> unfinished{0};
    std::atomic<int> awake{0};  // helpers that look for a job
    int refused = 0;            // these two under `taken`
    Clock::time_point last_refused{};
    Job job{};
    std::vector<std::thread> workers;  // never joined: the pool lives as long as the process
};

std::atomic<Pool*> pool{nullptr};

// Never destroyed, so that a thread that still trains while the process ends loses nothing under its feet. After a fork
// the child has none of the threads: it gets a pool of its own.
Pool& the_pool() {
    Pool* now = pool.load(std::memory_order_acquire);
    if (now != nullptr) return *now;
#if defined(__linux__) || defined(__APPLE__)
    static const int registered = pthread_atfork(nullptr, nullptr, [] { pool.store(nullptr); });
    (void)registered;
#endif
    auto fresh = std::make_unique<Pool>();
    Pool* none = nullptr;
    if (pool.compare_exchange_strong(none, fresh.get(), std::memory_order_acq_rel)) return *fresh.release();
    return *none;
}

}  // namespace

int processors() {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
    const unsigned n = std::thread::hardware_concurrency();
    return n ? int(n) : 1;
}

void Barrier::wait() {
    if (n == 1) return;
    const int now = round.load(std::memory_order_relaxed);
    if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == n) {
        arrived.store(0, std::memory_order_relaxed);
        round.store(now + 1, std::memory_order_release);
    } else {
        const long late = spin([&] { return round.load(std::memory_order_acquire) != now; });
        if (late) overdue_ns.fetch_add(late, std::memory_order_relaxed);
    }
}

double in_parallel(int threads, bool worth_waking, Work work, void* context) {
    double waited = 0;
    if (threads > 1 && the_pool().run(threads, worth_waking, work, context, waited)) return waited;
    Barrier alone(1);
    work(context, 0, alone);
    return 0;
}

}  // namespace chainrule

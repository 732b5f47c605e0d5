// in_parallel and Barrier: every thread's part is done once and seen, whoever else wants the pool, however often and
// after whatever pause, and in a forked process too.
#include "../pool.hpp"

#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include "check.hpp"
#include "given.hpp"

#if defined(__linux__) || defined(__APPLE__)
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace {

using namespace chainrule;
using namespace chainrule::tests;

// One job: each thread counts itself, then sums up, after the barrier, what the others have left in plain memory; so a
// number for each round.
struct Job {
    static constexpr int MOST = 64;

    int rounds = 1;
    long calls[MOST] = {};
    long mark[MOST] = {};
    long sums[MOST] = {};
    int n[MOST] = {};

    static void work(void* context, int t, Barrier& barrier) {
        Job& job = *static_cast<Job*>(context);
        ++job.calls[t];
        job.n[t] = barrier.n;
        for (int round = 1; round <= job.rounds; ++round) {
            job.mark[t] = round + t;
            barrier.wait();
            for (int other = 0; other < barrier.n; ++other) job.sums[t] += job.mark[other];
            barrier.wait();
        }
    }

    // Whether all went as it must with that many threads on offer; and how many were used.
    int go(int threads, bool worth_waking = true) {
        const double waited = in_parallel(threads, worth_waking, work, this);
        const int used = n[0];
        bool holds = used >= 1 && used <= (threads < 1 ? 1 : threads) && waited >= 0 && waited <= 1;
        long sum = 0;
        for (long round = 1; round <= rounds; ++round) sum += round * used + used * (used - 1) / 2;
        for (int t = 0; t < MOST; ++t)
            holds = holds && calls[t] == (t < used) && n[t] == (t < used ? used : 0) && sums[t] == (t < used ? sum : 0);
        return holds ? used : 0;
    }
};

void every_thread_does_its_part_once() {
    for (const int threads : {1, 2, 3, 4, 1, 2}) {
        Job job;
        job.rounds = 20;
        CHECK(job.go(threads) == threads);
    }
    for (const int threads : {0, -1, 1}) CHECK(Job().go(threads) == 1);
}

void more_threads_than_processors() {
    for (const int threads : {7, 32, 5, 32}) {
        Job job;
        job.rounds = 5;
        CHECK(job.go(threads) == threads);
    }
}

void many_calls_follow_one_another() {
    bool holds = true;
    for (int i = 0; i < 1000; ++i) {
        const int threads = 1 + i % 4;  // helpers are left out and come back
        Job job;
        job.rounds = i % 3;
        holds = holds && job.go(threads) == threads;
    }
    CHECK(holds);
}

void the_pool_wakes_after_a_pause() {
    for (const int milliseconds : {1, 20, 100}) {
        std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
        CHECK(Job().go(4) == 4);
    }
}

// Small ones are done alone, or by all where many follow one another.
void jobs_that_are_not_worth_waking() {
    bool holds = true;
    for (int i = 0; i < 300; ++i) {
        const int used = Job().go(3, false);
        holds = holds && (used == 1 || used == 3);
    }
    CHECK(holds);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    CHECK(Job().go(3, false) > 0);
}

// Those who find it taken do their jobs alone.
void several_callers_at_once() {
    constexpr int CALLERS = 5;
    bool holds[CALLERS];
    std::vector<std::thread> callers;
    for (bool& own : holds)
        callers.emplace_back([&own] {
            own = true;
            for (int i = 0; i < 100; ++i) {
                Job job;
                job.rounds = 2;
                own = job.go(2 + i % 3) > 0 && own;
            }
        });
    for (std::thread& caller : callers) caller.join();
    for (const bool own : holds) CHECK(own);
}

void a_job_may_call_for_another() {
    struct Outer {
        int inner[4] = {};
        static void work(void* context, int t, Barrier& barrier) {
            static_cast<Outer*>(context)->inner[t] = Job().go(3);
            barrier.wait();
        }
    } outer;
    in_parallel(4, true, Outer::work, &outer);
    for (const int used : outer.inner) CHECK(used == 1);
    CHECK(Job().go(4) == 4);
}

void a_barrier_of_one_holds_nobody_up() {
    Barrier barrier(1);
    for (int i = 0; i < 3; ++i) barrier.wait();
    CHECK(barrier.n == 1);
}

// A job beside which other threads call and return all the time, and others end.
void callers_come_and_go() {
    for (int i = 0; i < 20; ++i) {
        bool other = false;
        std::thread caller([&other] { other = Job().go(3) > 0; });
        CHECK(Job().go(4) > 0);
        caller.join();
        CHECK(other);
    }
}

#if (defined(__linux__) || defined(__APPLE__)) && !defined(CHAINRULE_SANITIZE_THREAD)
// Whether a child, forked now, gets the same from the pool; and a child of the child.
int in_a_child(int generations) {
    const pid_t child = fork();
    if (child == 0) {
        bool holds = Job().go(4) == 4 && Job().go(2) == 2;
        if (generations > 1) holds = in_a_child(generations - 1) == 0 && holds;
        _exit(!holds);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void a_forked_process_has_a_pool_of_its_own() {
    if (std::getenv("CHAINRULE_EMULATED") != nullptr) return;  // which QEMU's user mode cannot do
    CHECK(in_a_child(2) == 0);
    CHECK(Job().go(4) == 4);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // while the helpers sleep
    CHECK(in_a_child(1) == 0);
    // while another thread has the pool
    struct Forking {
        int status = -1;
        static void work(void* context, int t, Barrier& barrier) {
            if (t == 0) static_cast<Forking*>(context)->status = in_a_child(1);
            barrier.wait();
        }
    } forking;
    in_parallel(4, true, Forking::work, &forking);
    CHECK(forking.status == 0);
    CHECK(Job().go(4) == 4);
}
#endif

}  // namespace

int main() {
    CHECK(processors() >= 1);
    every_thread_does_its_part_once();
    many_calls_follow_one_another();
    the_pool_wakes_after_a_pause();
    jobs_that_are_not_worth_waking();
    several_callers_at_once();
    a_job_may_call_for_another();
    callers_come_and_go();
    a_barrier_of_one_holds_nobody_up();
#if (defined(__linux__) || defined(__APPLE__)) && !defined(CHAINRULE_SANITIZE_THREAD)
    a_forked_process_has_a_pool_of_its_own();
#endif
    more_threads_than_processors();  // last: from now on they wake for every job
    return report();
}

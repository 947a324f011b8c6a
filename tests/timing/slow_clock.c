/* A clock that misses a part of the time: preload it, with SLOW_CLOCK=0.25 for a quarter.

   Both clocks start where the true ones are when they are first asked, and go on more slowly. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

typedef int (*clock_gettime_t)(clockid_t, struct timespec *);

static clock_gettime_t truly(void) {
    static clock_gettime_t found;
    if (!found) found = (clock_gettime_t)dlsym(RTLD_NEXT, "clock_gettime");
    return found;
}

static double rate(void) {
    static double found = -1;
    if (found < 0) {
        const char *slow = getenv("SLOW_CLOCK");
        found = slow ? 1 - atof(slow) : 1;
    }
    return found;
}

static long long now(clockid_t clock) {
    struct timespec at;
    truly()(clock, &at);
    return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static long long slowed(clockid_t clock) {
    static long long began[2];
    int which = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ? 0 : 1;
    long long at = now(which ? CLOCK_MONOTONIC : CLOCK_REALTIME);
    if (!began[which]) began[which] = at;
    return began[which] + (long long)((at - began[which]) * rate());
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    switch (clock) {
    case CLOCK_REALTIME: case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC: case CLOCK_MONOTONIC_COARSE: case CLOCK_MONOTONIC_RAW: {
        long long slow = slowed(clock);
        at->tv_sec = slow / 1000000000LL;
        at->tv_nsec = slow % 1000000000LL;
        return 0;
    }
    default:
        return truly()(clock, at);
    }
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    (void)zone;
    long long slow = slowed(CLOCK_REALTIME);
    at->tv_sec = slow / 1000000000LL;
    at->tv_usec = slow % 1000000000LL / 1000;
    return 0;
}

time_t time(time_t *at) {
    time_t slow = slowed(CLOCK_REALTIME) / 1000000000LL;
    if (at) *at = slow;
    return slow;
}

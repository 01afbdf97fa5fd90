/* Loaded into every process of a system (LD_PRELOAD), so that its clock can be set and its disk made slow while the
   machine's own stay as they are. The file that DARKROOM_FAULTS names holds two doubles: how many seconds the clock is
   ahead, and by how many seconds each renaming of a file, which is how blobs are kept, is late. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile double *knobs;

__attribute__((constructor)) static void attach(void) {
    const char *name = getenv("DARKROOM_FAULTS");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *mapped = mmap(NULL, 2 * sizeof(double), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED) knobs = mapped;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    int failed = syscall(SYS_clock_gettime, clock, at);
    if (!failed && knobs && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) at->tv_sec += (time_t)knobs[0];
    return failed;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    (void)zone;
    struct timespec exact;
    int failed = clock_gettime(CLOCK_REALTIME, &exact);
    if (!failed && at) *at = (struct timeval){exact.tv_sec, exact.tv_nsec / 1000};
    return failed;
}

time_t time(time_t *at) {
    struct timespec exact;
    if (clock_gettime(CLOCK_REALTIME, &exact)) return -1;
    if (at) *at = exact.tv_sec;
    return exact.tv_sec;
}

int rename(const char *from, const char *to) {
    if (knobs && knobs[1] > 0) usleep((useconds_t)(knobs[1] * 1e6));
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/codec/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "sensors/core/bytes.h"

enum {
    MEMORY_MAX =
        64 << 20,        /* on top of what the program itself maps: heaps, sources, messages */
    STACK_MAX = 8 << 20, /* the engine's own limit of recursion ends at a quarter of it */
};

/* One filter per instruction set: numbers of system calls mean nothing without it. */
#if defined(__x86_64__)
#define SANDBOX_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SANDBOX_ARCH AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define SANDBOX_ARCH AUDIT_ARCH_ARM
#elif defined(__i386__)
#define SANDBOX_ARCH AUDIT_ARCH_I386
#elif defined(__riscv) && __riscv_xlen == 64
#define SANDBOX_ARCH AUDIT_ARCH_RISCV64
#else
#error "sandbox.c: name the AUDIT_ARCH of this instruction set"
#endif

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "sandbox.c: the filter reads the low half of an argument first"
#endif

#define ALLOW_CALL(nr) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
/* Memory that is not to be executed: the third argument has no PROT_EXEC. */
#define ALLOW_DATA_PAGES(nr) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 4), \
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, args[2])), \
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0), \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW), \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

static const struct sock_filter filter[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, arch)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SANDBOX_ARCH, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, nr)),
    ALLOW_CALL(__NR_read),
    ALLOW_CALL(__NR_write),
    ALLOW_CALL(__NR_setitimer),
    ALLOW_CALL(__NR_brk),
    ALLOW_CALL(__NR_munmap),
    ALLOW_CALL(__NR_mremap),
    ALLOW_CALL(__NR_madvise),
    ALLOW_CALL(__NR_rt_sigreturn),
    ALLOW_CALL(__NR_restart_syscall),
    ALLOW_CALL(__NR_exit),
    ALLOW_CALL(__NR_exit_group),
#ifdef __NR_clock_gettime
    ALLOW_CALL(__NR_clock_gettime),
#endif
#ifdef __NR_clock_gettime64
    ALLOW_CALL(__NR_clock_gettime64),
#endif
#ifdef __NR_gettimeofday
    ALLOW_CALL(__NR_gettimeofday),
#endif
    ALLOW_DATA_PAGES(__NR_mprotect),
#ifdef __NR_mmap2
    ALLOW_DATA_PAGES(__NR_mmap2),
#else
    ALLOW_DATA_PAGES(__NR_mmap),
#endif
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
};

static int set_limit(int resource, rlim_t max)
{
    struct rlimit r;

    if (getrlimit(resource, &r) < 0)
        return -errno;
    if (r.rlim_max != RLIM_INFINITY && r.rlim_max < max)
        max = r.rlim_max;
    r = (struct rlimit){ .rlim_cur = max, .rlim_max = max };
    return setrlimit(resource, &r) < 0 ? -errno : 0;
}

/* Bytes of address space in use; the first number of statm is in pages. */
static rlim_t mapped_bytes(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (!f)
        return 0;
    if (fscanf(f, "%lu", &pages) != 1)
        pages = 0;
    fclose(f);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static int limit_memory(void)
{
    const rlim_t mapped = mapped_bytes();

    return mapped > 0 ? set_limit(RLIMIT_AS, mapped + MEMORY_MAX) : -ENOENT;
}

/* Standard descriptors read and write nothing; with the sanitizers stderr keeps its owner. */
static int close_files(int keep)
{
    const int null = open("/dev/null", O_RDWR);

    for (int fd = 0; null >= 0 && fd < 3 - SANDBOX_IS_RELAXED; fd++)
        if (fd != null && dup2(null, fd) < 0)
            return -errno;
    if (null < 0 || (keep > 3 && close_range(3, (unsigned)keep - 1, 0) < 0) ||
        close_range((unsigned)keep + 1, ~0U, 0) < 0)
        return -errno;
    return 0;
}

static int limit_resources(void)
{
    static const struct {
        int resource;
        rlim_t max;
    } limits[] = {
        { RLIMIT_CORE, 0 },  { RLIMIT_FSIZE, 0 },         { RLIMIT_NOFILE, 0 },
        { RLIMIT_NPROC, 0 }, { RLIMIT_STACK, STACK_MAX },
    };
    int err = 0;

    for (size_t i = 0; !err && i < sizeof limits / sizeof limits[0]; i++)
        err = set_limit(limits[i].resource, limits[i].max);
    return err;
}

/* The file of a zone is looked for once, now: afterwards no file can be opened. */
static int drop_environment(void)
{
    if (clearenv() != 0 || setenv("TZ", "UTC0", 1) < 0)
        return -ENOMEM;
    tzset();
    return 0;
}

static int filter_calls(void)
{
    const struct sock_fprog program = { .len = sizeof filter / sizeof filter[0],
                                        .filter = (struct sock_filter *)filter };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        return -errno;
    return 0;
}

static int obey_time(void)
{
    sigset_t all;

    sigfillset(&all);
    if (signal(SIGPROF, SIG_DFL) == SIG_ERR || sigprocmask(SIG_UNBLOCK, &all, NULL) < 0 ||
        prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, SANDBOX_IS_RELAXED) < 0)
        return -errno;
    return 0;
}

int sandbox_enter(int keep, const char **ret_step)
{
    int err;

    *ret_step = "the environment";
    if ((err = drop_environment()) < 0)
        return err;
    *ret_step = "signals";
    if ((err = obey_time()) < 0)
        return err;
    *ret_step = "the limit of memory";
    if (!SANDBOX_IS_RELAXED && (err = limit_memory()) < 0)
        return err;
    *ret_step = "files";
    if ((err = close_files(keep)) < 0)
        return err;
    *ret_step = "limits of resources";
    if ((err = limit_resources()) < 0)
        return err;
    *ret_step = "the filter of system calls (seccomp)";
    return SANDBOX_IS_RELAXED ? 0 : filter_calls();
}

void sandbox_arm(int cpu_ms)
{
    const int ms = cpu_ms * SANDBOX_SLOWNESS;
    const struct itimerval t = { .it_value = { ms / 1000, ms % 1000 * 1000 } };

    setitimer(ITIMER_PROF, &t, NULL);
}

// Makes the k-th call of one kind fail, come short or kill, in a program that is started with this library in LD_PRELOAD.
//
//     FAIL_CALL   open create read write pread pwrite fsync close mmap rename mkdir unlink truncate; "" only counts
//     FAIL_AT     the number of the call, from 1
//     FAIL_HOW    a number of an error; "short" for one byte; "kill" for SIGKILL before the call, "killed" behind it
//     FAIL_LAST   the number of the last call that fails so; 0 for ever
//     FAIL_QUOTA  bytes that files may take in all; then ENOSPC
//     FAIL_NOTE   a file of at least 4,096 bytes that says what came: see struct note
//
// Counted are calls for files of the user: standard input and output, and paths outside /proc, /sys, /dev (but /dev/shm) and /etc. Reading
// and writing opens are two kinds; a call that is done through several functions (write, writev, fallocate …) is one kind.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <dlfcn.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { OPEN, CREATE, READ, WRITE, PREAD, PWRITE, FSYNC, CLOSE, MMAP, RENAME, MKDIR, UNLINK, TRUNCATE, KINDS };
static const char *const names[KINDS] = {
    "open", "create", "read", "write", "pread", "pwrite", "fsync", "close", "mmap", "rename", "mkdir", "unlink", "truncate"};

struct note {
    _Atomic long counts[KINDS]; // calls of each kind
    _Atomic long failed;        // calls that were made to fail
    _Atomic long dirty;         // of those, calls on a file that was written and not synced since
    char path[1024];            // of the first of them
    char last_path[1024];       // of the last of them
};

enum { DESCRIPTORS = 4096, PATH = 512 };
static struct note *note, unnoted;
static char paths[DESCRIPTORS][PATH]; // empty: not counted
static _Atomic char dirty[DESCRIPTORS];
static _Atomic long long room = -1;
static int wanted = -1, error, is_short, kills; // kills: 1 before, 2 behind
static long first, last;

__attribute__((constructor)) static void begin(void) {
    note = &unnoted;
    const char *value = getenv("FAIL_NOTE");
    const int file = value ? open(value, O_RDWR) : -1;
    if (file >= 0) {
        void *(*map)(void *, size_t, int, int, int, off_t) = dlsym(RTLD_NEXT, "mmap");
        void *shared = map(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (shared != MAP_FAILED) note = shared;
        close(file);
    }
    memset(note, 0, sizeof *note);
    strcpy(paths[0], "<stdin>");
    strcpy(paths[1], "<stdout>");
    value = getenv("FAIL_CALL");
    for (int kind = 0; value && kind < KINDS; kind++)
        if (strcmp(value, names[kind]) == 0) wanted = kind;
    first = (value = getenv("FAIL_AT")) ? atol(value) : 1;
    last = (value = getenv("FAIL_LAST")) ? atol(value) : first;
    value = getenv("FAIL_HOW");
    is_short = value && strcmp(value, "short") == 0;
    kills = !value ? 0 : strcmp(value, "kill") == 0 ? 1 : strcmp(value, "killed") == 0 ? 2 : 0;
    error = value ? atoi(value) : 0;
    if ((value = getenv("FAIL_QUOTA"))) room = atoll(value);
    // A process that this one starts is another's.
    unsetenv("LD_PRELOAD");
}

// What to do with a call: 0 let it pass, 1 fail, 2 one byte, 3 kill behind it.
static int judge(enum kind kind, const char *path, int descriptor) {
    if (note == NULL || path == NULL || path[0] == 0) return 0;
    const long number = atomic_fetch_add(&note->counts[kind], 1) + 1;
    if ((int)kind != wanted || number < first || (last > 0 && number > last)) return 0;
    if (atomic_fetch_add(&note->failed, 1) == 0) snprintf(note->path, sizeof note->path, "%s", path);
    snprintf(note->last_path, sizeof note->last_path, "%s", path);
    if (descriptor >= 0 && descriptor < DESCRIPTORS && dirty[descriptor]) note->dirty++;
    if (kills == 1) kill(getpid(), SIGKILL);
    if (kills == 2) return 3;
    if (is_short) return 2;
    errno = error;
    return 1;
}

static const char *path_of(int descriptor) { return descriptor >= 0 && descriptor < DESCRIPTORS ? paths[descriptor] : ""; }

static int is_users(const char *path) {
    if (strncmp(path, "/dev/shm/", 9) == 0) return 1;
    static const char *const others[] = {"/proc/", "/sys/", "/dev/", "/etc/", "/usr/", "/lib/"};
    for (size_t each = 0; each < sizeof others / sizeof *others; each++)
        if (strncmp(path, others[each], strlen(others[each])) == 0) return 0;
    return 1;
}

static void taken(long long bytes, int descriptor) {
    if (descriptor >= 0 && descriptor < DESCRIPTORS) dirty[descriptor] = 1;
    if (room >= 0) room -= bytes;
}

// Bytes that fit; -1 with ENOSPC where none do. Standard output is no file.
static long long fitting(long long bytes, int descriptor) {
    if (room < 0 || descriptor == 1 || path_of(descriptor)[0] == 0 || bytes <= 0) return bytes;
    const long long left = room;
    if (left <= 0) {
        errno = ENOSPC;
        return -1;
    }
    return bytes < left ? bytes : left;
}

#define NEXT(type, name, ...) \
    static type (*next)(__VA_ARGS__); \
    if (next == NULL) next = dlsym(RTLD_NEXT, name)
#define DONE(act) do { if ((act) == 3) kill(getpid(), SIGKILL); } while (0)

static int opened(int folder, const char *path, int flags, mode_t mode) {
    NEXT(int, "openat64", int, const char *, int, ...);
    const char *users = is_users(path) ? path : "";
    const int act = judge(flags & (O_CREAT | O_WRONLY | O_RDWR) ? CREATE : OPEN, users, -1);
    if (act == 1) return -1;
    const int descriptor = next(folder, path, flags, mode);
    if (descriptor >= 0 && descriptor < DESCRIPTORS) {
        snprintf(paths[descriptor], PATH, "%s", users);
        dirty[descriptor] = 0;
    }
    DONE(act);
    return descriptor;
}

#define MODE(flags) \
    va_list rest; \
    va_start(rest, flags); \
    const mode_t mode = (flags) & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest)
int open(const char *path, int flags, ...) { MODE(flags); return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags); return opened(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE(flags); return opened(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE(flags); return opened(folder, path, flags, mode); }

// A copy of a descriptor is the same file.
static int copied(int from, int to) {
    if (to > 2 && to < DESCRIPTORS && to != from) {
        memcpy(paths[to], path_of(from), strlen(path_of(from)) + 1);
        dirty[to] = from < DESCRIPTORS && dirty[from];
    }
    return to;
}
int dup(int descriptor) { NEXT(int, "dup", int); return copied(descriptor, next(descriptor)); }
int fcntl64(int descriptor, int command, ...) {
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    NEXT(int, "fcntl64", int, int, ...);
    const int result = next(descriptor, command, argument);
    return command == F_DUPFD_CLOEXEC || command == F_DUPFD ? copied(descriptor, result) : result;
}
int fcntl(int descriptor, int command, ...) {
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    return fcntl64(descriptor, command, argument);
}

ssize_t read(int descriptor, void *bytes, size_t count) {
    NEXT(ssize_t, "read", int, void *, size_t);
    const int act = judge(READ, path_of(descriptor), descriptor);
    if (act == 1) return -1;
    const ssize_t got = next(descriptor, bytes, act == 2 && count > 1 ? 1 : count);
    DONE(act);
    return got;
}

static ssize_t pread_(int descriptor, void *bytes, size_t count, off_t at) {
    NEXT(ssize_t, "pread64", int, void *, size_t, off_t);
    const int act = judge(PREAD, path_of(descriptor), descriptor);
    if (act == 1) return -1;
    const ssize_t got = next(descriptor, bytes, act == 2 && count > 1 ? 1 : count, at);
    DONE(act);
    return got;
}
ssize_t pread(int descriptor, void *bytes, size_t count, off_t at) { return pread_(descriptor, bytes, count, at); }
ssize_t pread64(int descriptor, void *bytes, size_t count, off64_t at) { return pread_(descriptor, bytes, count, at); }

ssize_t write(int descriptor, const void *bytes, size_t count) {
    NEXT(ssize_t, "write", int, const void *, size_t);
    const int act = judge(WRITE, path_of(descriptor), descriptor);
    if (act == 1) return -1;
    const long long fits = fitting(act == 2 && count > 1 ? 1 : (long long)count, descriptor);
    if (fits < 0) return -1;
    const ssize_t sent = next(descriptor, bytes, (size_t)fits);
    if (sent > 0) taken(sent, descriptor);
    DONE(act);
    return sent;
}

ssize_t writev(int descriptor, const struct iovec *pieces, int count) {
    NEXT(ssize_t, "writev", int, const struct iovec *, int);
    const int act = judge(WRITE, path_of(descriptor), descriptor);
    if (act == 1) return -1;
    long long whole = 0;
    for (int each = 0; each < count; each++) whole += (long long)pieces[each].iov_len;
    const long long fits = fitting(act == 2 && whole > 1 ? 1 : whole, descriptor);
    if (fits < 0) return -1;
    ssize_t sent;
    if (fits == whole) {
        sent = next(descriptor, pieces, count);
    } else {
        int piece = 0;
        while (pieces[piece].iov_len == 0) piece++;
        const size_t length = (size_t)fits < pieces[piece].iov_len ? (size_t)fits : pieces[piece].iov_len;
        const struct iovec part = {pieces[piece].iov_base, length};
        sent = next(descriptor, &part, 1);
    }
    if (sent > 0) taken(sent, descriptor);
    DONE(act);
    return sent;
}

static ssize_t pwrite_(int descriptor, const void *bytes, size_t count, off_t at) {
    NEXT(ssize_t, "pwrite64", int, const void *, size_t, off_t);
    const int act = judge(PWRITE, path_of(descriptor), descriptor);
    if (act == 1) return -1;
    const long long fits = fitting(act == 2 && count > 1 ? 1 : (long long)count, descriptor);
    if (fits < 0) return -1;
    const ssize_t sent = next(descriptor, bytes, (size_t)fits, at);
    if (sent > 0) taken(sent, descriptor);
    DONE(act);
    return sent;
}
ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t at) { return pwrite_(descriptor, bytes, count, at); }
ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t at) { return pwrite_(descriptor, bytes, count, at); }

static int synced(int descriptor, int act, int (*next)(int)) {
    if (act == 1) return -1;
    const int result = next(descriptor);
    if (result == 0 && descriptor < DESCRIPTORS) dirty[descriptor] = 0;
    DONE(act);
    return result;
}
int fsync(int descriptor) {
    NEXT(int, "fsync", int);
    return synced(descriptor, judge(FSYNC, path_of(descriptor), descriptor), next);
}
int fdatasync(int descriptor) {
    NEXT(int, "fdatasync", int);
    return synced(descriptor, judge(FSYNC, path_of(descriptor), descriptor), next);
}

int close(int descriptor) {
    NEXT(int, "close", int);
    const int act = judge(CLOSE, path_of(descriptor), descriptor), code = errno;
    if (descriptor > 2 && descriptor < DESCRIPTORS) paths[descriptor][0] = 0;
    // Closed all the same, as Linux does.
    const int result = next(descriptor);
    DONE(act);
    if (act != 1) return result;
    errno = code;
    return -1;
}

static void *mapped(void *place, size_t size, int protection, int flags, int descriptor, off_t at) {
    NEXT(void *, "mmap64", void *, size_t, int, int, int, off_t);
    const int act = flags & MAP_ANONYMOUS ? 0 : judge(MMAP, path_of(descriptor), descriptor);
    if (act == 1) return MAP_FAILED;
    void *result = next(place, size, protection, flags, descriptor, at);
    DONE(act);
    return result;
}
void *mmap(void *place, size_t size, int protection, int flags, int descriptor, off_t at) {
    return mapped(place, size, protection, flags, descriptor, at);
}
void *mmap64(void *place, size_t size, int protection, int flags, int descriptor, off64_t at) {
    return mapped(place, size, protection, flags, descriptor, at);
}

int rename(const char *from, const char *to) {
    NEXT(int, "rename", const char *, const char *);
    const int act = judge(RENAME, to, -1);
    if (act == 1) return -1;
    const int result = next(from, to);
    DONE(act);
    return result;
}
int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    NEXT(int, "renameat2", int, const char *, int, const char *, unsigned);
    const int act = judge(RENAME, to, -1);
    if (act == 1) return -1;
    const int result = next(from_folder, from, to_folder, to, flags);
    DONE(act);
    return result;
}

int mkdir(const char *path, mode_t mode) {
    NEXT(int, "mkdir", const char *, mode_t);
    const int act = judge(MKDIR, path, -1);
    if (act == 1) return -1;
    const int result = next(path, mode);
    DONE(act);
    return result;
}

int unlink(const char *path) {
    NEXT(int, "unlink", const char *);
    const int act = judge(UNLINK, path, -1);
    if (act == 1) return -1;
    const int result = next(path);
    DONE(act);
    return result;
}

static int cut(int descriptor, off_t length) {
    NEXT(int, "ftruncate64", int, off_t);
    const int act = judge(TRUNCATE, path_of(descriptor), descriptor);
    if (act == 1) return -1;
    const int result = next(descriptor, length);
    DONE(act);
    return result;
}
int ftruncate(int descriptor, off_t length) { return cut(descriptor, length); }
int ftruncate64(int descriptor, off64_t length) { return cut(descriptor, length); }

// Space that is asked for ahead counts as writing.
static int reserve(int descriptor, int mode, off_t at, off_t length) {
    NEXT(int, "fallocate64", int, int, off_t, off_t);
    const int act = judge(WRITE, path_of(descriptor), descriptor);
    if (act == 1) return -1;
    const int result = next(descriptor, mode, at, length);
    DONE(act);
    return result;
}
int fallocate(int descriptor, int mode, off_t at, off_t length) { return reserve(descriptor, mode, at, length); }
int fallocate64(int descriptor, int mode, off64_t at, off64_t length) { return reserve(descriptor, mode, at, length); }

// The quota as a tool sees it.
static void shrink(struct statvfs *system) {
    if (room < 0 || system->f_frsize == 0) return;
    const unsigned long long left = (unsigned long long)(room > 0 ? room : 0) / system->f_frsize;
    if (left < system->f_bavail) system->f_bavail = system->f_bfree = left;
}
int statvfs(const char *path, struct statvfs *system) {
    NEXT(int, "statvfs64", const char *, struct statvfs *);
    const int result = next(path, system);
    if (result == 0) shrink(system);
    return result;
}
int fstatvfs(int descriptor, struct statvfs *system) {
    NEXT(int, "fstatvfs64", int, struct statvfs *);
    const int result = next(descriptor, system);
    if (result == 0) shrink(system);
    return result;
}

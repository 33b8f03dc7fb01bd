// Records what a program does to files under $RECORD_ROOT, in order, with the bytes that it writes: an LD_PRELOAD library.
//
// Each call that succeeded is appended to $RECORD: a line of words divided by tabs, the last of them the length of the bytes behind it.
//
//     open FD PATH CREATED TRUNCATED WRITES 0      write FD OFFSET N      truncate FD LENGTH 0      sync FD 0      close FD 0
//     mkdir PATH 0      rename PATH PATH 0      exchange PATH PATH 0      unlink PATH 0      rmdir PATH 0
//
// With $RECORD_FLIP=N one bit of the N-th write under the root is flipped on its way to the file: a disk that damages what it is given.
// With $RECORD_NO_EXCHANGE two folders cannot be swapped at one moment, as on file systems that do not know how.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static int out = -2;
static const char *root;
static long writes, flip;
static char known[1024];  // descriptors of files under the root

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static ssize_t put(const void *bytes, size_t count) { return REAL(write)(out, bytes, count); }

// Opens the record once; false in a process that is not to be recorded.
static int recording(void) {
    if (out != -2) return out >= 0;
    const char *path = getenv("RECORD");
    root = getenv("RECORD_ROOT");
    flip = getenv("RECORD_FLIP") ? atol(getenv("RECORD_FLIP")) : 0;
    out = -1;
    if (!path || !root) return 0;
    int opened = REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    out = opened < 0 ? -1 : fcntl(opened, F_DUPFD_CLOEXEC, 1000);
    if (opened >= 0) REAL(close)(opened);
    return out >= 0;
}

static void say(const char *format, ...) {
    char line[2 * PATH_MAX + 100];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    put(line, (size_t)length);
}

// The path from the root down, in `name`; NULL where it lies elsewhere.
static const char *under(const char *path, char *name) {
    char whole[2 * PATH_MAX];
    if (path[0] == '/') {
        snprintf(whole, sizeof whole, "%s", path);
    } else {
        if (!getcwd(whole, PATH_MAX)) return NULL;
        strncat(whole, "/", 2);
        strncat(whole, path, PATH_MAX);
    }
    size_t length = strlen(root);
    if (strncmp(whole, root, length) != 0 || (whole[length] != '/' && whole[length] != 0)) return NULL;
    char *to = name;
    for (const char *from = whole + length; *from; from++) {
        // "//" and "/./" say nothing.
        if (from[0] == '/' && (from[1] == '/' || from[1] == 0)) continue;
        if (from[0] == '/' && from[1] == '.' && (from[2] == '/' || from[2] == 0)) { from++; continue; }
        *to++ = *from;
    }
    *to = 0;
    return name[0] == '/' ? name + 1 : ".";
}

static int opened(int descriptor, const char *path, int flags, int existed) {
    char name[2 * PATH_MAX];
    const char *short_name = under(path, name);
    if (descriptor >= 0 && descriptor < (int)sizeof known && short_name) {
        known[descriptor] = 1;
        say("open\t%d\t%s\t%d\t%d\t%d\t0\n", descriptor, short_name, !existed, (flags & O_TRUNC) != 0, (flags & O_ACCMODE) != O_RDONLY);
    }
    return descriptor;
}

#define OPEN(name)                                                                                         \
    int name(const char *path, int flags, ...) {                                                           \
        va_list arguments;                                                                                 \
        va_start(arguments, flags);                                                                        \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;                        \
        va_end(arguments);                                                                                 \
        pthread_mutex_lock(&lock);                                                                         \
        int is = recording(), existed = is && access(path, F_OK) == 0;                                     \
        int result = REAL(name)(path, flags, mode), code = errno;                                          \
        if (is) opened(result, path, flags, existed);                                                      \
        pthread_mutex_unlock(&lock);                                                                       \
        errno = code;                                                                                      \
        return result;                                                                                     \
    }
OPEN(open)
OPEN(open64)

static int is_known(int descriptor) {
    if (!recording() || descriptor < 0 || descriptor >= (int)sizeof known) return 0;
    if (descriptor == 1 && !known[1]) {
        // The standard output was opened by somebody else.
        char path[PATH_MAX], name[2 * PATH_MAX];
        ssize_t length = readlink("/proc/self/fd/1", path, sizeof path - 1);
        known[1] = 2;
        if (length > 0) {
            path[length] = 0;
            const char *short_name = under(path, name);
            if (short_name) {
                known[1] = 1;
                say("open\t1\t%s\t0\t0\t1\t0\n", short_name);
            }
        }
    }
    return known[descriptor] == 1;
}

static off_t end_of(int descriptor) {
    struct stat status;
    off_t at = lseek(descriptor, 0, SEEK_CUR);
    if (fcntl(descriptor, F_GETFL) & O_APPEND) at = fstat(descriptor, &status) == 0 ? status.st_size : at;
    return at;
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    struct iovec piece = {(void *)bytes, count};
    return writev(descriptor, &piece, 1);
}

ssize_t writev(int descriptor, const struct iovec *pieces, int number) {
    pthread_mutex_lock(&lock);
    ssize_t result;
    int code;
    if (is_known(descriptor)) {
        size_t count = 0;
        for (int i = 0; i < number; i++) count += pieces[i].iov_len;
        char *all = malloc(count + 1), *to = all;
        for (int i = 0; i < number; i++) to = (char *)mempcpy(to, pieces[i].iov_base, pieces[i].iov_len);
        if (descriptor != 1 && ++writes == flip && count > 0) all[count / 2] ^= 16;
        off_t at = end_of(descriptor);
        result = REAL(write)(descriptor, all, count);
        code = errno;
        if (result > 0) {
            say("write\t%d\t%lld\t%lld\n", descriptor, (long long)at, (long long)result);
            put(all, (size_t)result);
        }
        free(all);
    } else {
        result = REAL(writev)(descriptor, pieces, number);
        code = errno;
    }
    pthread_mutex_unlock(&lock);
    errno = code;
    return result;
}

// A call on a descriptor, then what is said of it where it succeeded.
#define DESCRIPTOR(name, parameters, arguments, ...)          \
    int name parameters {                                     \
        pthread_mutex_lock(&lock);                            \
        int is = is_known(descriptor);                        \
        int result = REAL(name) arguments, code = errno;      \
        if (is && result == 0) say(__VA_ARGS__);              \
        pthread_mutex_unlock(&lock);                          \
        errno = code;                                         \
        return result;                                        \
    }
DESCRIPTOR(fsync, (int descriptor), (descriptor), "sync\t%d\t0\n", descriptor)
DESCRIPTOR(fdatasync, (int descriptor), (descriptor), "sync\t%d\t0\n", descriptor)
DESCRIPTOR(ftruncate, (int descriptor, off_t length), (descriptor, length), "truncate\t%d\t%lld\t0\n", descriptor, (long long)length)
DESCRIPTOR(ftruncate64, (int descriptor, off_t length), (descriptor, length), "truncate\t%d\t%lld\t0\n", descriptor, (long long)length)

int close(int descriptor) {
    pthread_mutex_lock(&lock);
    if (out >= 0 && descriptor > 2 && descriptor < (int)sizeof known && known[descriptor]) {
        say("close\t%d\t0\n", descriptor);
        known[descriptor] = 0;
    }
    int result = REAL(close)(descriptor), code = errno;
    pthread_mutex_unlock(&lock);
    errno = code;
    return result;
}

#define PATH(name, parameters, arguments)                                    \
    int name parameters {                                                    \
        char as[2 * PATH_MAX];                                               \
        pthread_mutex_lock(&lock);                                           \
        const char *short_name = recording() ? under(path, as) : NULL;       \
        int result = REAL(name) arguments, code = errno;                     \
        if (short_name && result == 0) say(#name "\t%s\t0\n", short_name);   \
        pthread_mutex_unlock(&lock);                                         \
        errno = code;                                                        \
        return result;                                                       \
    }
PATH(mkdir, (const char *path, mode_t mode), (path, mode))
PATH(unlink, (const char *path), (path))
PATH(rmdir, (const char *path), (path))

static int moved(const char *what, int result, const char *from, const char *to) {
    int code = errno;
    char one[2 * PATH_MAX], other[2 * PATH_MAX];
    if (result == 0 && recording()) {
        const char *first = under(from, one), *second = under(to, other);
        if (first && second) say("%s\t%s\t%s\t0\n", what, first, second);
    }
    errno = code;
    return result;
}

int rename(const char *from, const char *to) {
    pthread_mutex_lock(&lock);
    int result = moved("rename", REAL(rename)(from, to), from, to);
    pthread_mutex_unlock(&lock);
    return result;
}

int renameat2(int one, const char *from, int other, const char *to, unsigned flags) {
    if (flags & RENAME_EXCHANGE && getenv("RECORD_NO_EXCHANGE")) {
        errno = EINVAL;
        return -1;
    }
    pthread_mutex_lock(&lock);
    int result = moved(flags & RENAME_EXCHANGE ? "exchange" : "rename", REAL(renameat2)(one, from, other, to, flags), from, to);
    pthread_mutex_unlock(&lock);
    return result;
}

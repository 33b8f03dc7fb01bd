// Preloaded: read(2) gives one byte at a time, whatever was asked for.
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

ssize_t read(int descriptor, void *buffer, size_t count) { return syscall(SYS_read, descriptor, buffer, count ? 1 : 0); }

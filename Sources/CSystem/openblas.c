// OpenBLAS beside threads of our own: none of its own, and its memory taken before the first product.
#include "CSystem.h"

#include <stdlib.h>
#include <sys/mman.h>

// As its sources declare them; absent from a program that is not linked with it.
extern void *blas_memory_alloc(int position) __attribute__((weak));
extern void blas_memory_free(void *memory) __attribute__((weak));

// Asked by OpenBLAS while it is loaded, before any code of ours runs: otherwise it starts a thread for each processor, which takes a buffer.
__attribute__((visibility("default"), used)) int openblas_num_threads_env(void) { return 1; }

void preceptor_reserve_for_products(int threads) {
    // The largest buffer of any of its builds, and its header.
    const size_t bytes = (128u << 20) + (64u << 10);
    if (blas_memory_alloc == NULL || blas_memory_free == NULL) return;
    void *taken[threads];
    int count = 0;
    while (count < threads) {
        void *room = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (room == MAP_FAILED) preceptor_out_of_memory(bytes);
        munmap(room, bytes);
        taken[count++] = blas_memory_alloc(0);
    }
    while (count > 0) blas_memory_free(taken[--count]);
}

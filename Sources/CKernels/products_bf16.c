// Products in bfloat16 with AVX512-BF16: 14 by 32, 28 of the 32 registers.
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4,avx512bf16"))), apply_to = function)
#define KERNEL_MASKS 1
#define PRODUCT_SUFFIX bf16
#define PRODUCT_NAME "avx512-bf16"
#define PRODUCT_ROWS 14
#define PRODUCT_VECTORS 2
#define PRODUCT_NATIVE 1
#include "products.inc.h"
#pragma clang attribute pop
#endif

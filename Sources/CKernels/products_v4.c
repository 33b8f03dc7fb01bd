// Products in bfloat16 for x86-64-v4 (AVX-512) without instructions for bfloat16: 12 by 32, beside which four halves of B and two of A fit.
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)
#define KERNEL_MASKS 1
#define PRODUCT_SUFFIX v4
#define PRODUCT_NAME "x86-64-v4"
#define PRODUCT_ROWS 12
#define PRODUCT_VECTORS 2
#include "products.inc.h"
#pragma clang attribute pop
#endif

// Products in bfloat16 for x86-64-v3 (AVX2, FMA): 16 registers of 8 floats hold a tile of 4 by 16.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define PRODUCT_SUFFIX v3
#define PRODUCT_NAME "x86-64-v3"
#define PRODUCT_ROWS 4
#define PRODUCT_VECTORS 1
#include "products.inc.h"
#pragma clang attribute pop
#endif

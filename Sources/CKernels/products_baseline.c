// Products in bfloat16 for whatever every processor of the architecture has.
#define PRODUCT_SUFFIX baseline
#define PRODUCT_NAME "baseline"
#define PRODUCT_ROWS 1
#define PRODUCT_VECTORS 1
#include "products.inc.h"

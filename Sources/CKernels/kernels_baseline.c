// The kernels for whatever every processor of the architecture has.
#define KERNEL_SUFFIX baseline
#define KERNEL_NAME "baseline"
#include "kernels.inc.h"

// OpenBLAS, as installed by libopenblas-dev.
#include <cblas.h>

// Jansson, as installed by libjansson-dev.
#include <jansson.h>

#include "build.h"

const char *vpsd_build_commit(void) { return VPSD_COMMIT; }

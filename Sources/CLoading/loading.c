#include "loading.h"

#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

void *vps_loaded_function(const char *library, const char *name) {
  // It is loaded once, however often this is asked for, and stays.
  void *handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
  void *function = handle ? dlsym(handle, name) : NULL;
  if (!function) {
    fprintf(stderr, "error while loading a shared library: %s\n", dlerror());
    // What the dynamic linker ends with.
    _exit(127);
  }
  return function;
}

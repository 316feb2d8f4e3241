#include "loading.h"

#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

// It is loaded once, however often this is done, and stays.
static void *loaded(const char *library, int binding) { return dlopen(library, binding | RTLD_LOCAL); }

// With all that it needs itself: otherwise a first call could still end the process.
int vps_library_is_there(const char *library) { return loaded(library, RTLD_NOW) != NULL; }

void *vps_loaded_function(const char *library, const char *name) {
  void *handle = loaded(library, RTLD_LAZY);
  void *function = handle ? dlsym(handle, name) : NULL;
  if (!function) {
    fprintf(stderr, "error while loading a shared library: %s\n", dlerror());
    // What the dynamic linker ends with.
    _exit(127);
  }
  return function;
}

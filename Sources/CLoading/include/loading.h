#pragma once

// A library that a program may not need is loaded when one of its functions is first called. Linked to the program it would be loaded at
// each start, with all the libraries that it needs itself.

/// Whether the library can be loaded, or is: for whoever can do without it.
int vps_library_is_there(const char *library);

/// The function of this name in the library, which is loaded if it is not. Without such a library, or without such a function in it, the
/// process ends and says so, as a program that is linked to the library does at its start.
void *vps_loaded_function(const char *library, const char *name);

/// The function that a header declares, as it is in the library.
#define VPS_FUNCTION(library, name)                                     \
  ({                                                                    \
    static __typeof__(&name) found;                                     \
    __typeof__(&name) function = __atomic_load_n(&found, __ATOMIC_ACQUIRE); \
    if (!function) {                                                    \
      function = (__typeof__(&name))vps_loaded_function(library, #name); \
      __atomic_store_n(&found, function, __ATOMIC_RELEASE);             \
    }                                                                   \
    function;                                                           \
  })

/// Defines a function that a header declares. It calls the one in the library.
#define VPS_LOADED(library, result, name, parameters, arguments) \
  result name parameters { return VPS_FUNCTION(library, name) arguments; }

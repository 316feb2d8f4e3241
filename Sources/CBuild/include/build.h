#include <stddef.h>

/// The commit of the sources, as set by the build (VPSD_COMMIT); empty where it was not set.
const char *_Nonnull vpsd_build_commit(void);

/// The content of a file at the time of the build. It is valid for as long as the program runs.
struct __attribute__((swift_name("BuiltInFile"))) vpsd_file {
  const unsigned char *_Nonnull bytes;
  size_t count;
};

struct vpsd_file vpsd_console_html(void) __attribute__((swift_name("getter:BuiltInFile.consoleHTML()")));
struct vpsd_file vpsd_console_bg_html(void) __attribute__((swift_name("getter:BuiltInFile.consoleBulgarianHTML()")));
struct vpsd_file vpsd_console_js(void) __attribute__((swift_name("getter:BuiltInFile.consoleScript()")));
struct vpsd_file vpsd_console_css(void) __attribute__((swift_name("getter:BuiltInFile.consoleStyle()")));
struct vpsd_file vpsd_panel_js(void) __attribute__((swift_name("getter:BuiltInFile.panelScript()")));
struct vpsd_file vpsd_panel_css(void) __attribute__((swift_name("getter:BuiltInFile.panelStyle()")));
struct vpsd_file vpsd_openapi(void) __attribute__((swift_name("getter:BuiltInFile.openAPI()")));
struct vpsd_file vpsd_openapi_bg(void) __attribute__((swift_name("getter:BuiltInFile.openAPIBulgarian()")));

#include <stddef.h>

/// The commit that the sources are of, as whoever built the program said (VPSD_COMMIT); empty where nobody did.
const char *_Nonnull vpsd_build_commit(void);

/// A file as it was when the program was built. It lasts as long as the program runs.
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

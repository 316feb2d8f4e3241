// The files are embedded by the C compiler, because Swift takes minutes to compile literals of this size.
#include "build.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

#define FILE_IN(array) return (struct vpsd_file){array, sizeof array}

struct vpsd_file vpsd_console_html(void) {
  static const unsigned char content[] = {
#embed "../API/Console/console.html"
  };
  FILE_IN(content);
}

struct vpsd_file vpsd_console_bg_html(void) {
  static const unsigned char content[] = {
#embed "../API/Console/console.bg.html"
  };
  FILE_IN(content);
}

struct vpsd_file vpsd_console_js(void) {
  static const unsigned char content[] = {
#embed "../API/Console/console.js"
  };
  FILE_IN(content);
}

struct vpsd_file vpsd_console_css(void) {
  static const unsigned char content[] = {
#embed "../API/Console/console.css"
  };
  FILE_IN(content);
}

struct vpsd_file vpsd_panel_js(void) {
  static const unsigned char content[] = {
#embed "../Panel/Assets/panel.js"
  };
  FILE_IN(content);
}

struct vpsd_file vpsd_panel_css(void) {
  static const unsigned char content[] = {
#embed "../Panel/Assets/panel.css"
  };
  FILE_IN(content);
}

struct vpsd_file vpsd_openapi(void) {
  static const unsigned char content[] = {
#embed "../../docs/openapi.yaml"
  };
  FILE_IN(content);
}

struct vpsd_file vpsd_openapi_bg(void) {
  static const unsigned char content[] = {
#embed "../../docs/openapi.bg.yaml"
  };
  FILE_IN(content);
}

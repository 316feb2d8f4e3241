#include "CCurl.h"

#include "loading.h"

#ifdef __APPLE__
#define LIBRARY "libcurl.4.dylib"
#else
#define LIBRARY "libcurl.so.4"
#endif
#define LIBCURL(result, name, parameters, arguments) \
  result vps_##name parameters { return VPS_FUNCTION(LIBRARY, curl_##name) arguments; }

int vps_curl_is_there(void) { return vps_library_is_there(LIBRARY); }

LIBCURL(void, easy_cleanup, (CURL *handle), (handle))
LIBCURL(CURL *, easy_init, (void), ())
LIBCURL(CURLcode, easy_perform, (CURL *handle), (handle))
LIBCURL(void, easy_reset, (CURL *handle), (handle))
LIBCURL(const char *, easy_strerror, (CURLcode code), (code))
LIBCURL(CURLcode, global_init, (long flags), (flags))
LIBCURL(struct curl_slist *, slist_append, (struct curl_slist *list, const char *text), (list, text))
LIBCURL(void, slist_free_all, (struct curl_slist *list), (list))

#define SET(handle, option, value) VPS_FUNCTION(LIBRARY, curl_easy_setopt)(handle, option, value)

CURLcode vps_set_number(CURL *handle, CURLoption option, long value) { return SET(handle, option, value); }

CURLcode vps_set_size(CURL *handle, CURLoption option, int64_t value) {
  return SET(handle, option, (curl_off_t)value);
}

CURLcode vps_set_text(CURL *handle, CURLoption option, const char *value) { return SET(handle, option, value); }

CURLcode vps_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
  return SET(handle, option, value);
}

CURLcode vps_set_bytes(CURL *handle, CURLoption function, vps_bytes value, CURLoption data, void *context) {
  CURLcode code = SET(handle, function, value);
  return code != CURLE_OK ? code : SET(handle, data, context);
}

CURLcode vps_set_progress(CURL *handle, vps_progress value, void *context) {
  CURLcode code = SET(handle, CURLOPT_XFERINFOFUNCTION, value);
  if (code == CURLE_OK) code = SET(handle, CURLOPT_XFERINFODATA, context);
  return code != CURLE_OK ? code : SET(handle, CURLOPT_NOPROGRESS, 0L);
}

long vps_get_number(CURL *handle, CURLINFO info) {
  long value = 0;
  VPS_FUNCTION(LIBRARY, curl_easy_getinfo)(handle, info, &value);
  return value;
}

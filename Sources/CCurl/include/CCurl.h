#pragma once
// Functions of libcurl, by names of our own, because programs that use `APIClient` may be linked to a libcurl. Swift cannot call
// variadic C functions such as curl_easy_setopt.
#include <curl/curl.h>
#include <stdint.h>

/// Whether libcurl can be loaded, or is. To be asked before the first of the others is called.
int vps_curl_is_there(void);

void vps_easy_cleanup(CURL *handle);
CURL *vps_easy_init(void);
CURLcode vps_easy_perform(CURL *handle);
void vps_easy_reset(CURL *handle);
const char *vps_easy_strerror(CURLcode code);
CURLcode vps_global_init(long flags);
struct curl_slist *vps_slist_append(struct curl_slist *list, const char *text);
void vps_slist_free_all(struct curl_slist *list);

typedef size_t (*vps_bytes)(char *bytes, size_t size, size_t count, void *context);
typedef int (*vps_progress)(void *context, curl_off_t downAll, curl_off_t down, curl_off_t upAll, curl_off_t up);

CURLcode vps_set_number(CURL *handle, CURLoption option, long value);
CURLcode vps_set_size(CURL *handle, CURLoption option, int64_t value);
CURLcode vps_set_text(CURL *handle, CURLoption option, const char *value);
CURLcode vps_set_list(CURL *handle, CURLoption option, struct curl_slist *value);
CURLcode vps_set_bytes(CURL *handle, CURLoption function, vps_bytes value, CURLoption data, void *context);
CURLcode vps_set_progress(CURL *handle, vps_progress value, void *context);
long vps_get_number(CURL *handle, CURLINFO info);

// libcurl for Swift, loaded when it is first called (see CCurl.c). Swift imports no variadic C function, so every call that libcurl declares with "..." has a typed
// wrapper here; everything else is used as <curl/curl.h> declares it. The Linux headers of the event loop are included
// because the Glibc module leaves them out.
#ifndef PARLEY_CCURL_H
#define PARLEY_CCURL_H

// Its checks of types are macros, which would stand in the way of the definitions in CCurl.c, and do nothing for Swift.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

// Why libcurl cannot be loaded, in the system's words, for as long as the process lives; NULL when it can. Without it, curl_global_init fails and
// curl_url, curl_easy_init and curl_multi_init return NULL.
const char *parley_curl_missing(void);

// curl_url_get, whose first parameter later versions declare as const.
CURLUcode parley_curl_url_get(CURLU *url, CURLUPart part, char **text, unsigned int flags);

// curl_easy_setopt, by the type of the option's value. libcurl copies strings, and never copies pointers.
CURLcode parley_curl_set_long(CURL *easy, CURLoption option, long value);
CURLcode parley_curl_set_offset(CURL *easy, CURLoption option, curl_off_t value);
CURLcode parley_curl_set_string(CURL *easy, CURLoption option, const char *value);
CURLcode parley_curl_set_pointer(CURL *easy, CURLoption option, const void *value);

// curl_easy_setopt for a callback together with the pointer that is handed to it.
CURLcode parley_curl_set_write_callback(CURL *easy, curl_write_callback callback, void *context);
CURLcode parley_curl_set_header_callback(CURL *easy, curl_write_callback callback, void *context);
CURLcode parley_curl_set_prerequest_callback(CURL *easy, curl_prereq_callback callback, void *context);

// Makes every socket of the transfer close-on-exec, which libcurl leaves out: a child process must not hold a provider's connection open.
CURLcode parley_curl_set_close_on_exec(CURL *easy);

// curl_easy_getinfo, by the type of the answer.
CURLcode parley_curl_get_long(CURL *easy, CURLINFO info, long *value);
CURLcode parley_curl_get_pointer(CURL *easy, CURLINFO info, void **value);

// curl_multi_setopt, by the type of the option's value.
CURLMcode parley_curl_multi_set_long(CURLM *multi, CURLMoption option, long value);
CURLMcode parley_curl_multi_set_socket_callback(CURLM *multi, curl_socket_callback callback, void *context);
CURLMcode parley_curl_multi_set_timer_callback(CURLM *multi, curl_multi_timer_callback callback, void *context);

#endif

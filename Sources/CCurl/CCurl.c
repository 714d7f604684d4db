#include "CCurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

// libcurl is loaded when it is first called, and not linked: it brings some thirty libraries, which a host whose models need no network
// would load, and keep in memory, for nothing. Whoever uses it need not know: each function that Swift calls is defined below, under its own name
// and as <curl/curl.h> declares it, and calls the loaded one.

// What is defined here under libcurl's own names stays inside of this program: libcurl itself must go on calling its own.
#define OURS __attribute__((visibility("hidden")))

#define FUNCTIONS(F) \
    F(curl_easy_cleanup) F(curl_easy_getinfo) F(curl_easy_init) F(curl_easy_pause) F(curl_easy_setopt) F(curl_easy_strerror) F(curl_free) \
    F(curl_getdate) F(curl_global_init) F(curl_multi_add_handle) F(curl_multi_cleanup) F(curl_multi_info_read) F(curl_multi_init) \
    F(curl_multi_remove_handle) F(curl_multi_setopt) F(curl_multi_socket_action) F(curl_multi_strerror) F(curl_slist_append) \
    F(curl_slist_free_all) F(curl_url) F(curl_url_cleanup) F(curl_url_get) F(curl_url_set) F(curl_url_strerror)

static struct {
#define FIELD(name) __typeof__(&(name)) name;
    FUNCTIONS(FIELD)
} curl;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char missing[512];

static void *find(void *library, const char *name) {
    void *function = dlsym(library, name);
    if (function == NULL && missing[0] == 0) snprintf(missing, sizeof missing, "%s", dlerror());
    return function;
}

static void load(void) {
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        snprintf(missing, sizeof missing, "%s", dlerror());
        return;
    }
#define FIND(name) curl.name = (__typeof__(curl.name))find(library, #name);
    FUNCTIONS(FIND)
}

const char *parley_curl_missing(void) {
    pthread_once(&once, load);
    return missing[0] == 0 ? NULL : missing;
}

// Where everything begins: what fails without libcurl. All the rest needs what one of these has made.

OURS CURLcode curl_global_init(long flags) { return parley_curl_missing() ? CURLE_FAILED_INIT : curl.curl_global_init(flags); }
OURS time_t curl_getdate(const char *text, const time_t *unused) { return parley_curl_missing() ? -1 : curl.curl_getdate(text, unused); }
OURS CURLU *curl_url(void) { return parley_curl_missing() ? NULL : curl.curl_url(); }
OURS CURL *curl_easy_init(void) { return parley_curl_missing() ? NULL : curl.curl_easy_init(); }
OURS CURLM *curl_multi_init(void) { return parley_curl_missing() ? NULL : curl.curl_multi_init(); }

OURS void curl_easy_cleanup(CURL *easy) { curl.curl_easy_cleanup(easy); }
OURS CURLcode curl_easy_pause(CURL *easy, int bits) { return curl.curl_easy_pause(easy, bits); }
OURS const char *curl_easy_strerror(CURLcode code) { return curl.curl_easy_strerror(code); }
OURS void curl_free(void *pointer) { curl.curl_free(pointer); }
OURS CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy) { return curl.curl_multi_add_handle(multi, easy); }
OURS CURLMcode curl_multi_cleanup(CURLM *multi) { return curl.curl_multi_cleanup(multi); }
OURS CURLMsg *curl_multi_info_read(CURLM *multi, int *left) { return curl.curl_multi_info_read(multi, left); }
OURS CURLMcode curl_multi_remove_handle(CURLM *multi, CURL *easy) { return curl.curl_multi_remove_handle(multi, easy); }
OURS CURLMcode curl_multi_socket_action(CURLM *multi, curl_socket_t socket, int readiness, int *running) {
    return curl.curl_multi_socket_action(multi, socket, readiness, running);
}
OURS const char *curl_multi_strerror(CURLMcode code) { return curl.curl_multi_strerror(code); }
OURS struct curl_slist *curl_slist_append(struct curl_slist *list, const char *text) { return curl.curl_slist_append(list, text); }
OURS void curl_slist_free_all(struct curl_slist *list) { curl.curl_slist_free_all(list); }
OURS void curl_url_cleanup(CURLU *url) { curl.curl_url_cleanup(url); }
CURLUcode parley_curl_url_get(CURLU *url, CURLUPart part, char **text, unsigned int flags) {
    return curl.curl_url_get(url, part, text, flags);
}
OURS CURLUcode curl_url_set(CURLU *url, CURLUPart part, const char *text, unsigned int flags) {
    return curl.curl_url_set(url, part, text, flags);
}
OURS const char *curl_url_strerror(CURLUcode code) { return curl.curl_url_strerror(code); }

// The functions that libcurl declares with "...".

CURLcode parley_curl_set_long(CURL *easy, CURLoption option, long value) { return curl.curl_easy_setopt(easy, option, value); }

CURLcode parley_curl_set_offset(CURL *easy, CURLoption option, curl_off_t value) { return curl.curl_easy_setopt(easy, option, value); }

CURLcode parley_curl_set_string(CURL *easy, CURLoption option, const char *value) { return curl.curl_easy_setopt(easy, option, value); }

CURLcode parley_curl_set_pointer(CURL *easy, CURLoption option, const void *value) { return curl.curl_easy_setopt(easy, option, value); }

CURLcode parley_curl_set_write_callback(CURL *easy, curl_write_callback callback, void *context) {
    CURLcode code = curl.curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, callback);
    return code != CURLE_OK ? code : curl.curl_easy_setopt(easy, CURLOPT_WRITEDATA, context);
}

CURLcode parley_curl_set_header_callback(CURL *easy, curl_write_callback callback, void *context) {
    CURLcode code = curl.curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, callback);
    return code != CURLE_OK ? code : curl.curl_easy_setopt(easy, CURLOPT_HEADERDATA, context);
}

CURLcode parley_curl_set_prerequest_callback(CURL *easy, curl_prereq_callback callback, void *context) {
    CURLcode code = curl.curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, callback);
    return code != CURLE_OK ? code : curl.curl_easy_setopt(easy, CURLOPT_PREREQDATA, context);
}

static curl_socket_t open_close_on_exec(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)context;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

CURLcode parley_curl_set_close_on_exec(CURL *easy) {
    return curl.curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_close_on_exec);
}

CURLcode parley_curl_get_long(CURL *easy, CURLINFO info, long *value) { return curl.curl_easy_getinfo(easy, info, value); }

CURLcode parley_curl_get_pointer(CURL *easy, CURLINFO info, void **value) { return curl.curl_easy_getinfo(easy, info, value); }

CURLMcode parley_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) { return curl.curl_multi_setopt(multi, option, value); }

CURLMcode parley_curl_multi_set_socket_callback(CURLM *multi, curl_socket_callback callback, void *context) {
    CURLMcode code = curl.curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, callback);
    return code != CURLM_OK ? code : curl.curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
}

CURLMcode parley_curl_multi_set_timer_callback(CURLM *multi, curl_multi_timer_callback callback, void *context) {
    CURLMcode code = curl.curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, callback);
    return code != CURLM_OK ? code : curl.curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context);
}

// libcurl by dlopen(3): its functions by name, its options by the numbers that its interface has kept since 2006.
#define _GNU_SOURCE
#include "HTTP.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// Of curl.h. Options count from 0 (long), 10000 (pointer), 20000 (function), 30000 (curl_off_t, 64 bits).
enum {
    OPTION_WRITEDATA = 10001,
    OPTION_URL = 10002,
    OPTION_ERRORBUFFER = 10010,
    OPTION_POSTFIELDS = 10015,
    OPTION_USERAGENT = 10018,
    OPTION_HTTPHEADER = 10023,
    OPTION_NOPROGRESS = 43,
    OPTION_XFERINFODATA = 10057,
    OPTION_HTTPGET = 80,
    OPTION_NOSIGNAL = 99,
    OPTION_ACCEPT_ENCODING = 10102,
    OPTION_TIMEOUT_MS = 155,
    OPTION_CONNECTTIMEOUT_MS = 156,
    OPTION_PROTOCOLS = 181,
    OPTION_TCP_KEEPALIVE = 213,
    OPTION_WRITEFUNCTION = 20011,
    OPTION_XFERINFOFUNCTION = 20219,
    OPTION_POSTFIELDSIZE_LARGE = 30120,
    INFO_RESPONSE_CODE = 0x200002,
    INFO_RETRY_AFTER = 0x600039,
    PROTOCOL_HTTP = 1,
    PROTOCOL_HTTPS = 2,
    GLOBAL_DEFAULT = 3,
    ERROR_SIZE = 256,
};

struct slist;

static struct {
    int (*global_init)(long);
    void *(*easy_init)(void);
    int (*easy_setopt)(void *, int, ...);
    int (*easy_perform)(void *);
    int (*easy_getinfo)(void *, int, ...);
    void (*easy_reset)(void *);
    void (*easy_cleanup)(void *);
    const char *(*easy_strerror)(int);
    struct slist *(*slist_append)(struct slist *, const char *);
    void (*slist_free_all)(struct slist *);
    char *(*version)(void);
} curl;

struct preceptor_http {
    void *easy;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char problem[512];

static void *found(void *library, const char *name) {
    void *const address = dlsym(library, name);
    if (address == NULL && problem[0] == 0) snprintf(problem, sizeof problem, "libcurl has no function '%s'", name);
    return address;
}

static void load(void) {
    // The first of the names that Debian and Fedora have; the others differ in the TLS library only.
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.so"};
    void *library = NULL;
    for (size_t at = 0; at < sizeof names / sizeof names[0] && library == NULL; at++) {
        library = dlopen(names[at], RTLD_NOW | RTLD_LOCAL);
        if (library == NULL && at == 0) {
            const char *const words = dlerror();
            snprintf(problem, sizeof problem, "%s", words != NULL ? words : "not found");
        }
    }
    if (library == NULL) return;
    problem[0] = 0;
    curl.global_init = (int (*)(long))found(library, "curl_global_init");
    curl.easy_init = (void *(*)(void))found(library, "curl_easy_init");
    curl.easy_setopt = (int (*)(void *, int, ...))found(library, "curl_easy_setopt");
    curl.easy_perform = (int (*)(void *))found(library, "curl_easy_perform");
    curl.easy_getinfo = (int (*)(void *, int, ...))found(library, "curl_easy_getinfo");
    curl.easy_reset = (void (*)(void *))found(library, "curl_easy_reset");
    curl.easy_cleanup = (void (*)(void *))found(library, "curl_easy_cleanup");
    curl.easy_strerror = (const char *(*)(int))found(library, "curl_easy_strerror");
    curl.slist_append = (struct slist * (*)(struct slist *, const char *)) found(library, "curl_slist_append");
    curl.slist_free_all = (void (*)(struct slist *))found(library, "curl_slist_free_all");
    curl.version = (char *(*)(void))found(library, "curl_version");
    if (problem[0] != 0) return;
    const int code = curl.global_init(GLOBAL_DEFAULT);
    if (code != 0) snprintf(problem, sizeof problem, "libcurl cannot begin: %s", curl.easy_strerror(code));
}

const char *preceptor_http_load(void) {
    pthread_once(&once, load);
    return problem[0] != 0 ? problem : NULL;
}

const char *preceptor_http_version(void) { return curl.version(); }

preceptor_http *preceptor_http_open(void) {
    preceptor_http *const http = malloc(sizeof *http);
    if (http == NULL) return NULL;
    http->easy = curl.easy_init();
    if (http->easy == NULL) {
        free(http);
        return NULL;
    }
    return http;
}

void preceptor_http_close(preceptor_http *http) {
    curl.easy_cleanup(http->easy);
    free(http);
}

static int progress(void *context, int64_t a, int64_t b, int64_t c, int64_t d) {
    (void)a, (void)b, (void)c, (void)d;
    return ((const preceptor_http_request *)context)->stop();
}

static void set_options(void *easy, const preceptor_http_request *request, struct slist *headers, char *message) {
    curl.easy_setopt(easy, OPTION_URL, request->url);
    curl.easy_setopt(easy, OPTION_HTTPHEADER, headers);
    curl.easy_setopt(easy, OPTION_USERAGENT, "preceptor");
    // Whatever compression this libcurl can undo.
    curl.easy_setopt(easy, OPTION_ACCEPT_ENCODING, "");
    curl.easy_setopt(easy, OPTION_PROTOCOLS, (long)(PROTOCOL_HTTP | PROTOCOL_HTTPS));
    curl.easy_setopt(easy, OPTION_NOSIGNAL, 1L);
    curl.easy_setopt(easy, OPTION_TCP_KEEPALIVE, 1L);
    curl.easy_setopt(easy, OPTION_CONNECTTIMEOUT_MS, request->connect_milliseconds);
    curl.easy_setopt(easy, OPTION_TIMEOUT_MS, request->total_milliseconds);
    curl.easy_setopt(easy, OPTION_ERRORBUFFER, message);
    curl.easy_setopt(easy, OPTION_WRITEFUNCTION, request->receive);
    curl.easy_setopt(easy, OPTION_WRITEDATA, request->context);
    if (request->stop != NULL) {
        curl.easy_setopt(easy, OPTION_NOPROGRESS, 0L);
        curl.easy_setopt(easy, OPTION_XFERINFOFUNCTION, progress);
        curl.easy_setopt(easy, OPTION_XFERINFODATA, request);
    }
    if (request->body != NULL) {
        curl.easy_setopt(easy, OPTION_POSTFIELDSIZE_LARGE, (int64_t)request->body_count);
        curl.easy_setopt(easy, OPTION_POSTFIELDS, request->body);
    } else {
        curl.easy_setopt(easy, OPTION_HTTPGET, 1L);
    }
}

/// Performs with SIGPIPE held back from this thread: libcurl does not do so itself when it must leave signals alone.
static int perform(void *easy) {
    sigset_t pipe, before, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    sigpending(&pending);
    const int was_pending = sigismember(&pending, SIGPIPE);
    const int code = curl.easy_perform(easy);
    sigpending(&pending);
    if (!was_pending && sigismember(&pending, SIGPIPE)) {
        const struct timespec now = {0, 0};
        sigtimedwait(&pipe, NULL, &now);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

void preceptor_http_send(preceptor_http *http, const preceptor_http_request *request, preceptor_http_result *result) {
    memset(result, 0, sizeof *result);
    struct slist *headers = NULL;
    for (size_t at = 0; at < request->header_count; at++) {
        struct slist *const longer = curl.slist_append(headers, request->headers[at]);
        if (longer == NULL) {
            curl.slist_free_all(headers);
            result->code = 27;  // CURLE_OUT_OF_MEMORY
            snprintf(result->message, sizeof result->message, "out of memory");
            return;
        }
        headers = longer;
    }
    // Keeps the connections, the sessions and the names found.
    curl.easy_reset(http->easy);
    char message[ERROR_SIZE] = "";
    set_options(http->easy, request, headers, message);
    result->code = perform(http->easy);
    if (result->code != 0) {
        snprintf(result->message, sizeof result->message, "%s", message[0] != 0 ? message : curl.easy_strerror(result->code));
    }
    curl.easy_getinfo(http->easy, INFO_RESPONSE_CODE, &result->status);
    if (curl.easy_getinfo(http->easy, INFO_RETRY_AFTER, &result->retry_after) != 0) result->retry_after = 0;
    curl.easy_setopt(http->easy, OPTION_ERRORBUFFER, NULL);
    curl.slist_free_all(headers);
}

// HTTP by libcurl, which is opened when it is first asked for: nothing is needed to build, and nobody needs it who sends no requests.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// A connection, or several, kept open between requests. For one thread at a time.
typedef struct preceptor_http preceptor_http;

/// What is asked of a server. Texts end with a zero byte.
typedef struct {
    const char *_Nonnull url;
    /// Lines such as "Content-Type: application/json".
    const char *_Nonnull const *_Nonnull headers;
    size_t header_count;
    /// Null for a GET.
    const void *_Nullable body;
    size_t body_count;
    long connect_milliseconds, total_milliseconds;
    /// Takes the answer's body piece by piece; returns how many bytes it took: fewer than there are ends the transfer.
    size_t (*_Nonnull receive)(const char *_Nonnull bytes, size_t size, size_t count, void *_Nullable context);
    void *_Nullable context;
    /// Asked while the transfer goes on; not zero ends it.
    int (*_Nullable stop)(void);
} preceptor_http_request;

/// What came of it.
typedef struct {
    /// libcurl's code: 0 for an answer, whatever its status.
    int code;
    /// libcurl's words about a code that is not 0.
    char message[256];
    long status;
    /// Seconds that the server asks to wait; 0 for none.
    int64_t retry_after;
} preceptor_http_result;

/// Opens libcurl: null when it is there, the system's words when not. For several threads.
const char *_Nullable preceptor_http_load(void);

/// Null without memory. `preceptor_http_load` must have succeeded.
preceptor_http *_Nullable preceptor_http_open(void);

/// Sends a request and takes the answer; never ends the process by SIGPIPE.
void preceptor_http_send(
    preceptor_http *_Nonnull http, const preceptor_http_request *_Nonnull request, preceptor_http_result *_Nonnull result);

void preceptor_http_close(preceptor_http *_Nonnull http);

/// libcurl's version in words, "libcurl/8.5.0 OpenSSL/3.0.13 ...". `preceptor_http_load` must have succeeded.
const char *_Nonnull preceptor_http_version(void);

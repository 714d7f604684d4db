#define _GNU_SOURCE
#include "BenchmarkFloors.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { most_connections = 1 << 16, head_bytes = 1 << 14, burst_writes = 64, burst_bytes = 1 << 18 };

// An answer, made once for each number of tokens: the head, the tokens, each as long as the others, and the end.
typedef struct {
    long tokens;
    char *bytes;
    size_t headBytes, tokenBytes, length;
} answer;

typedef enum { each, batch, hang, paced } manner;

typedef struct {
    int descriptor;
    // The beginning of a request, until its head is whole.
    char head[head_bytes];
    size_t held;
    // How much of a request's body is still to come.
    size_t body;
    // The answer that is being written, how far, and how.
    const answer *answer;
    size_t written;
    manner manner;
    bool waits;
    // Of a paced answer: when its next token is due, and the time from each to the next, in seconds.
    double due, period;
} connection;

static connection *connections[most_connections];
static answer answers[64];
static int answer_count;
static int poller;
// The connections whose answers are paced.
static connection *pacing[most_connections];
static int pacing_count;

static size_t chunk(char *place, const char *data) {
    size_t length = strlen(data) + 8;
    return (size_t)sprintf(place, "%zx\r\ndata: %s\n\n\r\n", length, data);
}

static const answer *answer_of(long tokens) {
    for (int index = 0; index < answer_count; index++) {
        if (answers[index].tokens == tokens) return &answers[index];
    }
    if (answer_count == 64 || tokens < 0 || tokens > 9999999) return NULL;
    answer *it = &answers[answer_count++];
    it->tokens = tokens;
    char *place = it->bytes = malloc(4096 + (size_t)tokens * 256);
    if (!place) abort();
    place += sprintf(place, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    it->headBytes = (size_t)(place - it->bytes);
    for (long number = 0; number < tokens; number++) {
        char data[256];
        snprintf(
            data, sizeof data,
            "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1764100000,\"model\":\"m\",\"choices\":"
            "[{\"index\":0,\"delta\":{\"content\":\"%07ld \"},\"finish_reason\":null}]}",
            number);
        it->tokenBytes = chunk(place, data);
        place += it->tokenBytes;
    }
    char data[256];
    snprintf(
        data, sizeof data,
        "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1764100000,\"model\":\"m\",\"choices\":"
        "[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":%ld}}",
        tokens);
    place += chunk(place, data);
    place += chunk(place, "[DONE]");
    place += sprintf(place, "0\r\n\r\n");
    it->length = (size_t)(place - it->bytes);
    return it;
}

static void drop(connection *it) {
    for (int index = 0; index < pacing_count; index++) {
        if (pacing[index] == it) pacing[index--] = pacing[--pacing_count];
    }
    connections[it->descriptor] = NULL;
    close(it->descriptor);
    free(it);
}

static void watch(connection *it, bool waits) {
    if (it->waits == waits) return;
    it->waits = waits;
    struct epoll_event event = {.events = EPOLLIN | (waits ? EPOLLOUT : 0u), .data.fd = it->descriptor};
    epoll_ctl(poller, EPOLL_CTL_MOD, it->descriptor, &event);
}

// Where the write ends that begins at a place.
static size_t end_of_write(const connection *it) {
    const answer *answer = it->answer;
    size_t tokensEnd = answer->headBytes + (size_t)answer->tokens * answer->tokenBytes;
    size_t last = it->manner == hang ? tokensEnd : answer->length;
    if (it->manner == batch || it->manner == hang) return last - it->written > burst_bytes ? it->written + burst_bytes : last;
    // The head goes alone, as it does where a model thinks before it speaks.
    if (it->written < answer->headBytes) return answer->headBytes;
    if (it->written >= tokensEnd) return answer->length;
    size_t begun = (it->written - answer->headBytes) / answer->tokenBytes;
    return answer->headBytes + (begun + 1) * answer->tokenBytes;
}

// Writes for a while: others are served too.
static bool serve(connection *it) {
    for (int count = 0; it->answer && count < (it->manner == each ? burst_writes : 1); count++) {
        size_t end = end_of_write(it);
        if (end > it->written) {
            ssize_t written = send(it->descriptor, it->answer->bytes + it->written, end - it->written, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (written < 0 && errno != EAGAIN) return false;
            if (written < 0) break;
            it->written += (size_t)written;
        }
        size_t last = it->answer->length;
        if (it->manner == hang) last = it->answer->headBytes + (size_t)it->answer->tokens * it->answer->tokenBytes;
        if (it->written == last) it->answer = NULL;
    }
    watch(it, it->answer != NULL);
    return true;
}

// Begins a paced answer. The streams are spread over the time between two tokens, as those of many people are: a server that sent to all at
// once would be read at once too, and more cheaply.
static bool pace(connection *it) {
    it->due = floor_now() + it->period * (pacing_count % 20) / 20;
    pacing[pacing_count++] = it;
    return true;
}

// Writes the tokens that are due, of which a slow client may get some later.
static void keep_pace(void) {
    double now = floor_now();
    for (int index = 0; index < pacing_count; index++) {
        connection *it = pacing[index];
        if (it->due > now) continue;
        size_t end = end_of_write(it);
        ssize_t written = send(it->descriptor, it->answer->bytes + it->written, end - it->written, MSG_NOSIGNAL | MSG_DONTWAIT);
        // Who is gone is noticed when its end is read.
        if (written < 0) continue;
        it->written += (size_t)written;
        if (it->written < end) continue;
        // The head goes with the first token's time, and the end with the last one's.
        size_t tokensEnd = it->answer->headBytes + (size_t)it->answer->tokens * it->answer->tokenBytes;
        if (it->written > it->answer->headBytes && it->written < tokensEnd) it->due += it->period;
        if (it->written < it->answer->length) continue;
        it->answer = NULL;
        pacing[index--] = pacing[--pacing_count];
    }
}

// Takes what a client has sent.
static bool take(connection *it, const char *bytes, size_t count) {
    while (count > 0) {
        if (it->body > 0) {
            size_t part = count < it->body ? count : it->body;
            it->body -= part;
            bytes += part;
            count -= part;
        } else {
            size_t part = count < head_bytes - 1 - it->held ? count : head_bytes - 1 - it->held;
            if (part == 0) return false;
            memcpy(it->head + it->held, bytes, part);
            size_t before = it->held;
            it->held += part;
            it->head[it->held] = 0;
            char *end = strstr(it->head, "\r\n\r\n");
            if (!end) {
                bytes += part;
                count -= part;
                continue;
            }
            size_t used = (size_t)(end + 4 - it->head) - before;
            bytes += used;
            count -= used;
            end[2] = 0;
            char word[16];
            long tokens, rate = 50;
            if (sscanf(it->head, "POST /%15[a-z]/%ld/%ld", word, &tokens, &rate) < 2 || rate < 1) return false;
            it->manner = word[0] == 'e' ? each : word[0] == 'b' ? batch : word[0] == 'p' ? paced : hang;
            it->period = 1.0 / (double)rate;
            char *length = strcasestr(it->head, "\r\ncontent-length:");
            it->body = length ? strtoul(length + 17, NULL, 10) : 0;
            it->held = 0;
            it->answer = answer_of(tokens);
            it->written = 0;
            if (!it->answer) return false;
        }
        // A request with its body is answered when all of it is there.
        if (it->body == 0 && it->answer && it->written == 0 && !(it->manner == paced ? pace(it) : serve(it))) return false;
    }
    return true;
}

static bool receive(connection *it) {
    static char buffer[1 << 16];
    for (;;) {
        ssize_t count = recv(it->descriptor, buffer, sizeof buffer, MSG_DONTWAIT);
        if (count < 0) return errno == EAGAIN;
        if (count == 0 || !take(it, buffer, (size_t)count)) return false;
        if ((size_t)count < sizeof buffer) return true;
    }
}

static void greet(int listener) {
    int descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor < 0) return;
    connection *it = descriptor < most_connections ? calloc(1, sizeof *it) : NULL;
    if (!it) {
        close(descriptor);
        return;
    }
    int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    it->descriptor = descriptor;
    connections[descriptor] = it;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
}

int floor_upstream(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (listener < 0 || poller < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 4096) != 0
        || getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        return 1;
    }
    char line[16];
    int length = snprintf(line, sizeof line, "%d\n", ntohs(address.sin_port));
    if (write(STDOUT_FILENO, line, (size_t)length) != length) return 1;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    event.data.fd = STDIN_FILENO;
    epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    for (;;) {
        struct epoll_event events[256];
        if (pacing_count > 0) keep_pace();
        int count = epoll_wait(poller, events, 256, pacing_count > 0 ? 1 : -1);
        for (int index = 0; index < count; index++) {
            int descriptor = events[index].data.fd;
            if (descriptor == STDIN_FILENO) return 0;
            if (descriptor == listener) {
                greet(listener);
                continue;
            }
            connection *it = connections[descriptor];
            if (!it) continue;
            bool isWell = true;
            if (events[index].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) isWell = receive(it);
            if (isWell && it->answer && it->body == 0 && events[index].events & EPOLLOUT) isWell = serve(it);
            if (!isWell) drop(it);
        }
    }
}

#define _GNU_SOURCE
#include "BenchmarkFloors.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int floor_connect(uint16_t port) {
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connection < 0) return -1;
    int on = 1;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(connection, (struct sockaddr *)&address, sizeof address) == 0) return connection;
    close(connection);
    return -1;
}

uint16_t floor_free_port(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int code = bind(listener, (struct sockaddr *)&address, size) | getsockname(listener, (struct sockaddr *)&address, &size);
    close(listener);
    return code == 0 ? ntohs(address.sin_port) : 0;
}

static bool request(int connection, const char *path, const char *body) {
    char *text = NULL;
    int length = asprintf(
        &text,
        "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer sk-benchmarks\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n"
        "%s",
        path, strlen(body), body);
    bool isWell = length > 0 && send(connection, text, (size_t)length, MSG_NOSIGNAL) == length;
    free(text);
    return isWell;
}

// Reads an answer as it comes, cut anywhere.
typedef struct {
    // What was left of the last piece, and is no whole line.
    char rest[1024];
    size_t held;
    long tokens;
    bool hasEnded, isBroken;
} reader;

static void read_line(reader *it, const char *line, size_t length) {
    static const char mark[] = "\"content\":\"";
    if (length >= 6 && memcmp(line, "data: ", 6) == 0) {
        const char *text = memmem(line, length, mark, sizeof mark - 1);
        // Some begin with a piece that is empty.
        if (text && text[sizeof mark - 1] == '"') return;
        if (text && strtol(text + sizeof mark - 1, NULL, 10) != it->tokens++) it->isBroken = true;
    } else if (length == 2 && line[0] == '0') {
        it->hasEnded = true;
    }
}

static void take(reader *it, const char *bytes, size_t count) {
    while (count > 0) {
        const char *end = memchr(bytes, '\n', count);
        size_t part = end ? (size_t)(end - bytes) + 1 : count;
        if (it->held > 0 || !end) {
            if (it->held + part > sizeof it->rest) {
                it->isBroken = true;
                return;
            }
            memcpy(it->rest + it->held, bytes, part);
            it->held += part;
            if (end) read_line(it, it->rest, it->held - 1), it->held = 0;
        } else {
            read_line(it, bytes, part - 1);
        }
        bytes += part;
        count -= part;
    }
}

floor_answer floor_ask(int connection, const char *path, const char *body) {
    static char buffer[1 << 16];
    reader reader = {0};
    floor_answer answer = {0};
    double start = floor_now();
    if (!request(connection, path, body)) return (floor_answer){.tokens = -1};
    while (!reader.hasEnded && !reader.isBroken) {
        ssize_t count = recv(connection, buffer, sizeof buffer, 0);
        if (count <= 0) return (floor_answer){.tokens = -1};
        take(&reader, buffer, (size_t)count);
        if (reader.tokens > 0 && answer.first == 0) answer.first = floor_now() - start;
    }
    answer.whole = floor_now() - start;
    answer.tokens = reader.isBroken ? -1 : reader.tokens;
    return answer;
}

long floor_relay(uint16_t port, const char *path, const char *body, int streams, double *seconds) {
    static char buffer[1 << 16];
    struct pollfd *waiting = calloc((size_t)streams, sizeof *waiting);
    reader *readers = calloc((size_t)streams, sizeof *readers);
    if (!waiting || !readers) abort();
    for (int index = 0; index < streams; index++) waiting[index] = (struct pollfd){.fd = floor_connect(port), .events = POLLIN};
    double start = floor_now();
    long tokens = 0;
    int open = 0;
    for (; open < streams; open++) {
        if (!request(waiting[open].fd, path, body)) tokens = -1;
    }
    while (open > 0 && tokens >= 0) {
        if (poll(waiting, (nfds_t)streams, -1) < 0) tokens = -1;
        for (int index = 0; index < streams && tokens >= 0; index++) {
            if (!waiting[index].revents) continue;
            ssize_t count = recv(waiting[index].fd, buffer, sizeof buffer, 0);
            if (count <= 0) tokens = -1;
            else take(&readers[index], buffer, (size_t)count);
            if (readers[index].isBroken) tokens = -1;
            if (tokens < 0 || !readers[index].hasEnded) continue;
            tokens += readers[index].tokens;
            close(waiting[index].fd);
            waiting[index].fd = -1;
            open--;
        }
    }
    *seconds = floor_now() - start;
    for (int index = 0; index < streams; index++) {
        if (waiting[index].fd >= 0) close(waiting[index].fd);
    }
    free(waiting);
    free(readers);
    return tokens;
}

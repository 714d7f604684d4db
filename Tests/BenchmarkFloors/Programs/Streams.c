// Not part of the target: the benchmarks compile it to a program of its own, the floor of what a token costs a host with many streams. It does
// what a host cannot leave undone, in one thread and with the same libcurl, set up in the same way: it reads requests by the line, asks the
// server for each, finds the text in each event, keeps it, and passes it on in a line of the same length as a host's.
//
//     cc -O2 -o streams Streams.c -lcurl
//     streams URL BODY
//
// What it leaves out is all that makes a host safe: no JSON is parsed, nothing is stored, and whatever is unexpected ends the program with 1.
#define _GNU_SOURCE
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

// As the host's, without which this would wake once for each token: see HTTPEngine.pace().
enum { pace_streams = 64, pace_nanoseconds = 300000 };

typedef struct {
    long number, sequence;
    // What of a line has come, when it was cut.
    char rest[512];
    size_t held;
    // The answer so far.
    char *text;
    size_t length, room;
} stream;

static CURLM *multi;
static int poller, running;
static long timer_due = -1;
static struct curl_slist *headers;
static const char *url, *body;
// What leaves in one write at the end of a round.
static char *output;
static size_t output_length, output_room;

static void require(bool isWell, const char *what) {
    if (isWell) return;
    fprintf(stderr, "streams: %s\n", what);
    exit(1);
}

static long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

// Room for more bytes behind those that are there.
static char *make_room(char **bytes, size_t length, size_t *room, size_t more) {
    if (length + more > *room) {
        *room = (length + more) * 2;
        *bytes = realloc(*bytes, *room);
        require(*bytes, "no memory");
    }
    return *bytes + length;
}

static void append(const void *bytes, size_t count) {
    memcpy(make_room(&output, output_length, &output_room, count), bytes, count);
    output_length += count;
}

static void flush(void) {
    for (size_t done = 0; done < output_length;) {
        ssize_t count = write(STDOUT_FILENO, output + done, output_length - done);
        require(count > 0, "nobody reads");
        done += (size_t)count;
    }
    output_length = 0;
}

// The beginning of a notification, with names as long as a host's.
static void begin_line(const char *method, const stream *it) {
    static const char name[] = "01a21967-4fe3-7a0b-b814-36578a41e87c";
    char *place = make_room(&output, output_length, &output_room, 512);
    output_length += (size_t)sprintf(
        place, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":{\"conversationId\":\"%s\",\"turnId\":\"%s\",\"requestId\":%ld,\"seq\":%ld",
        method, name, name, it->number, it->sequence);
}

static void take_line(stream *it, const char *line, size_t length) {
    static const char mark[] = "\"content\":\"", middle[] = ",\"messageId\":\"01a21967-4fe9-76e5-a813-ea28c2e5b89d\",\"delta\":\"";
    const char *text = length > 6 && memcmp(line, "data: ", 6) == 0 ? memmem(line, length, mark, sizeof mark - 1) : NULL;
    if (!text) return;
    text += sizeof mark - 1;
    const char *end = memchr(text, '"', (size_t)(line + length - text));
    require(end, "a text without an end");
    size_t count = (size_t)(end - text);
    if (count == 0) return;
    it->sequence++;
    begin_line("messageDelta", it);
    append(middle, sizeof middle - 1);
    append(text, count);
    append("\"}}\n", 4);
    memcpy(make_room(&it->text, it->length, &it->room, count), text, count);
    it->length += count;
}

static size_t take_body(char *bytes, size_t size, size_t all, void *context) {
    stream *it = context;
    (void)size;
    for (size_t left = all; left > 0;) {
        char *end = memchr(bytes, '\n', left);
        size_t part = end ? (size_t)(end - bytes) + 1 : left;
        if (end && it->held == 0) {
            take_line(it, bytes, part);
        } else {
            require(it->held + part <= sizeof it->rest, "a line is too long");
            memcpy(it->rest + it->held, bytes, part);
            it->held += part;
            if (end) take_line(it, it->rest, it->held), it->held = 0;
        }
        bytes += part;
        left -= part;
    }
    return all;
}

static size_t take_header(char *line, size_t size, size_t count, void *context) {
    stream *it = context;
    (void)size;
    // All that an answer needs to begin is behind it then.
    if (line[0] != '\r') return count;
    it->sequence++;
    begin_line("turnStarted", it);
    append("}}\n", 3);
    return count;
}

static void begin(long number) {
    stream *it = calloc(1, sizeof *it);
    CURL *easy = curl_easy_init();
    require(it && easy, "no memory");
    it->number = number;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 16L << 10);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, it);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, it);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, it);
    require(curl_multi_add_handle(multi, easy) == CURLM_OK, "a request cannot begin");
    running++;
}

static void end(CURL *easy, CURLcode code) {
    stream *it;
    long status;
    require(code == CURLE_OK, curl_easy_strerror(code));
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &it);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    require(status == 200 && it->held == 0, "an answer is no success");
    it->sequence++;
    begin_line("turnCompleted", it);
    static const char middle[] = ",\"turn\":{\"status\":\"completed\"},\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"";
    append(middle, sizeof middle - 1);
    append(it->text, it->length);
    append("\"}]}}}\n", 7);
    curl_multi_remove_handle(multi, easy);
    curl_easy_cleanup(easy);
    free(it->text);
    free(it);
    running--;
}

static int watch(CURL *easy, curl_socket_t socket, int wish, void *context, void *unused) {
    (void)easy, (void)context, (void)unused;
    struct epoll_event event = {.events = (wish & CURL_POLL_IN ? EPOLLIN : 0u) | (wish & CURL_POLL_OUT ? EPOLLOUT : 0u), .data.fd = socket};
    if (wish == CURL_POLL_REMOVE) epoll_ctl(poller, EPOLL_CTL_DEL, socket, &event);
    else if (epoll_ctl(poller, EPOLL_CTL_MOD, socket, &event) != 0) epoll_ctl(poller, EPOLL_CTL_ADD, socket, &event);
    return 0;
}

static int set_timer(CURLM *unused, long milliseconds, void *context) {
    (void)unused, (void)context;
    timer_due = milliseconds < 0 ? -1 : now() + milliseconds * 1000000;
    return 0;
}

// Begins a stream for each line that has come; false at the end of the input.
static bool take_input(void) {
    static char input[1 << 16];
    static size_t held;
    ssize_t count = read(STDIN_FILENO, input + held, sizeof input - 1 - held);
    if (count <= 0) return false;
    held += (size_t)count;
    char *line = input;
    for (char *next; (next = memchr(line, '\n', held - (size_t)(line - input))); line = next + 1) {
        *next = 0;
        char *number = strstr(line, "\"id\":");
        require(number, "a request without a number");
        begin(strtol(number + 5, NULL, 10));
    }
    held -= (size_t)(line - input);
    memmove(input, line, held);
    return true;
}

int main(int count, char **arguments) {
    require(count == 3, "usage: streams URL BODY");
    url = arguments[1];
    body = arguments[2];
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = curl_multi_init();
    poller = epoll_create1(EPOLL_CLOEXEC);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
    for (const char **line = (const char *[]){"Expect:", "Content-Type: application/json", "Accept: text/event-stream", NULL}; *line; line++) {
        headers = curl_slist_append(headers, *line);
    }
    struct epoll_event events[256], input = {.events = EPOLLIN, .data.fd = STDIN_FILENO};
    require(epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &input) == 0, "the input is no pipe");
    long round = now();
    for (;;) {
        int unused, left;
        if (timer_due >= 0 && timer_due <= now()) {
            timer_due = -1;
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &unused);
        }
        for (CURLMsg *message; (message = curl_multi_info_read(multi, &left));) {
            if (message->msg == CURLMSG_DONE) end(message->easy_handle, message->data.result);
        }
        flush();
        long rest = running < pace_streams ? 0 : pace_nanoseconds - (now() - round);
        if (rest > 0) nanosleep(&(struct timespec){.tv_nsec = rest}, NULL);
        long wait = timer_due - now();
        int ready = epoll_wait(poller, events, 256, timer_due < 0 ? -1 : wait > 0 ? (int)(wait / 1000000 + 1) : 0);
        round = now();
        for (int index = 0; index < ready; index++) {
            unsigned int what = events[index].events;
            if (events[index].data.fd == STDIN_FILENO) {
                if (!take_input()) return running > 0;
                continue;
            }
            int readiness = (what & EPOLLIN ? CURL_CSELECT_IN : 0) | (what & EPOLLOUT ? CURL_CSELECT_OUT : 0)
                | (what & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
            curl_multi_socket_action(multi, events[index].data.fd, readiness, &unused);
        }
    }
}

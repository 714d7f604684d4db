// Not part of the target: the benchmarks compile it to a program of its own, the floor of what a token costs a host with many streams. It
// does what a host cannot leave undone, in one thread and with the same libcurl, set up in the same way: it begins a stream for each line
// of its input, and passes on what comes until all have ended.
//
//     cc -O2 -o streams Streams.c -lcurl
//     streams URL BODY
//
// A stream has begun, for whoever measures, when the head of its answer has come: connecting is none of a token's cost.
#define _GNU_SOURCE
#include "Answer.h"

#include <sys/epoll.h>
#include <time.h>

// As the host's, without which this would wake once for each token: see HTTPEngine.pace().
enum { pace_streams = 64, pace_nanoseconds = 300000 };

static CURLM *multi;
static const char *url, *body;
static int poller, running;
// When libcurl wants to be called although no socket is ready; -1 for never.
static long timer_due = -1;

static long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

static size_t take_header(char *line, size_t size, size_t count, void *context) {
    if (line[0] == '\r') write_started(context);
    return size * count;
}

static void begin(long number) {
    answer *it = calloc(1, sizeof *it);
    require(it, "no memory");
    it->number = number;
    CURL *easy = make_request(url, body, it);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, it);
    require(curl_multi_add_handle(multi, easy) == CURLM_OK, "a request cannot begin");
    running++;
}

static void end_streams(void) {
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(multi, &left));) {
        answer *it = ended_answer(message);
        CURL *easy = message->easy_handle;
        write_completed(it);
        curl_multi_remove_handle(multi, easy);
        curl_easy_cleanup(easy);
        free(it->text);
        free(it);
        running--;
    }
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

int main(int count, char **arguments) {
    require(count == 3, "usage: streams URL BODY");
    url = arguments[1];
    body = arguments[2];
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = curl_multi_init();
    poller = epoll_create1(EPOLL_CLOEXEC);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
    struct epoll_event events[256], input = {.events = EPOLLIN, .data.fd = STDIN_FILENO};
    require(epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &input) == 0, "the input is no pipe");
    for (long round = now();;) {
        int unused;
        if (timer_due >= 0 && timer_due <= now()) {
            timer_due = -1;
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &unused);
        }
        end_streams();
        flush();
        long rest = running < pace_streams ? 0 : pace_nanoseconds - (now() - round);
        if (rest > 0) nanosleep(&(struct timespec){.tv_nsec = rest}, NULL);
        long wait = timer_due - now();
        int ready = epoll_wait(poller, events, 256, timer_due < 0 ? -1 : wait > 0 ? (int)(wait / 1000000 + 1) : 0);
        round = now();
        for (int index = 0; index < ready; index++) {
            unsigned int what = events[index].events;
            if (events[index].data.fd == STDIN_FILENO) {
                if (!take_requests(begin)) return running > 0;
                continue;
            }
            int readiness = (what & EPOLLIN ? CURL_CSELECT_IN : 0) | (what & EPOLLOUT ? CURL_CSELECT_OUT : 0)
                | (what & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
            curl_multi_socket_action(multi, events[index].data.fd, readiness, &unused);
        }
    }
}

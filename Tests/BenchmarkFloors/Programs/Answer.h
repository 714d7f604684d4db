// What the floors do with a model's answer as it comes from libcurl: they find the text in each event, keep it, and pass it on in lines
// that are as long as a host's. No JSON is parsed, and whatever is unexpected ends the program with 1.
#ifndef PARLEY_ANSWER_H
#define PARLEY_ANSWER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    // The number of the request, and of the last line about it.
    long number, sequence;
    // What of an event's line has come, when it was cut.
    char rest[512];
    size_t held;
    // The text so far.
    char *text;
    size_t length, room;
} answer;

// What leaves in one write.
static char *output;
static size_t output_length, output_room;

static void require(bool isWell, const char *what) {
    if (isWell) return;
    fprintf(stderr, "the floor has failed: %s\n", what);
    exit(1);
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

static void append(const char *bytes, size_t count) {
    memcpy(make_room(&output, output_length, &output_room, count), bytes, count);
    output_length += count;
}

static void append_text(const char *text) { append(text, strlen(text)); }

static void flush(void) {
    for (size_t done = 0; done < output_length;) {
        ssize_t count = write(STDOUT_FILENO, output + done, output_length - done);
        require(count > 0, "nobody reads");
        done += (size_t)count;
    }
    output_length = 0;
}

// The beginning of a notification, with names as long as a host's.
static void begin_line(const char *method, answer *it) {
    char numbers[64];
    append_text("{\"jsonrpc\":\"2.0\",\"method\":\"");
    append_text(method);
    append_text("\",\"params\":{\"conversationId\":\"01a21967-4fe3-7a0b-b814-36578a41e87c\"");
    append_text(",\"turnId\":\"01a21967-4fe3-72d9-a7fc-fbfc6f949edf\",\"requestId\":");
    append(numbers, (size_t)sprintf(numbers, "%ld,\"seq\":%ld", it->number, ++it->sequence));
}

static void write_started(answer *it) {
    begin_line("turnStarted", it);
    append_text("}}\n");
}

static void write_completed(answer *it) {
    begin_line("turnCompleted", it);
    append_text(",\"turn\":{\"status\":\"completed\"},\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"");
    append(it->text, it->length);
    append_text("\"}]}}}\n");
}

static void take_event_line(answer *it, const char *line, size_t length) {
    static const char mark[] = "\"content\":\"";
    const char *text = length > 6 && memcmp(line, "data: ", 6) == 0 ? memmem(line, length, mark, sizeof mark - 1) : NULL;
    if (!text) return;
    text += sizeof mark - 1;
    const char *end = memchr(text, '"', (size_t)(line + length - text));
    require(end, "a text without an end");
    size_t count = (size_t)(end - text);
    if (count == 0) return;
    begin_line("messageDelta", it);
    append_text(",\"messageId\":\"01a21967-4fe9-76e5-a813-ea28c2e5b89d\",\"delta\":\"");
    append(text, count);
    append_text("\"}}\n");
    memcpy(make_room(&it->text, it->length, &it->room, count), text, count);
    it->length += count;
}

// For CURLOPT_WRITEFUNCTION: takes a part of an answer, cut anywhere.
static size_t take_body(char *bytes, size_t size, size_t count, void *context) {
    answer *it = context;
    for (size_t left = size * count; left > 0;) {
        char *end = memchr(bytes, '\n', left);
        size_t part = end ? (size_t)(end - bytes) + 1 : left;
        if (end && it->held == 0) {
            take_event_line(it, bytes, part);
        } else {
            require(it->held + part <= sizeof it->rest, "a line is too long");
            memcpy(it->rest + it->held, bytes, part);
            it->held += part;
            if (end) take_event_line(it, it->rest, it->held), it->held = 0;
        }
        bytes += part;
        left -= part;
    }
    return size * count;
}

// A request set up as the host's are: see HTTPTransfer+Options.swift.
static CURL *make_request(const char *url, const char *body, answer *it) {
    static struct curl_slist *headers;
    if (!headers) {
        const char *lines[] = {"Expect:", "Accept-Encoding: identity", "Content-Type: application/json", "Accept: text/event-stream"};
        for (size_t index = 0; index < sizeof lines / sizeof *lines; index++) headers = curl_slist_append(headers, lines[index]);
    }
    CURL *easy = curl_easy_init();
    require(easy, "no memory");
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 4L << 10);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, it);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, it);
    return easy;
}

// Takes what libcurl says of an answer that has ended: where it belongs.
static answer *ended_answer(const CURLMsg *message) {
    answer *it;
    long status;
    require(message->msg == CURLMSG_DONE && message->data.result == CURLE_OK, curl_easy_strerror(message->data.result));
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &it);
    curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
    require(status == 200 && it->held == 0, "an answer is no success");
    return it;
}

// Reads what has come of the input, and hands over the number of each request in it; false at the end of the input.
static bool take_requests(void (*begin)(long number)) {
    static char input[1 << 16];
    static size_t held;
    ssize_t count = read(STDIN_FILENO, input + held, sizeof input - held);
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

#endif

// Not part of the target: the benchmarks compile it to a program of its own, the floor of a turn. It does in one thread, one after the
// other, what a turn needs that is there after a crash: it reads a request, runs the statements with which the host admitted such a turn,
// says so, asks the server over a connection that is kept, passes on what comes, runs the statements with which the host ended the turn,
// and answers.
//
//     cc -O2 -I ../include -o turn Turn.c ../Replay.c ../System.c -lcurl -lsqlite3
//     turn URL BODY RECORDING FROM TO DATABASE
//
// RECORDING is what Recorder.c has written of a host that took as many turns, one at a time; FROM and TO are between which places in it
// those lie, and DATABASE is as the host's was before. So the statements are the host's own, whatever becomes of them, and what is left out
// is all that a host does beside SQLite, libcurl and the pipes: reading JSON, tasks, threads, and looking after others.
#define _GNU_SOURCE
#include "Answer.h"
#include "BenchmarkFloors.h"

static CURLM *multi;
static CURL *easy;
static answer current;
static floor_replayer *replayer;

// Runs statements up to the next transaction behind one with that text.
static void run_past(const char *text) {
    const char *error = floor_replay_past(replayer, text);
    require(!error, error);
}

static void take_turn(long number) {
    current.number = number;
    current.sequence = 0;
    current.length = 0;
    // With what the host has done of itself in between, such as to look for turns that wait.
    run_past("INSERT INTO turns");
    write_started(&current);
    flush();
    require(curl_multi_add_handle(multi, easy) == CURLM_OK, "a request cannot begin");
    for (int running = 1; running > 0;) {
        require(curl_multi_perform(multi, &running) == CURLM_OK, "libcurl does not work");
        flush();
        if (running > 0) curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    int left;
    CURLMsg *message = curl_multi_info_read(multi, &left);
    require(message && ended_answer(message) == &current, "an answer has no end");
    curl_multi_remove_handle(multi, easy);
    run_past("UPDATE turns SET status");
    write_completed(&current);
    char reply[64];
    sprintf(reply, "{\"jsonrpc\":\"2.0\",\"id\":%ld,\"result\":{\"message\":\"", number);
    append_text(reply);
    append(current.text, current.length);
    append_text("\"}}\n");
    flush();
}

int main(int count, char **arguments) {
    require(count == 7, "usage: turn URL BODY RECORDING FROM TO DATABASE");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = curl_multi_init();
    easy = make_request(arguments[1], arguments[2], &current);
    replayer = floor_replay_begin(arguments[3], strtoul(arguments[5], NULL, 10), arguments[6]);
    require(replayer, "no recording");
    const char *error = floor_replay_to(replayer, strtoul(arguments[4], NULL, 10));
    require(!error, error);
    while (take_requests(take_turn)) {}
}

// What the benchmarks compare with, and what they ask, in plain C: each floor does what the host does with nothing around it.
#ifndef PARLEY_BENCHMARK_FLOORS_H
#define PARLEY_BENCHMARK_FLOORS_H

#include <stddef.h>
#include <stdint.h>

// Seconds of the monotonic clock.
double floor_now(void);

// What Swift's Glibc module leaves out.

// A pipe that is closed on exec, with room for all that may be under way in a benchmark (1 MiB); 0 when there is one.
int floor_pipe(int ends[2]);

// Where a mark stands in some bytes; NULL when it does not.
const void *floor_find(const void *bytes, size_t count, const void *mark, size_t length);

// How many lines end in some bytes.
size_t floor_count_lines(const void *bytes, size_t count);

// Lets this thread, and the programs that it starts, run on one processor alone, until the other call; 0 when that could be done.
int floor_use_one_processor(void);
void floor_use_all_processors(void);

// A server of models on 127.0.0.1, until its input ends. It prints its port, and serves whoever connects from one thread, with connections
// that are kept. The path of a request says how it is answered; each token is its number in seven digits and a space, one event and one
// chunk of HTTP:
//
//     /each/N/…         N tokens at once, each written alone
//     /batch/N/…        N tokens at once, written as many at a time as the socket takes
//     /hang/N/…         N tokens at once, and then nothing more
//     /paced/N/RATE/…   N tokens, RATE in a second
//
// Returns 0, or 1 when there is no socket.
int floor_upstream(void);

// The length of a token.
enum { floor_token_bytes = 8 };

// A connection to a server on 127.0.0.1, blocking; -1 when there is none.
int floor_connect(uint16_t port);

// A port of 127.0.0.1 on which nobody listens; 0 when there is none.
uint16_t floor_free_port(void);

// What came of one request.
typedef struct {
    // Seconds from the request to the first token, and to the end of the answer.
    double first, whole;
    // How many tokens came; -1 when the connection or the answer was broken.
    long tokens;
} floor_answer;

// Asks a server over a connection that is kept, as a client with nothing else to do. `body` is the JSON that is sent.
floor_answer floor_ask(int connection, const char *path, const char *body);

// Asks a server over so many connections at once, and reads all answers from one thread.
//
// Returns how many tokens came, -1 when something was broken; and in what time.
long floor_relay(uint16_t port, const char *path, const char *body, int streams, double *seconds);

// What the runs of one statement took together.
typedef struct {
    // Not ended by a NUL.
    const char *text;
    uint32_t textBytes;
    long runs;
    double seconds;
} floor_statement;

// What came of a replay.
typedef struct {
    // The time of the statements that count, in seconds.
    double seconds;
    // How many they were, and how many transactions that write were among them.
    long statements, transactions;
    // What went wrong; NULL when nothing did.
    const char *error;
} floor_replay_outcome;

// Runs the statements that a host has run, with the same values and in the same transactions, compiled once, all from one thread: see
// Programs/Recorder.c for the file.
//
// - file: what was recorded.
// - from, to: between which places in it the statements lie whose time counts; those before are run too, and those behind are not.
// - database: the database, as it was when the recording began.
// - each: called for each statement at the end, with what it took, which makes the whole slower; NULL when nobody wants to know.
floor_replay_outcome floor_replay(
    const char *file, size_t from, size_t to, const char *database, void (*each)(floor_statement statement, void *context), void *context);

// The same, a part at a time; see `floor_replay` for the parameters.
typedef struct floor_replayer floor_replayer;

// Begins before the first statement; NULL when there is no such file, or not all was recorded.
floor_replayer *floor_replay_begin(const char *file, size_t to, const char *database);

// Runs the statements up to a place in the file. Returns what went wrong; NULL when nothing did.
const char *floor_replay_to(floor_replayer *it, size_t place);

// Runs the statements up to the next one that begins with this text, and on to the transaction that writes next, or to the end. Returns what
// went wrong; NULL when nothing did.
const char *floor_replay_past(floor_replayer *it, const char *text);

#endif

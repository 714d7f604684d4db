#define _GNU_SOURCE
#include "BenchmarkFloors.h"
#include "Recording.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { most_connections = 64, most_statements = 1 << 16 };

static char message[512];

struct floor_replayer {
    // The file, how much of it counts, and the place of the next entry.
    const char *bytes;
    size_t end, place;
    const char *database;
    sqlite3 *connections[most_connections];
    sqlite3_stmt *known[most_statements];
    // What each statement cost; NULL when nobody wants to know.
    floor_statement *costs;
};

static const char *failed(const char *what, const char *detail) {
    snprintf(message, sizeof message, "%s: %.400s", what, detail);
    return message;
}

static int bind_values(sqlite3_stmt *statement, const recording_entry *entry) {
    const char *place = (const char *)(entry + 1) + RECORDING_ROUNDED(entry->textBytes);
    int code = SQLITE_OK;
    for (int index = 1; index <= (int)entry->values && code == SQLITE_OK; index++) {
        const recording_value *value = (const recording_value *)place;
        place += sizeof *value;
        switch (value->type) {
        case SQLITE_INTEGER: code = sqlite3_bind_int64(statement, index, value->integer); break;
        case SQLITE_FLOAT: code = sqlite3_bind_double(statement, index, value->real); break;
        // They stay where they are until the statement has run, so nothing needs to be copied.
        case SQLITE_TEXT: code = sqlite3_bind_text(statement, index, place, (int)value->bytes, SQLITE_STATIC); break;
        case SQLITE_BLOB: code = sqlite3_bind_blob(statement, index, place, (int)value->bytes, SQLITE_STATIC); break;
        default: break;
        }
        place += RECORDING_ROUNDED(value->bytes);
    }
    return code;
}

// Runs one statement, as often as it was stepped, and reads each column of each row.
static int run(sqlite3_stmt *statement, const recording_entry *entry) {
    int code = bind_values(statement, entry);
    for (uint32_t step = 0; step < entry->steps && code == SQLITE_OK; step++) {
        code = sqlite3_step(statement);
        if (code != SQLITE_ROW) {
            code = code == SQLITE_DONE ? SQLITE_OK : code;
            break;
        }
        code = SQLITE_OK;
        int columns = sqlite3_column_count(statement);
        for (int column = 0; column < columns; column++) {
            if (sqlite3_column_type(statement, column) == SQLITE_INTEGER) sqlite3_column_int64(statement, column);
            else sqlite3_column_blob(statement, column);
        }
    }
    int reset = sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return code == SQLITE_OK ? reset : code;
}

static const recording_entry *next_entry(const floor_replayer *it) {
    return it->place < it->end ? (const recording_entry *)(it->bytes + it->place) : NULL;
}

static int begins(const recording_entry *entry, const char *text) {
    return strncmp((const char *)(entry + 1), text, strlen(text)) == 0;
}

// Runs the next statement, on the connection that it belongs to; returns what went wrong.
static const char *run_next(floor_replayer *it) {
    const recording_entry *entry = next_entry(it);
    if (!entry) return failed("no more was recorded", it->database);
    it->place += entry->bytes;
    if (entry->connection >= most_connections || entry->statement >= most_statements) return failed("too much", "connections, statements");
    sqlite3 **connection = &it->connections[entry->connection];
    if (!*connection) {
        // As the host does it: used by one thread at a time.
        int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
        if (sqlite3_open_v2(it->database, connection, flags, NULL) != SQLITE_OK) return failed("not opened", it->database);
        sqlite3_busy_timeout(*connection, 5000);
    }
    const char *text = (const char *)(entry + 1);
    sqlite3_stmt **statement = &it->known[entry->statement];
    if (!*statement && sqlite3_prepare_v2(*connection, text, (int)entry->textBytes, statement, NULL) != SQLITE_OK) {
        return failed(sqlite3_errmsg(*connection), text);
    }
    double begin = it->costs ? floor_now() : 0;
    int code = run(*statement, entry);
    if (it->costs) {
        floor_statement *cost = &it->costs[entry->statement];
        *cost = (floor_statement){text, entry->textBytes, cost->runs + 1, cost->seconds + floor_now() - begin};
    }
    return code == SQLITE_OK ? NULL : failed(sqlite3_errmsg(*connection), text);
}

floor_replayer *floor_replay_begin(const char *file, size_t to, const char *database) {
    // As the host does it; too late, and without effect, where the process has used SQLite before.
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    int descriptor = open(file, O_RDONLY | O_CLOEXEC);
    off_t size = descriptor < 0 ? 0 : lseek(descriptor, 0, SEEK_END);
    const char *bytes = size < (off_t)to || to == 0 ? MAP_FAILED : mmap(NULL, to, PROT_READ, MAP_PRIVATE | MAP_POPULATE, descriptor, 0);
    if (descriptor >= 0) close(descriptor);
    if (bytes == MAP_FAILED) return NULL;
    const recording_header *header = (const recording_header *)bytes;
    floor_replayer *it = header->isIncomplete || header->end < to ? NULL : calloc(1, sizeof *it);
    if (it) *it = (floor_replayer){.bytes = bytes, .end = to, .place = sizeof *header, .database = database};
    else munmap((void *)bytes, to);
    return it;
}

const char *floor_replay_to(floor_replayer *it, size_t place) {
    const char *error = NULL;
    while (!error && it->place < place) error = run_next(it);
    return error;
}

const char *floor_replay_past(floor_replayer *it, const char *text) {
    const char *error = NULL;
    for (int isPast = 0; !error; error = run_next(it)) {
        const recording_entry *entry = next_entry(it);
        if (isPast && (!entry || begins(entry, "BEGIN IMMEDIATE"))) break;
        if (entry && begins(entry, text)) isPast = 1;
    }
    return error;
}

static void end_replay(floor_replayer *it) {
    for (int index = 0; index < most_statements; index++) sqlite3_finalize(it->known[index]);
    for (int index = 0; index < most_connections; index++) sqlite3_close(it->connections[index]);
    munmap((void *)it->bytes, it->end);
    free(it->costs);
    free(it);
}

floor_replay_outcome floor_replay(
    const char *file, size_t from, size_t to, const char *database, void (*each)(floor_statement statement, void *context), void *context) {
    floor_replay_outcome outcome = {0};
    floor_replayer *it = floor_replay_begin(file, to, database);
    if (!it) return (floor_replay_outcome){.error = failed("not read, or not all was recorded", file)};
    outcome.error = floor_replay_to(it, from);
    if (each) it->costs = calloc(most_statements, sizeof *it->costs);
    if (each && !it->costs) abort();
    double start = floor_now();
    for (const recording_entry *entry; !outcome.error && (entry = next_entry(it));) {
        outcome.error = run_next(it);
        outcome.statements++;
        if (begins(entry, "BEGIN IMMEDIATE")) outcome.transactions++;
    }
    outcome.seconds = floor_now() - start;
    for (int index = 0; each && index < most_statements; index++) {
        if (it->costs[index].runs > 0) each(it->costs[index], context);
    }
    end_replay(it);
    return outcome;
}

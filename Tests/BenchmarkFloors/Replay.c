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

static floor_replay_outcome failed(const char *what, const char *detail) {
    snprintf(message, sizeof message, "%s: %.400s", what, detail);
    return (floor_replay_outcome){.error = message};
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

static floor_replay_outcome replay(const char *bytes, size_t from, size_t end, const char *database, sqlite3 **connections, sqlite3_stmt **known,
    floor_statement *costs) {
    floor_replay_outcome outcome = {0};
    double start = 0;
    for (size_t place = sizeof(recording_header); place < end;) {
        if (place >= from && start == 0) start = floor_now();
        const recording_entry *entry = (const recording_entry *)(bytes + place);
        place += entry->bytes;
        if (entry->connection >= most_connections || entry->statement >= most_statements) return failed("too much", "connections, statements");
        sqlite3 **connection = &connections[entry->connection];
        if (!*connection) {
            if (sqlite3_open(database, connection) != SQLITE_OK) return failed("not opened", database);
            sqlite3_busy_timeout(*connection, 5000);
        }
        const char *text = (const char *)(entry + 1);
        sqlite3_stmt **statement = &known[entry->statement];
        if (!*statement && sqlite3_prepare_v2(*connection, text, (int)entry->textBytes, statement, NULL) != SQLITE_OK) {
            return failed(sqlite3_errmsg(*connection), text);
        }
        double begin = costs && start != 0 ? floor_now() : 0;
        int code = run(*statement, entry);
        if (begin != 0) {
            floor_statement *cost = &costs[entry->statement];
            *cost = (floor_statement){text, entry->textBytes, cost->runs + 1, cost->seconds + floor_now() - begin};
        }
        if (code != SQLITE_OK) return failed(sqlite3_errmsg(*connection), text);
        if (start != 0) {
            outcome.statements++;
            if (strncmp(text, "BEGIN IMMEDIATE", 15) == 0) outcome.transactions++;
        }
    }
    outcome.seconds = floor_now() - start;
    return outcome;
}

floor_replay_outcome floor_replay(
    const char *file, size_t from, size_t to, const char *database, void (*each)(floor_statement statement, void *context), void *context) {
    int descriptor = open(file, O_RDONLY | O_CLOEXEC);
    off_t size = descriptor < 0 ? 0 : lseek(descriptor, 0, SEEK_END);
    const char *bytes = size < (off_t)to || to == 0 ? MAP_FAILED : mmap(NULL, to, PROT_READ, MAP_PRIVATE | MAP_POPULATE, descriptor, 0);
    if (descriptor >= 0) close(descriptor);
    if (bytes == MAP_FAILED) return failed("not read", file);
    const recording_header *header = (const recording_header *)bytes;
    sqlite3 *connections[most_connections] = {0};
    sqlite3_stmt **known = calloc(most_statements, sizeof *known);
    floor_statement *costs = each ? calloc(most_statements, sizeof *costs) : NULL;
    if (!known || (each && !costs)) abort();
    floor_replay_outcome outcome = header->isIncomplete || header->end < to
                                       ? failed("not all was recorded", file)
                                       : replay(bytes, from, to, database, connections, known, costs);
    for (int index = 0; index < most_statements; index++) {
        sqlite3_finalize(known[index]);
        if (costs && costs[index].runs > 0) each(costs[index], context);
    }
    for (int index = 0; index < most_connections; index++) sqlite3_close(connections[index]);
    free(known);
    free(costs);
    munmap((void *)bytes, to);
    return outcome;
}

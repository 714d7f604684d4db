// Not part of the target: the benchmarks compile it to a library that is loaded before SQLite into the program under test (`LD_PRELOAD`), so
// that the floor of durable turns needs no list of statements that somebody would have to keep up to date. It writes down each statement that
// the program runs, with the values that are bound to it, in the order in which they were begun, to the file that RECORDED_STATEMENTS names.
//
//     cc -O2 -shared -fPIC -o recorder.so Recorder.c -ldl
//
// What SQLite runs within a statement (the tables behind full-text search, the schema) is not written down: it will be run again.
#define _GNU_SOURCE
#include "../Recording.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { most_values = 64, most_statements = 1 << 14, most_connections = 64 };
static const uint64_t file_bytes = 2ull << 30;

typedef struct {
    recording_value value;
    char *data;
} bound_value;

typedef struct {
    sqlite3_stmt *statement;
    uint32_t number;
    bound_value values[most_values];
    // The run that is going on.
    recording_entry *entry;
} known_statement;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static recording_header *header;
static known_statement *known[most_statements];
static uint32_t known_count;
static sqlite3 *connections[most_connections];
// How deep in SQLite this thread is.
static _Thread_local int depth;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("RECORDED_STATEMENTS");
    if (!path) return;
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, (off_t)file_bytes) != 0) abort();
    header = mmap(NULL, file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (header == MAP_FAILED) abort();
    header->end = sizeof *header;
    close(file);
}

static void *original(const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    if (!function) abort();
    return function;
}

// To be called with the mutex.
static known_statement *find(sqlite3_stmt *statement) {
    uint32_t place = (uint32_t)(((uintptr_t)statement >> 4) % most_statements);
    for (uint32_t tried = 0; tried < most_statements; tried++, place = (place + 1) % most_statements) {
        if (known[place] && known[place]->statement == statement) return known[place];
        if (known[place]) continue;
        known_statement *new = calloc(1, sizeof *new);
        if (!new) abort();
        new->statement = statement;
        new->number = known_count++;
        return known[place] = new;
    }
    abort();
}

static void keep(sqlite3_stmt *statement, int index, uint32_t type, recording_value value, const void *data, int64_t bytes) {
    if (depth || !header) return;
    pthread_mutex_lock(&mutex);
    if (index < 1 || index > most_values || bytes > INT32_MAX) {
        header->isIncomplete = 1;
    } else {
        bound_value *place = &find(statement)->values[index - 1];
        free(place->data);
        place->data = NULL;
        value.type = type;
        value.bytes = (uint32_t)bytes;
        place->value = value;
        if (bytes) {
            place->data = malloc((size_t)bytes);
            if (!place->data) abort();
            memcpy(place->data, data, (size_t)bytes);
        }
    }
    pthread_mutex_unlock(&mutex);
}

static void forget(known_statement *statement) {
    for (int index = 0; index < most_values; index++) {
        free(statement->values[index].data);
        statement->values[index] = (bound_value){0};
    }
}

// To be called with the mutex.
static void write_entry(known_statement *statement) {
    sqlite3 *connection = sqlite3_db_handle(statement->statement);
    uint32_t number = 0;
    while (number < most_connections && connections[number] && connections[number] != connection) number++;
    if (number == most_connections) abort();
    connections[number] = connection;
    const char *text = sqlite3_sql(statement->statement);
    uint32_t values = (uint32_t)sqlite3_bind_parameter_count(statement->statement);
    if (values > most_values) values = most_values, header->isIncomplete = 1;
    uint64_t length = sizeof(recording_entry) + RECORDING_ROUNDED(strlen(text));
    for (uint32_t index = 0; index < values; index++) {
        length += sizeof(recording_value) + RECORDING_ROUNDED(statement->values[index].value.bytes);
    }
    uint64_t start = header->end;
    if (start + length > file_bytes) {
        header->isIncomplete = 1;
        return;
    }
    char *place = (char *)header + start;
    recording_entry *entry = (recording_entry *)place;
    *entry = (recording_entry){(uint32_t)length, number, (uint32_t)strlen(text), values, 0, statement->number};
    place += sizeof *entry;
    memcpy(place, text, entry->textBytes);
    place += RECORDING_ROUNDED(entry->textBytes);
    for (uint32_t index = 0; index < values; index++) {
        bound_value *value = &statement->values[index];
        memcpy(place, &value->value, sizeof value->value);
        place += sizeof value->value;
        if (value->data) memcpy(place, value->data, value->value.bytes);
        place += RECORDING_ROUNDED(value->value.bytes);
    }
    statement->entry = entry;
    header->end = start + length;
}

int sqlite3_step(sqlite3_stmt *statement) {
    static int (*step)(sqlite3_stmt *);
    if (!step) step = original("sqlite3_step");
    if (depth || !header) return step(statement);
    pthread_mutex_lock(&mutex);
    known_statement *it = find(statement);
    if (!it->entry) write_entry(it);
    if (it->entry) it->entry->steps++;
    pthread_mutex_unlock(&mutex);
    depth++;
    int code = step(statement);
    depth--;
    if (code != SQLITE_ROW) {
        pthread_mutex_lock(&mutex);
        it->entry = NULL;
        pthread_mutex_unlock(&mutex);
    }
    return code;
}

int sqlite3_prepare_v2(sqlite3 *connection, const char *text, int bytes, sqlite3_stmt **statement, const char **rest) {
    static int (*prepare)(sqlite3 *, const char *, int, sqlite3_stmt **, const char **);
    if (!prepare) prepare = original("sqlite3_prepare_v2");
    // Compiling reads the schema with statements of its own.
    depth++;
    int code = prepare(connection, text, bytes, statement, rest);
    depth--;
    return code;
}

int sqlite3_prepare_v3(
    sqlite3 *connection, const char *text, int bytes, unsigned int flags, sqlite3_stmt **statement, const char **rest) {
    static int (*prepare)(sqlite3 *, const char *, int, unsigned int, sqlite3_stmt **, const char **);
    if (!prepare) prepare = original("sqlite3_prepare_v3");
    depth++;
    int code = prepare(connection, text, bytes, flags, statement, rest);
    depth--;
    return code;
}

int sqlite3_reset(sqlite3_stmt *statement) {
    static int (*reset)(sqlite3_stmt *);
    if (!reset) reset = original("sqlite3_reset");
    if (depth || !header || !statement) return reset(statement);
    pthread_mutex_lock(&mutex);
    find(statement)->entry = NULL;
    pthread_mutex_unlock(&mutex);
    depth++;
    int code = reset(statement);
    depth--;
    return code;
}

int sqlite3_clear_bindings(sqlite3_stmt *statement) {
    static int (*clear)(sqlite3_stmt *);
    if (!clear) clear = original("sqlite3_clear_bindings");
    if (!depth && header) {
        pthread_mutex_lock(&mutex);
        forget(find(statement));
        pthread_mutex_unlock(&mutex);
    }
    return clear(statement);
}

int sqlite3_finalize(sqlite3_stmt *statement) {
    static int (*finalize)(sqlite3_stmt *);
    if (!finalize) finalize = original("sqlite3_finalize");
    if (!depth && header && statement) {
        // Its place may be another's soon, which is then a statement of its own; the entry stays, so that those behind it are found.
        pthread_mutex_lock(&mutex);
        known_statement *it = find(statement);
        forget(it);
        it->entry = NULL;
        it->number = known_count++;
        pthread_mutex_unlock(&mutex);
    }
    depth++;
    int code = finalize(statement);
    depth--;
    return code;
}

int sqlite3_bind_int64(sqlite3_stmt *statement, int index, sqlite3_int64 value) {
    static int (*bind)(sqlite3_stmt *, int, sqlite3_int64);
    if (!bind) bind = original("sqlite3_bind_int64");
    keep(statement, index, SQLITE_INTEGER, (recording_value){.integer = value}, NULL, 0);
    return bind(statement, index, value);
}

int sqlite3_bind_int(sqlite3_stmt *statement, int index, int value) {
    return sqlite3_bind_int64(statement, index, value);
}

int sqlite3_bind_double(sqlite3_stmt *statement, int index, double value) {
    static int (*bind)(sqlite3_stmt *, int, double);
    if (!bind) bind = original("sqlite3_bind_double");
    keep(statement, index, SQLITE_FLOAT, (recording_value){.real = value}, NULL, 0);
    return bind(statement, index, value);
}

int sqlite3_bind_null(sqlite3_stmt *statement, int index) {
    static int (*bind)(sqlite3_stmt *, int);
    if (!bind) bind = original("sqlite3_bind_null");
    keep(statement, index, SQLITE_NULL, (recording_value){0}, NULL, 0);
    return bind(statement, index);
}

int sqlite3_bind_text(sqlite3_stmt *statement, int index, const char *text, int bytes, void (*destroy)(void *)) {
    static int (*bind)(sqlite3_stmt *, int, const char *, int, void (*)(void *));
    if (!bind) bind = original("sqlite3_bind_text");
    keep(statement, index, text ? SQLITE_TEXT : SQLITE_NULL, (recording_value){0}, text, text && bytes < 0 ? (int64_t)strlen(text) : bytes);
    return bind(statement, index, text, bytes, destroy);
}

int sqlite3_bind_text64(
    sqlite3_stmt *statement, int index, const char *text, sqlite3_uint64 bytes, void (*destroy)(void *), unsigned char encoding) {
    static int (*bind)(sqlite3_stmt *, int, const char *, sqlite3_uint64, void (*)(void *), unsigned char);
    if (!bind) bind = original("sqlite3_bind_text64");
    keep(statement, index, text ? SQLITE_TEXT : SQLITE_NULL, (recording_value){0}, text, (int64_t)bytes);
    return bind(statement, index, text, bytes, destroy, encoding);
}

int sqlite3_bind_blob(sqlite3_stmt *statement, int index, const void *blob, int bytes, void (*destroy)(void *)) {
    static int (*bind)(sqlite3_stmt *, int, const void *, int, void (*)(void *));
    if (!bind) bind = original("sqlite3_bind_blob");
    keep(statement, index, blob ? SQLITE_BLOB : SQLITE_NULL, (recording_value){0}, blob, bytes);
    return bind(statement, index, blob, bytes, destroy);
}

int sqlite3_bind_blob64(sqlite3_stmt *statement, int index, const void *blob, sqlite3_uint64 bytes, void (*destroy)(void *)) {
    static int (*bind)(sqlite3_stmt *, int, const void *, sqlite3_uint64, void (*)(void *));
    if (!bind) bind = original("sqlite3_bind_blob64");
    keep(statement, index, blob ? SQLITE_BLOB : SQLITE_NULL, (recording_value){0}, blob, (int64_t)bytes);
    return bind(statement, index, blob, bytes, destroy);
}

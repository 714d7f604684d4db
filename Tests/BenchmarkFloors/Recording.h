// What `Programs/Recorder.c` writes and `Replay.c` reads: entries one after the other in memory that is mapped from a file.
#ifndef PARLEY_RECORDING_H
#define PARLEY_RECORDING_H

#include <stdint.h>

typedef struct {
    // Where the next entry goes, counted from the beginning of the file; that many bytes are whole.
    _Atomic uint64_t end;
    // Not 0 when something could not be recorded.
    _Atomic uint32_t isIncomplete;
    uint32_t unused;
} recording_header;

// One run of a statement.
typedef struct {
    // The entry's length, with all that follows; a multiple of 8.
    uint32_t bytes;
    // The number of the connection, from 0 in the order in which they were first used.
    uint32_t connection;
    // The length of the statement's text, which follows, and how many values follow it.
    uint32_t textBytes, values;
    // How often it was stepped.
    _Atomic uint32_t steps;
    // A number that is the same for each run of the same compiled statement.
    uint32_t statement;
} recording_entry;

// One value; texts and blobs follow it, filled up to a multiple of 8 bytes.
typedef struct {
    // As `sqlite3_column_type` says.
    uint32_t type;
    uint32_t bytes;
    union {
        int64_t integer;
        double real;
    };
} recording_value;

#define RECORDING_ROUNDED(bytes) (((bytes) + 7) & ~(uint64_t)7)

#endif

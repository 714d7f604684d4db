// What SQLite lets be set only by a function with a variable number of arguments, which Swift cannot call.
#ifndef PARLEY_CSQLITE_H
#define PARLEY_CSQLITE_H

// Has SQLite keep no account of the memory that it takes. Before anything else is done with SQLite in the process. Returns SQLite's result code.
int parley_sqlite_keep_no_account(void);

#endif

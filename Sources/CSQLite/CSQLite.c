#include "CSQLite.h"

#include <sqlite3.h>

int parley_sqlite_keep_no_account(void) {
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

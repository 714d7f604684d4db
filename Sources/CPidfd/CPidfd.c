#define _GNU_SOURCE
#include "CPidfd.h"

#include <sys/syscall.h>
#include <unistd.h>

int parley_pidfd_open(pid_t process) {
    return (int)syscall(SYS_pidfd_open, process, 0);
}

// pidfd_open(2) for Swift, whose Glibc module leaves <sys/pidfd.h> out; and Swift imports no variadic C function, as syscall(2) is.
#ifndef PARLEY_CPIDFD_H
#define PARLEY_CPIDFD_H

#include <sys/types.h>

// A descriptor, closed on exec, that becomes readable when the process ends; -1 with errno otherwise.
int parley_pidfd_open(pid_t process);

#endif

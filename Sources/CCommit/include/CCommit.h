// Which commit this program was built from, found while it is compiled: nothing is written into the tree, and no command is run.
#ifndef PARLEY_CCOMMIT_H
#define PARLEY_CCOMMIT_H

#ifdef __cplusplus
extern "C" {
#endif

// What PARLEY_COMMIT said in the environment of the build; else the first 12 digits of the commit that was checked out; empty outside of git.
const char *parley_commit(void);

#ifdef __cplusplus
}
#endif

#endif

// schemas/openrpc.json, compiled in: a Swift literal of its size would be another copy of it in the project, and slow to compile.
#ifndef PARLEY_CCONTRACT_H
#define PARLEY_CCONTRACT_H

#include <stddef.h>

// The bytes of the file, which live as long as the process.
const unsigned char *parley_contract_bytes(void);

// How many there are.
size_t parley_contract_length(void);

#endif

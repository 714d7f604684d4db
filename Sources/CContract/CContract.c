#include "CContract.h"

// Clang knows #embed in every version of C, and says each time that it is new.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char document[] = {
#embed "../../schemas/openrpc.json"
};

const unsigned char *parley_contract_bytes(void) {
    return document;
}

size_t parley_contract_length(void) {
    return sizeof document;
}

#include "CCommit.h"

// Clang knows #embed in every version of C++, and says each time that it is new.
#pragma clang diagnostic ignored "-Wc23-extensions"

namespace {

constexpr int shown = 12;

struct Commit {
    char text[shown + 1];
};

#ifndef PARLEY_COMMIT

// Git notes here every commit that is checked out, a line each: the one before, this one, who, when and why. `.git/HEAD` would only name a
// branch. The compiler notes that it has read the file, so that this is compiled again after each commit. It is read while compiling alone:
// nothing of it is in the program but the digits below.
constexpr unsigned char history[] = {
#if __has_embed("../../.git/logs/HEAD") == __STDC_EMBED_FOUND__
#embed "../../.git/logs/HEAD" suffix(, )
#endif
    0};

constexpr bool isDigit(unsigned char byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
}

constexpr Commit lastCommit() {
    Commit commit{};
    int line = static_cast<int>(sizeof history) - 1;
    // The last line's end.
    if (line > 0) line--;
    while (line > 0 && history[line - 1] != '\n') line--;
    while (isDigit(history[line])) line++;
    if (history[line] != ' ') return commit;
    for (int place = 0; place < shown; place++) {
        if (!isDigit(history[line + 1 + place])) return Commit{};
        commit.text[place] = static_cast<char>(history[line + 1 + place]);
    }
    return commit;
}

constexpr Commit commit = lastCommit();

#endif

}

extern "C" const char *parley_commit(void) {
#ifdef PARLEY_COMMIT
    return PARLEY_COMMIT;
#else
    return commit.text;
#endif
}

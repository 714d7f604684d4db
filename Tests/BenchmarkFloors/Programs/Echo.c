// Not part of the target: the benchmarks compile it to a program of its own, the floor of a request over pipes. It answers each line of its
// input with the same line, as many at once as have come, until its input ends.
//
//     cc -O2 -o echo Echo.c
#include <string.h>
#include <unistd.h>

int main(void) {
    static char buffer[1 << 16];
    size_t held = 0;
    for (;;) {
        ssize_t count = read(STDIN_FILENO, buffer + held, sizeof buffer - held);
        if (count <= 0) return count < 0;
        held += (size_t)count;
        // The framing: what is answered are whole lines.
        size_t whole = 0;
        for (char *end; (end = memchr(buffer + whole, '\n', held - whole)); whole = (size_t)(end - buffer) + 1) {}
        for (size_t done = 0; done < whole;) {
            ssize_t written = write(STDOUT_FILENO, buffer + done, whole - done);
            if (written <= 0) return 1;
            done += (size_t)written;
        }
        held -= whole;
        memmove(buffer, buffer + whole, held);
        if (held == sizeof buffer) return 1;
    }
}

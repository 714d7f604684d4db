/**
 * Waits, and wakes early when the browser finds its network again: whoever waits because of that need not wait longer.
 * Rejects with an AbortError when the signal fires.
 */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const finish = (settle, value) => {
      clearTimeout(timer);
      globalThis.removeEventListener?.("online", wake);
      signal?.removeEventListener("abort", stop);
      settle(value);
    };
    const wake = () => finish(resolve);
    const stop = () => finish(reject, signal.reason);
    const timer = setTimeout(wake, milliseconds);
    globalThis.addEventListener?.("online", wake);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop);
  });
}

// What this tab keeps over a reload, and over the way to the sign-in and back. Each thing is kept with whose it is: what somebody has
// written is not there for the next person who signs in here. What was written before signing in comes along.

let person = "";

/** Says who is there: a user's id; null for somebody who has not signed in. */
export function setPerson(id) {
  person = id ?? "";
}

/** What is kept under a name; null for nothing, and for what is somebody else's. */
export function read(name) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(`parley.${name}`));
    return kept && (kept.person === person || kept.person === "") ? kept.value : null;
  } catch {
    // The browser lets this page keep nothing. It can do without.
    return null;
  }
}

/** Keeps a value under a name; null takes away what is there. */
export function write(name, value) {
  try {
    if (value === null) sessionStorage.removeItem(`parley.${name}`);
    else sessionStorage.setItem(`parley.${name}`, JSON.stringify({ person, value }));
  } catch {
    // It may not, or has no room: then a reload loses what is not sent yet, which is no reason not to send it.
  }
}

/** Takes away everything. */
export function forgetAll() {
  for (const name of ["draft", "outbox", "conversation"]) write(name, null);
}

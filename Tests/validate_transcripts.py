#!/usr/bin/env python3
"""Holds every line of every transcript against the JSON Schemas, and the schemas against the transcripts.

Usage: validate_transcripts.py [FOLDER OF THE PROJECT]

Needs jsonschema (Debian: python3-jsonschema). Prints how many lines it has checked, or each fault with its file and line, and exits 1.

What a transcript looks like stands in ParleyTranscripts/Transcript.swift. Checked is that
- each schema is one, and accepts its own examples, of which every value, method, notification and request of the host has some;
- every member is described, and no object has members that are not declared, unless they are the client's (`OPEN`);
- a sent line is JSON, by the host's strict standard, exactly when the host does not answer it with `parseError`;
- a sent request fits its method's params, or is answered with `invalidParams`; and that one so answered does not fit them, unless the reason
  is of those that only a running host can know (`BEYOND_A_SCHEMA`);
- a received line fits the result of the method that it answers, the errors that the method may have, or the notification's params;
- every request is answered, and the events of every turn keep the protocol's order;
- a turn answers a message of its own, or, with `regenerateMessage`, one of another turn; listed messages are a path, or siblings;
- a request of the host fits its params and comes at its time; what is sent in answer may be wrong on purpose, and then the events that
  follow say so, as they tell what was answered rightly;
- `capabilities.methods` of `initialize` are the methods that have a schema, and the transcripts show each method's result, each of its own
  errors, each notification, and each request of the host with a right answer; and every error code is in one of them, but for those that
  only a broken machine brings about (`BEYOND_A_TRANSCRIPT`).
"""

import json
import pathlib
import re
import sys

import jsonschema

BASE = "https://parley.invalid/schemas/"

# Reasons of `invalidParams` that depend on settings, on what is stored, or on how a number is spelt.
BEYOND_A_SCHEMA = re.compile(
    r"longer than|larger than|cursor|characters|bytes|no provider has the name|has no default model|name is missing after the colon"
    r"|only the operator|operator cannot be deleted|without fraction and exponent|outside the range of"
    r"|is of a command|is not the user's|is not the assistant's|holds results of tools|is beyond"
    r"|is used by|leads nowhere|leads to|leads back|below a nested \$id|regular expression|nests deeper|apply within one another|18 digits"
)

# The methods whose result tells the end of a turn.
BEGIN_A_TURN = {"sendMessage", "regenerateMessage", "editMessage"}

# Objects of the client's that may hold more than is declared: the host passes it over.
OPEN = {
    "methods/initialize.json#/$defs/params/properties/capabilities",
    "requests/callTool.json#/$defs/result",
    "requests/requestApproval.json#/$defs/result",
    "values/InputSchema.json#",
}

# What no transcript shows, with the tests that do.
BEYOND_A_TRANSCRIPT = {
    "internalError": "JSONRPCTests/ReplyTests.swift",
    "storeUnavailable": "ProcessTests/QuotaCrashTests.swift",
    "storeFull": "ParleySQLiteTests/CommitLoopTests.swift",
    # Its answer is the whole contract.
    "rpc.discover": "ParleyHostTests/DiscoveryTests.swift",
}

# The notifications of JSON-RPC's own kind that the host sends, too.
SENT_BY_HOST = {"$/cancelRequest"}

MAXIMUM_DEPTH = 128


class Schemas:
    """All schema files, by the path of their `$id`."""

    def __init__(self, folder):
        self.files = {}
        for path in sorted(folder.rglob("*.json")):
            if path.name == "openrpc.json":
                continue  # Is made of the others; see Tests/Contract.
            schema = json.loads(path.read_text(encoding="utf-8"))
            name = path.relative_to(folder).as_posix()
            if schema.get("$id") != BASE + name:
                raise SystemExit(f"schemas/{name}: its $id must be {BASE}{name}")
            self.files[name] = schema
        self._make = self._maker()
        self._validators = {}
        self.methods = {path.split("/")[1][:-5] for path in self.files if path.startswith("methods/")}
        self.host_requests = {path.split("/")[1][:-5] for path in self.files if path.startswith("requests/")}
        # A notification's title is its name on the wire, which may begin with `$/`.
        self.notifications = {
            schema["title"]: path for path, schema in self.files.items() if path.startswith("notifications/")
        }

    def _maker(self):
        by_id = {schema["$id"]: schema for schema in self.files.values()}
        try:
            from referencing import Registry, Resource  # jsonschema 4.18 and later
        except ImportError:
            resolver = jsonschema.RefResolver(base_uri="", referrer={}, store=by_id)
            return lambda ref: jsonschema.Draft202012Validator({"$ref": ref}, resolver=resolver)
        registry = Registry().with_resources((name, Resource.from_contents(schema)) for name, schema in by_id.items())
        return lambda ref: jsonschema.Draft202012Validator({"$ref": ref}, registry=registry)

    def faults(self, ref, value):
        """What is wrong with a value, in words; `ref` is a path with a fragment, such as `methods/ping.json#/$defs/result`."""
        if ref not in self._validators:
            self._validators[ref] = self._make(BASE + ref)
        return [
            f"{error.json_path}: {error.message}"
            for error in sorted(self._validators[ref].iter_errors(value), key=lambda error: error.json_path)
        ]

    def check_themselves(self, report):
        for path, schema in self.files.items():
            for error in jsonschema.Draft202012Validator(jsonschema.Draft202012Validator.META_SCHEMA).iter_errors(schema):
                report(f"schemas/{path}", f"is no schema: {error.json_path}: {error.message}")
            for pointer, examples in examples_in(schema):
                for example in examples:
                    for fault in self.faults(f"{path}#{pointer}", example):
                        report(f"schemas/{path}", f"refuses its own example at {pointer or '/'}: {fault}")
            self.check_examples(path, schema, report)

    def check_examples(self, path, schema, report):
        """Holds the examples of a method, which are params with their result, against both; and sees that nothing is without examples."""
        folder = path.split("/")[0]
        if folder == "methods":
            for example in schema.get("examples", []):
                for kind in ("params", "result"):
                    for fault in self.faults(f"{path}#/$defs/{kind}", example[kind]):
                        report(f"schemas/{path}", f"refuses its own example's {kind}: {fault}")
        places = {"methods": [schema], "values": [schema] if "type" in schema or "$ref" in schema or "oneOf" in schema else []}
        for place in places.get(folder, [schema["$defs"][kind] for kind in ("params", "result") if kind in schema.get("$defs", {})]):
            if not place.get("examples"):
                report(f"schemas/{path}", "has no example: take one from a transcript")
        if "description" not in schema:
            report(f"schemas/{path}", "has no description")
        if folder != "envelope.json":
            for kind, place in schema.get("$defs", {}).items() if folder != "values" else [("", schema)]:
                self.check_members(place, f"{path}#/$defs/{kind}" if kind else f"{path}#", report)

    def check_members(self, schema, where, report):
        """Sees that every member is described, where it is declared, and that there are no others."""
        if not isinstance(schema, dict) or "$ref" in schema:
            return  # What stands beside a reference only narrows what it leads to.
        if "properties" in schema and schema.get("additionalProperties") is not False and where not in OPEN:
            report(f"schemas/{where}", "takes members that are not declared")
        for name, member in schema.get("properties", {}).items():
            if isinstance(member, dict) and not {"description", "$ref"} & set(member):
                report(f"schemas/{where}/properties/{name}", "is not described")
            self.check_members(member, f"{where}/properties/{name}", report)
        self.check_members(schema.get("items"), f"{where}/items", report)
        for keyword in ("oneOf", "anyOf") if "properties" not in schema else ():
            for number, choice in enumerate(schema.get(keyword, [])):
                self.check_members(choice, f"{where}/{keyword}/{number}", report)


def examples_in(schema, pointer=""):
    """All lists of examples within a schema, with the JSON Pointer of what they are examples of."""
    if not isinstance(schema, dict):
        return
    if "examples" in schema:
        yield pointer, schema["examples"]
    for keyword in ("$defs", "properties"):
        for name, inner in schema.get(keyword, {}).items():
            yield from examples_in(inner, f"{pointer}/{keyword}/{name}")


class Members(dict):
    """An object that knows whether a key was repeated; then a schema sees less of it than the host, which reads every value."""

    def __init__(self, pairs):
        super().__init__(pairs)
        self.repeats = len(pairs) > len(self) or any(isinstance(value, Members) and value.repeats for _, value in pairs)


def strict_json(line):
    """Parses a line as strictly as the host does: RFC 8259, UTF-8, no lone surrogates, a bounded depth."""

    def no_constant(name):
        raise ValueError(f"{name} is not JSON")

    value = json.loads(line.decode("utf-8"), parse_constant=no_constant, object_pairs_hook=Members)
    json.dumps(value, ensure_ascii=False).encode("utf-8")  # Lone surrogates cannot be encoded.
    level, depth = [value], 0
    while level := [item for item in level if isinstance(item, (dict, list))]:
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    if depth > MAXIMUM_DEPTH:
        raise ValueError("nested too deep")
    return value


def identity(request_id):
    """An id with its type, since Python takes 1 and true for the same."""
    return type(request_id).__name__, request_id


class Request:
    def __init__(self, message, where):
        self.method, self.params, self.where = message["method"], message.get("params") or {}, where
        self.repeats = message.repeats
        after = self.params.get("afterSeq") if self.method == "attachTurn" else None
        self.attachment = Attachment(after if isinstance(after, int) else 0) if self.method == "attachTurn" else None

    @property
    def streams(self):
        return self.params.get("stream") is not False


class HostRequest:
    """What the host asks of its client."""

    def __init__(self, message):
        self.method, self.params, self.is_open = message["method"], message["params"], True


class Call:
    """A tool call that has started, with what is known of its end before that comes."""

    def __init__(self, call):
        self.call = {key: call[key] for key in ("id", "name", "arguments")}
        self.waits = False  # for an approval
        self.option = None  # what the approval must be
        self.ends = None  # words of which the status must be one
        self.output = None  # what the client has answered


class Turn:
    """The events of one turn, as far as they have come."""

    def __init__(self):
        self.seq, self.texts, self.completed = 0, {}, None
        self.is_left = False  # queued, for another process to run
        self.calls = {}  # those that have started and not ended

    def event(self, name, params, streams):
        first = params.get("fromSeq", params["seq"])
        if first != self.seq + 1 and (streams or first <= self.seq):
            yield f"the event after number {self.seq} of {params['turnId']} begins with {first}"
        if (name == "turnQueued") != (self.seq == 0) and (name == "turnStarted") != (self.seq == 0):
            yield "turnStarted or turnQueued is to be a turn's first event, and only that"
        if self.completed:
            yield f"{params['turnId']} has an event after turnCompleted"
        self.seq = params["seq"]
        if name == "messageDelta":
            self.texts[params["messageId"]] = self.texts.get(params["messageId"], "") + params["delta"]
        elif name == "turnCompleted":
            self.completed = {key: params[key] for key in ("turn", "message") if key in params}
            for call_id in self.calls:
                yield f"the tool call {call_id} has no toolCallCompleted"
            message = params.get("message")
            if self.texts and not message:
                yield "the turn has deltas and no message"
            elif self.texts:
                yield from self.message(message)
        elif name == "toolCallStarted":
            call = params["toolCall"]
            if call["id"] in self.calls:
                yield f"the tool call {call['id']} starts twice"
            self.calls[call["id"]] = Call(call)
        elif name == "approvalRequested":
            call = self.calls.get(params["toolCall"]["id"])
            if not call or call.waits or call.call != params["toolCall"]:
                yield "approvalRequested is not about a tool call that has started"
            else:
                call.waits = True
        elif name in ("approvalResolved", "toolCallCompleted"):
            call = self.calls.get(params["toolCallId"])
            if not call or call.waits != (name == "approvalResolved"):
                yield f"{name} comes for a tool call that has not started, or at a wrong time"
            elif name == "approvalResolved":
                yield from self.resolve(call, params["option"])
            else:
                del self.calls[params["toolCallId"]]
                yield from self.end(call, params)

    @staticmethod
    def resolve(call, option):
        call.waits = False
        if call.option not in (None, option):
            yield f"approvalResolved says {option}, but the client's answer amounts to {call.option}"
        if option.startswith("reject"):
            call.ends = {"denied"}

    @staticmethod
    def end(call, params):
        if call.ends and params["status"] not in call.ends:
            yield f"the tool call ended as {params['status']}, and must have ended as {' or '.join(sorted(call.ends))}"
        if call.output:
            text = "\n".join(part["text"] for part in call.output["content"])
            was_cut = params["text"].endswith(" bytes of the output were left out]")
            if not was_cut and params["text"] != text or params.get("data") != call.output.get("data"):
                yield "toolCallCompleted does not tell what the client has answered"

    def message(self, message):
        """Holds an answer of the assistant's against the deltas, if there were any in the turn."""
        if self.texts and spoken(message) != self.texts.get(message["id"], ""):
            yield f"the deltas of {message['id']} are not its text"

    def reply(self, result):
        self.is_left = result["turn"]["status"] == "queued"
        if self.completed and any(result.get(key) != self.completed.get(key) for key in ("turn", "message")):
            yield "the reply does not say what turnCompleted said"


class Attachment(Turn):
    """The events of a turn as a request sees them that attached to it."""

    def __init__(self, after):
        super().__init__()
        self.seq = after
        self.is_whole = after == 0  # whether the texts are all of what their messages say

    def event(self, name, params, streams):
        if name == "turnSnapshot":
            self.seq, self.is_whole, self.calls = params["seq"], True, {}
            self.texts = {message["id"]: spoken(message) for message in params["messages"] if message["role"] == "assistant"}
            if self.completed:
                yield f"{params['turnId']} has an event after turnCompleted"
            return
        if name == "turnCompleted" and params["seq"] == self.seq:
            self.seq -= 1  # The client has had it before, and gets it again.
        call_id = params.get("toolCallId") or params.get("toolCall", {}).get("id")
        if not self.is_whole and name in ("approvalRequested", "approvalResolved", "toolCallCompleted") and call_id not in self.calls:
            if params["seq"] != self.seq + 1:
                yield f"the event after number {self.seq} of {params['turnId']} is number {params['seq']}"
            self.seq = params["seq"]
            return
        yield from super().event(name, params, streams)

    def message(self, message):
        said = self.texts.get(message["id"], "")
        if self.is_whole and said != spoken(message) or not spoken(message).endswith(said):
            yield f"what was sent of {message['id']} is not its text"


def spoken(message):
    """The text of a message."""
    return "".join(part["text"] for part in message["content"] if part["type"] == "text")


class Transcript:
    """One file, read from top to bottom."""

    def __init__(self, path, name, schemas, coverage, report):
        self.path, self.name, self.schemas, self.coverage = path, name, schemas, coverage
        self._report = report
        self.number = 0
        self.lines = 0
        self.unfinished = b""
        self.in_flight = {}
        self.requests = {}  # the last of each id
        self.host_requests = {}
        self.turns = {}
        self.last_line = None  # what the last sent line was: its requests, and whether it must be refused as no JSON
        self.refusals = []  # ids of what is to be answered with an error of JSON-RPC itself

    def report(self, fault):
        self._report(f"{self.name}:{self.number}", fault)

    def check(self):
        for number, line in enumerate(self.path.read_bytes().split(b"\n"), 1):
            self.number = number
            kind, _, rest = line.partition(b" ")
            if kind == b">":
                self.send(rest + b"\n")
            elif kind == b">x":
                self.send(re.sub(rb"\\x([0-9A-Fa-f]{2})", lambda match: bytes.fromhex(match[1].decode()), rest))
            elif kind == b"<":
                self.lines += 1
                self.received(rest)
            elif line == b"$ end of input":
                self.end_input()
            elif line and not line.startswith((b"#", b"$")):
                self.report("the line is neither a comment, a directive, sent nor received")
        self.end_input()
        self.end_line()
        for request in self.in_flight.values():
            self._report(f"{self.name}:{request.where}", f"{request.method} is never answered")
        for refused in self.refusals:
            self.report(f"nothing was refused with the id {refused[1]!r}")
        for turn_id, turn in self.turns.items():
            if not turn.completed and not turn.is_left:
                self.report(f"{turn_id} has no turnCompleted")

    # Sent

    def send(self, data):
        *lines, self.unfinished = (self.unfinished + data).split(b"\n")
        for line in lines:
            self.sent_line(line)

    def end_input(self):
        if self.unfinished:
            self.sent_line(self.unfinished)
        self.unfinished = b""

    def sent_line(self, line):
        if not line.strip(b" \t\r"):
            return
        self.lines += 1
        self.end_line()
        self.last_line = {"requests": [], "unreadable": False, "refused": False}
        try:
            value = strict_json(line)
        except (ValueError, RecursionError):  # UnicodeError and JSONDecodeError are ValueErrors
            self.last_line["unreadable"] = True
            return
        if isinstance(value, list) and value:
            for member in value:
                self.sent_message(member)
        else:
            self.sent_message(value)

    def end_line(self):
        if self.last_line and self.last_line["unreadable"] != self.last_line["refused"]:
            self.report("the line before is no JSON, and the host did not say so" if self.last_line["unreadable"] else
                        "the line before is JSON, and the host said that it is not")
        self.last_line = None

    def sent_message(self, message):
        fits = {form: not self.schemas.faults(f"envelope.json#/$defs/{form}", message) for form in ("request", "clientNotification")}
        request_id = message.get("id") if isinstance(message, dict) else None
        is_id = isinstance(request_id, (str, int)) and not isinstance(request_id, bool)
        if fits["request"] and (is_id or request_id is None):
            key = identity(request_id)
            if key in self.in_flight:
                self.refusals.append(key)
                return
            request = Request(message, self.number)
            self.in_flight[key] = self.requests[key] = request
            self.last_line["requests"].append(key)
        elif fits["clientNotification"]:
            path = self.schemas.notifications.get(message["method"])
            for fault in self.schemas.faults(f"{path}#/$defs/params", message.get("params", {})) if path else []:
                self.report(f"{message['method']} is malformed, which nobody can see in a transcript: {fault}")
        elif is_id and request_id in self.host_requests and "method" not in message and ("result" in message or "error" in message):
            self.host_answer(message)
        elif not self.is_passed_over(message):
            # The id of an answer is one of the host's own.
            is_answer = isinstance(message, dict) and "method" not in message and ("result" in message or "error" in message)
            self.refusals.append(identity(request_id if is_id and not is_answer else None))

    def is_passed_over(self, message):
        """Whether the host says nothing although it is no request: an answer, or a notification with params of a wrong kind."""
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            return False
        if "method" in message:
            return "id" not in message and isinstance(message["method"], str)
        return not self.schemas.faults("envelope.json#/$defs/clientAnswer", message)

    def host_answer(self, message):
        """Takes the answer to a request of the host, right or wrong, in time or not."""
        is_answer = self.is_passed_over(message)
        if not is_answer:
            self.refusals.append(identity(None))
        request = self.host_requests[message["id"]]
        if not request.is_open:
            return
        request.is_open = False
        schema = f"requests/{request.method}.json#/$defs/result"
        is_right = is_answer and "result" in message and not self.schemas.faults(schema, message["result"])
        if is_right:
            self.coverage.add(("host", request.method, "result"))
        call = self.turns[request.params["turnId"]].calls.get(request.params["toolCallId"])
        if not call:
            return
        if request.method == "requestApproval":
            call.option = message["result"]["option"] if is_right else "rejectOnce"
        elif is_right:
            call.ends = {"failed" if message["result"].get("isError") else "completed"}
            call.output = message["result"]
        else:
            call.ends = {"failed"}

    # Received

    def received(self, line):
        try:
            value = strict_json(line)
        except ValueError as error:
            self.report(f"the received line is not JSON: {error}")
            return
        faults = self.schemas.faults(f"envelope.json#/$defs/{self.form(value)}", value)
        if faults:
            for fault in faults:
                self.report(fault)
        elif isinstance(value, list):
            for answer in value:
                self.answer(answer)
        elif "method" in value and "id" in value:
            self.host_request(value)
        elif "method" in value:
            self.notification(value["method"], value["params"])
        else:
            self.answer(value)

    @staticmethod
    def form(value):
        if isinstance(value, list):
            return "answers"
        if isinstance(value, dict) and "method" in value:
            return "hostRequest" if "id" in value else "hostNotification"
        return "failure" if isinstance(value, dict) and "error" in value else "success"

    def notification(self, name, params):
        path = self.schemas.notifications.get(name)
        if not path:
            return self.report(f"the notification {name} has no schema")
        faults = self.schemas.faults(f"{path}#/$defs/params", params)
        for fault in faults:
            self.report(f"params of {name}: {fault}")
        if faults:
            return
        self.coverage.add(name)
        if name in SENT_BY_HOST:
            return self.give_up(params["id"])
        if "requestId" not in params:
            return self.report(f"{name} is not for the host to send")
        request = self.requests.get(identity(params["requestId"]))
        if not request:
            return self.report("the event names a request that was never sent")
        if request.attachment and self.in_flight.get(identity(params["requestId"])) is not request:
            self.report("the event is for an attachment that has been answered")
        if request.params.get("events") is False:
            self.report("the event is for a request that wants none")
        turn = request.attachment or self.turns.setdefault(params["turnId"], Turn())
        for fault in turn.event(name, params, request.streams):
            self.report(fault)
        if name == "turnCompleted" and "error" in params["turn"]:
            self.coverage.add(("code", params["turn"]["error"]["data"]["code"]))
        if name == "turnStarted":
            turn, question = params["turn"], params["userMessage"]
            is_own = question["turnId"] == turn["id"]
            is_as_asked = request.attachment or is_own == (request.method != "regenerateMessage")
            if question["id"] != turn["userMessageId"] or not is_as_asked:
                self.report("the turn answers another message than it should")
        if any("siblingCount" in params.get(key, {}) for key in ("userMessage", "message")):
            self.report("siblings are counted where no list is")

    def host_request(self, value):
        name, params = value["method"], value["params"]
        if name not in self.schemas.host_requests:
            return self.report(f"the request {name} has no schema")
        if value["id"] != f"host-{len(self.host_requests) + 1}":
            self.report(f"the host's request number {len(self.host_requests) + 1} has the id {value['id']}")
        faults = self.schemas.faults(f"requests/{name}.json#/$defs/params", params)
        for fault in faults:
            self.report(f"params of {name}: {fault}")
        if faults:
            return
        self.coverage.add(("host", name))
        self.host_requests[value["id"]] = HostRequest(value)
        call = self.turns.setdefault(params["turnId"], Turn()).calls.get(params["toolCallId"])
        if not call or call.waits != (name == "requestApproval"):
            self.report(f"{name} comes for a tool call that has not started, or at a wrong time")
        elif any(call.call[key] != params[key] for key in ("name", "arguments")):
            self.report(f"{name} is about another call than the event")

    def give_up(self, request_id):
        request = self.host_requests.get(request_id)
        if not request or not request.is_open:
            return self.report("the host cancels what it does not wait for")
        request.is_open = False
        call = self.turns[request.params["turnId"]].calls.get(request.params["toolCallId"])
        if not call:
            self.report("the host cancels a request after the end of its call")
        elif request.method == "requestApproval":
            call.option = "rejectOnce"
        else:
            call.ends = {"failed", "cancelled"}

    def answer(self, answer):
        key = identity(answer["id"])
        code = answer["error"]["data"]["code"] if "error" in answer else None
        self.coverage.add(("code", code))
        if code == "parseError" and self.last_line:
            self.last_line["refused"] = True
        elif code == "inputTooLarge" and self.last_line:
            self.last_line["refused"] = self.last_line["unreadable"]
            for too_long in self.last_line["requests"]:
                del self.in_flight[too_long]
        elif key in self.refusals and code in ("invalidRequest", "invalidParams"):
            self.refusals.remove(key)
        elif key in self.in_flight:
            self.reply(self.in_flight.pop(key), answer, code)
        else:
            self.report("nothing in flight has this id")

    def reply(self, request, answer, code):
        if request.method not in self.schemas.methods:
            if code != "methodNotFound":
                self.report(f"{request.method} has no schema")
            return
        schema = f"methods/{request.method}.json#/$defs/"
        faults = self.schemas.faults(schema + "params", request.params)
        if code == "invalidParams":
            data = answer["error"]["data"]
            # What is in a file is for the file's own schemas, which see no more than single lines of it.
            is_beyond = "line" in data or BEYOND_A_SCHEMA.search(data["reason"])
            if not faults and not request.repeats and not is_beyond:
                self.report(f"{request.method} was refused for a reason that its schema does not know: {data['path']}: {data['reason']}")
        else:
            for fault in faults:
                self.report(f"{request.method} in line {request.where} was accepted, but its schema refuses it: {fault}")
        if code:
            for fault in self.schemas.faults(schema + "errorCode", code):
                self.report(f"an error that {request.method} does not have: {fault}")
            self.coverage.add((request.method, code))
            return
        result = answer["result"]
        faults = self.schemas.faults(schema + "result", result)
        for fault in faults:
            self.report(f"result of {request.method}: {fault}")
        if faults:
            return
        self.coverage.add((request.method, None))
        if request.method == "initialize":
            self.coverage.add(("methods", *result["capabilities"]["methods"]))
        if request.method == "exportConversation" and request.params["format"] == "jsonl":
            for number, line in enumerate(result["data"].split("\n")[:-1] if "cursor" not in request.params else []):
                for fault in self.schemas.faults(f"values/ConversationFile{'Message' if number else 'Header'}.json#", strict_json(line.encode())):
                    self.report(f"line {number + 1} of the file: {fault}")
        if request.method == "listMessages":
            for before, after in zip(result["data"], result["data"][1:]):
                is_in_place = request.params.get("siblingsOf") and before.get("parentId") == after.get("parentId")
                if not is_in_place and (request.params.get("siblingsOf") or before.get("parentId") != after["id"]):
                    self.report(f"{before['id']} and {after['id']} do not stand in one list")
        for message in result["data"] if request.method == "listMessages" else []:
            turn = self.turns.get(message["turnId"])
            if turn and turn.completed and message["role"] == "assistant":
                for fault in turn.message(message):
                    self.report(fault)
        if request.attachment:
            if result.get("more"):
                if request.attachment.completed or not request.params.get("maxBytes"):
                    self.report("attachTurn is answered as if the turn had more to tell")
            else:
                if not request.attachment.completed:
                    self.report("attachTurn is answered before turnCompleted")
                for fault in request.attachment.reply(result):
                    self.report(fault)
        if request.method in BEGIN_A_TURN and not {request.params.get("wait"), request.params.get("events")} & {False}:
            for fault in self.turns.setdefault(result["turn"]["id"], Turn()).reply(result):
                self.report(fault)


def check_coverage(schemas, coverage, report):
    tables = {entry[1:] for entry in coverage if isinstance(entry, tuple) and entry[0] == "methods"}
    if len(tables) != 1:
        report("transcripts", "no answer of initialize tells the table of methods" if not tables else "the tables of methods differ")
    for table in tables:
        for name in sorted(schemas.methods ^ set(table)):
            report("schemas", f"{name} has no schema" if name in table else f"methods/{name}.json describes no method")
    codes = {choice["const"] for choice in schemas.files["values/ErrorCode.json"]["oneOf"]}
    for code in sorted(code for code in codes - set(BEYOND_A_TRANSCRIPT) if ("code", code) not in coverage):
        report("transcripts", f"none shows the error {code}")
    for name in sorted(schemas.methods - set(BEYOND_A_TRANSCRIPT)):
        own = schemas.files[f"methods/{name}.json"]["$defs"]["errorCode"].get("anyOf", [{}])[-1].get("enum", [])
        for code in [None, *own]:
            if (name, code) not in coverage:
                report("transcripts", f"none shows {name} answered with {code or 'a result'}")
    for name in sorted(schemas.notifications):
        if (not name.startswith("$/") or name in SENT_BY_HOST) and name not in coverage:
            report("transcripts", f"none shows {name}{' from the host' if name in SENT_BY_HOST else ''}")
    for name in sorted(schemas.host_requests):
        for entry, what in ((("host", name), "the host's request"), (("host", name, "result"), "a right answer to")):
            if entry not in coverage:
                report("transcripts", f"none shows {what} {name}")


def main():
    project = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    faults = []

    def report(where, fault):
        faults.append(f"{where}: {fault}")

    schemas = Schemas(project / "schemas")
    schemas.check_themselves(report)
    folder = project / "Tests" / "ParleyHostTests" / "Transcripts"
    coverage, lines, files = set(), 0, sorted(folder.rglob("*.transcript"))
    for path in files:
        transcript = Transcript(path, path.relative_to(folder).as_posix(), schemas, coverage, report)
        transcript.check()
        lines += transcript.lines
    check_coverage(schemas, coverage, report)
    for name, test in BEYOND_A_TRANSCRIPT.items():
        if name not in (project / "Tests" / test).read_text(encoding="utf-8"):
            report(f"Tests/{test}", f"is to show {name}")
    for fault in faults:
        print(fault)
    print(f"{lines} lines in {len(files)} transcripts against {len(schemas.files)} schemas: {len(faults) or 'no'} faults")
    return 1 if faults or not files else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Holds `schemas/openrpc.json` against what was released of the same protocol version, which must still be so.

Usage: compatibility.py [--release]

What was released lies in `protocol-N.json` beside this file, without descriptions and examples; `--release` writes it anew, and is for whoever
releases a version. A protocol version without that file has not been released, and may be anything.

Within a protocol version
- no method, notification, request of the host, error code of a method or member of an object goes away;
- what comes from the host keeps its types. It gains members, and words where it had some; it loses no word, no member becomes optional, and
  no bound or pattern becomes narrower;
- what goes to the host may become wider: optional members, types and words are added, bounds are loosened. None is taken away, and
  nothing becomes required.

Compared are single members. What depends on other members (`if`, `not`, what only lists `required`) is not.
"""

import json
import pathlib
import sys

from layout import laid_out

FOLDER = pathlib.Path(__file__).parent
PROJECT = FOLDER.parent.parent

LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")


# What only people read, what is said elsewhere in the document, and what depends on other members.
LEFT_OUT = {
    "description", "summary", "title", "examples", "params", "errors", "paramStructure", "allOf", "if", "then", "else", "not",
    "dependentRequired", "propertyNames", "patternProperties",
}


def without_words(value):
    """What is compared of a document."""
    if isinstance(value, list):
        return [without_words(element) for element in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, member in value.items():
        if key in ("properties", "$defs", "schemas"):
            kept[key] = {name: without_words(schema) for name, schema in member.items()}
        elif key not in LEFT_OUT or (key == "params" and isinstance(member, dict)):
            kept[key] = without_words(member)
    return kept


class Shape:
    """What a schema says of single values: their types, words, members and bounds."""

    def __init__(self, schema, document):
        self.types, self.words, self.objects, self.items, self.bounds, self.patterns = set(), set(), {}, None, {}, set()
        self.is_never = schema is False
        self._add(schema, document)

    def _add(self, schema, document):
        if not isinstance(schema, dict):
            return
        if "$ref" in schema:
            self._add(at(schema["$ref"], document), document)
            return
        choices = schema.get("oneOf") or schema.get("anyOf")
        if choices and "properties" not in schema and not all(set(choice) <= {"required"} for choice in choices):
            bounds = [choice for choice in choices if not set(choice) & {"$ref", "type", "const", "enum", "oneOf", "anyOf", "properties"}]
            for choice in choices:
                self._add({**choice, "type": schema.get("type")} if choice in bounds else choice, document)
            return
        if "const" in schema or "enum" in schema:
            self.words |= {json.dumps(word) for word in schema.get("enum", [schema.get("const")])}
            return
        types = schema.get("type", "object" if "properties" in schema else None)
        self.types |= {"any"} if types is None else set([types] if isinstance(types, str) else types)
        if "properties" in schema:
            self.objects[tag(schema)] = schema
        if "items" in schema:
            self.items = schema["items"]
        self.bounds.update({key: schema[key] for key in (*LOWER_BOUNDS, *UPPER_BOUNDS) if key in schema})
        if "pattern" in schema:
            self.patterns.add(schema["pattern"])


def at(reference, document):
    place = document
    for step in reference.removeprefix("#/").split("/"):
        place = place[step]
    return place


def tag(schema):
    """What tells the objects of a union apart: their constant members."""
    return tuple(sorted((name, json.dumps(member["const"])) for name, member in schema["properties"].items()
                        if isinstance(member, dict) and isinstance(member.get("const"), str)))


class Comparison:
    """What has become worse from one document to another."""

    def __init__(self, old, new):
        self.old, self.new, self.faults, self._seen = old, new, [], set()
        self._entries("method", "methods", "x-params", lambda method: method["result"]["schema"], "input", "output")
        for side, direction in (("host", "output"), ("client", "input")):
            self._entries(f"notification of the {side}", "x-notifications", "params", None, direction, None, side)
        self._entries("request of the host", "x-hostRequests", "params", lambda request: request["result"], "output", "input")
        for name in old["components"]["schemas"]:
            if name not in new["components"]["schemas"]:
                self._report(name, "the schema is gone")
        self._schemas({"$ref": "#/components/schemas/Error"}, {"$ref": "#/components/schemas/Error"}, "error", "output")

    def _report(self, where, fault):
        self.faults.append(f"{where}: {fault}")

    def _entries(self, kind, group, params, result, into, out, side=None):
        entries = [
            {entry["name"]: entry for entry in document[group] if side is None or side in entry["from"]}
            for document in (self.old, self.new)
        ]
        for name, old in entries[0].items():
            new = entries[1].get(name)
            if not new:
                self._report(name, f"the {kind} is gone")
                continue
            self._schemas(old[params], new[params], f"{name} params", into)
            if result:
                self._schemas(result(old), result(new), f"{name} result", out)
            for code in sorted(set(old.get("x-errorCodes", [])) - set(new.get("x-errorCodes", []))):
                self._report(name, f"the error {code} is gone")

    def _schemas(self, old, new, where, direction):
        pair = (json.dumps(old), json.dumps(new), direction)
        if pair in self._seen:
            return
        self._seen.add(pair)
        before, after = Shape(old, self.old), Shape(new, self.new)
        if before.is_never or after.is_never:
            if before.is_never != after.is_never and (after.is_never or direction == "output"):
                self._report(where, "no longer there" if after.is_never else "there although it could not be")
            return
        self._types(before, after, where, direction)
        self._bounds(before, after, where, direction)
        if before.items is not None and after.items is not None:
            self._schemas(before.items, after.items, f"{where}[]", direction)
        for name, object_before in before.objects.items():
            object_after = after.objects.get(name)
            if object_after is None and len(before.objects) == len(after.objects) == 1:
                object_after = next(iter(after.objects.values()))
            if object_after is None:
                self._report(where, f"no longer an object with {dict(name) or list(object_before['properties'])}")
            else:
                self._members(object_before, object_after, where, direction)
        if direction == "output" and () in before.objects and len(after.objects) > len(before.objects):
            self._report(where, "another object may come, and nothing tells them apart")

    def _types(self, before, after, where, direction):
        wider = {"integer": "number"}
        for kind in sorted(before.types - after.types - {"any"}):
            if "any" not in after.types and not (direction == "input" and wider.get(kind) in after.types):
                self._report(where, f"no longer of the type {kind}")
        if "any" in before.types and "any" not in after.types:
            self._report(where, "no longer any value")
        for word in sorted(before.words - after.words):
            if not (direction == "input" and word.startswith('"') and "string" in after.types):
                self._report(where, f"the word {word} is gone")
        if direction == "output":
            for kind in sorted(after.types - before.types):
                self._report(where, f"may be of the type {kind} now")
            for word in sorted(after.words - before.words):
                if not word.startswith('"') or not before.words:
                    self._report(where, f"may be {word} now")

    def _bounds(self, before, after, where, direction):
        for key in (*LOWER_BOUNDS, *UPPER_BOUNDS):
            old, new = before.bounds.get(key), after.bounds.get(key)
            if new is not None and (old is None or (new > old if key in LOWER_BOUNDS else new < old)):
                self._report(where, f"{key} is narrower")
        if before.patterns != after.patterns and (direction == "output" or after.patterns):
            self._report(where, "the pattern is another")

    def _members(self, old, new, where, direction):
        needed_before, needed_after = set(old.get("required", [])), set(new.get("required", []))
        for name, member in old["properties"].items():
            if name in new["properties"]:
                self._schemas(member, new["properties"][name], f"{where}.{name}", direction)
            elif member is not False:
                self._report(where, f"{name} is gone")
        if direction == "output":
            for name in sorted((needed_before - needed_after) & set(new["properties"])):
                self._report(where, f"{name} is no longer always there")
        else:
            for name in sorted(needed_after - needed_before):
                self._report(where, f"{name} has become required")
            if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
                self._report(where, "other members are refused now")


def faults(old, new):
    """What of a released document another one breaks, in words; nothing when its protocol version is a later one."""
    versions = [int(document["info"]["version"]) for document in (old, new)]
    if versions[1] > versions[0]:
        return []
    if versions[1] < versions[0]:
        return [f"protocol {versions[0]} has been released, and this is {versions[1]}"]
    return Comparison(old, new).faults


def main():
    current = without_words(json.loads((PROJECT / "schemas" / "openrpc.json").read_text(encoding="utf-8")))
    version = current["info"]["version"]
    found = []
    for snapshot in sorted(FOLDER.glob("protocol-*.json")):
        found += faults(json.loads(snapshot.read_text(encoding="utf-8")), current)
    if f"**Protocol {version}**" not in (PROJECT / "README.md").read_text(encoding="utf-8"):
        found.append(f"the README's changelog says nothing of protocol {version}")
    for fault in found:
        print(fault)
    if found:
        print(f"Protocol {version} no longer is what it was released as. Undo that, or move the protocol version (README, Versions).")
        return 1
    if "--release" in sys.argv[1:]:
        (FOLDER / f"protocol-{version}.json").write_text(laid_out(current) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

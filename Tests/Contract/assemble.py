#!/usr/bin/env python3
"""Ties all files of `schemas/` together into `schemas/openrpc.json`, one OpenRPC document that refers to nothing outside of itself.

Usage: assemble.py [--update]

Without `--update` nothing is written; exits 1 when the file is not what its parts say. The program compiles the file in, so it is written
before the program is built.

Every part's name becomes one of `components.schemas`: a value keeps its own, `sendMessage` gives `SendMessageParams` and
`SendMessageResult`, a notification `TurnStartedParams`. OpenRPC knows neither what a server sends unasked nor what it asks of its client:
these are `x-notifications` and `x-hostRequests`. Nor does it know conditions between params, or several errors of one number: `x-params` is
the schema of a method's params as a whole, `x-errorCodes` what its errors' `data.code` may be.
"""

import json
import pathlib
import sys

from layout import laid_out

PROJECT = pathlib.Path(__file__).parent.parent.parent
BASE = "https://parley.invalid/schemas/"

DESCRIPTION = (
    "The protocol that Parley speaks: JSON-RPC 2.0, one JSON text a line, over the standard input and output of its process. Params are always an"
    " object. Schemas are of JSON Schema 2020-12 and say exactly what this version sends and takes: unknown params are refused, and a client"
    " ignores members and words of an output that it does not know, because later ones may come within a protocol version. `info.version`"
    " is that version, the one of `initialize`. `x-notifications` are the notifications of both sides, `x-hostRequests` what the host asks of"
    " its client, and `Envelope` among the schemas describes the lines themselves."
)

# Who sends a notification, by what its description begins with.
SENDERS = {"From the client": ["client"], "From the host": ["host"], "From either side": ["client", "host"]}


class Parts:
    """All files of `schemas/` but the one that is assembled, by their paths there."""

    def __init__(self, folder):
        self.files = {
            path.relative_to(folder).as_posix(): json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(folder.rglob("*.json"))
            if path.name != "openrpc.json"
        }

    def below(self, folder):
        return {path: part for path, part in self.files.items() if path.startswith(folder + "/")}


def upper(name):
    return "".join(word[0].upper() + word[1:] for word in name.split("."))


def name_of(path):
    """The name of a part: `methods/rpc.discover.json` is `rpc.discover`."""
    return path.rpartition("/")[2].removesuffix(".json")


def component_of(path, pointer):
    """Where in the document a place of a part stands: `values/Tool.json` with `/$defs/policy`, for example."""
    if path.startswith("values/"):
        return f"#/components/schemas/{name_of(path)}{pointer}"
    if path == "envelope.json":
        return f"#/components/schemas/Envelope{pointer}"
    for kind in ("params", "result"):
        prefix = f"/$defs/{kind}"
        if pointer == prefix or pointer.startswith(prefix + "/"):
            return f"#/components/schemas/{upper(name_of(path))}{kind.capitalize()}{pointer.removeprefix(prefix)}"
    prefix = "/$defs/"
    first, _, rest = pointer.removeprefix(prefix).partition("/")
    if not pointer.startswith(prefix):
        raise SystemExit(f"schemas/{path}: nothing can be referred to at {pointer or 'its root'}")
    return f"#/components/schemas/{upper(name_of(path))}{upper(first)}{'/' + rest if rest else ''}"


def moved(schema, path):
    """A schema of the part `path`, with references that lead to places in the document."""
    if isinstance(schema, list):
        return [moved(element, path) for element in schema]
    if not isinstance(schema, dict):
        return schema
    result = {}
    for key, value in schema.items():
        if key in ("examples", "const", "enum", "default"):
            result[key] = value
        elif key == "$ref" and isinstance(value, str):
            target, pointer = resolved(value, path)
            result[key] = component_of(target, pointer)
        elif key not in ("$id", "$schema"):
            result[key] = moved(value, path)
    return result


def resolved(reference, path):
    """The part and the place in it that a reference from the part `path` leads to."""
    file, _, pointer = reference.partition("#")
    target = (pathlib.PurePosixPath(path).parent / file).as_posix() if file else path
    if "/../" in target:
        target = target.partition("/../")[2]
    return target, pointer


def description(schema, path, parts):
    """What a schema says of itself, or what it refers to says."""
    if "description" in schema or "$ref" not in schema:
        return schema.get("description")
    target, pointer = resolved(schema["$ref"], path)
    place = parts.files[target]
    for step in pointer.split("/")[1:]:
        place = place[step]
    return description(place, target, parts)


def error_codes(schema, parts):
    """All words that a method's `errorCode` allows."""
    if "$ref" in schema:
        return error_codes(parts.files["values/ErrorCode.json"]["$defs"][schema["$ref"].rpartition("/")[2]], parts)
    return [code for choice in schema["anyOf"] for code in error_codes(choice, parts)] if "anyOf" in schema else schema["enum"]


def numbers(parts):
    """The number of every error code."""
    return {
        rule["if"]["properties"]["data"]["properties"]["code"]["const"]: rule["then"]["properties"]["code"]["const"]
        for rule in parts.files["values/Error.json"]["allOf"]
    }


def method_object(path, part, parts, number_of):
    name, params = part["title"], part["$defs"]["params"]
    schemas = f"#/components/schemas/{upper(name_of(path))}"
    required = params.get("required", [])
    codes = error_codes(part["$defs"]["errorCode"], parts)
    return {
        "name": name,
        "summary": part["description"].partition(". ")[0].rstrip(".") + ".",
        "description": part["description"],
        "paramStructure": "by-name",
        # OpenRPC wants those that are required first.
        "params": [
            {
                "name": field,
                "description": description(schema, path, parts),
                "required": field in required,
                "schema": {"$ref": f"{schemas}Params/properties/{field}"},
            }
            for field, schema in sorted(params["properties"].items(), key=lambda item: item[0] not in required)
        ],
        "result": {"name": "result", "schema": {"$ref": f"{schemas}Result"}},
        "errors": [
            {
                "code": number,
                "message": " or ".join(code for code in codes if number_of[code] == number),
                "data": {"$ref": "#/components/schemas/ErrorData"},
            }
            for number in sorted({number_of[code] for code in codes})
        ],
        "examples": [
            {
                "name": f"{name} {index}",
                "params": [{"name": field, "value": value} for field, value in example["params"].items()],
                "result": {"name": "result", "value": example["result"]},
            }
            for index, example in enumerate(part["examples"], 1)
        ],
        "x-params": {"$ref": f"{schemas}Params"},
        "x-errorCodes": codes,
    }


def sender(path, part):
    for beginning, sides in SENDERS.items():
        if part["description"].startswith(beginning):
            return sides
    raise SystemExit(f"schemas/{path}: its description must begin with one of: {', '.join(SENDERS)}")


def assemble(parts):
    """The document.

    Raises SystemExit, with a sentence, when the parts do not go together.
    """
    schemas = {}

    def add(name, schema):
        if name in schemas:
            raise SystemExit(f"schemas: two parts are called {name}")
        schemas[name] = schema

    for path, part in parts.below("values").items():
        add(name_of(path), moved(part, path))
    add("Envelope", moved(parts.files["envelope.json"], "envelope.json"))
    for folder in ("methods", "notifications", "requests"):
        for path, part in parts.below(folder).items():
            for kind, schema in part["$defs"].items():
                if kind != "errorCode":
                    add(upper(name_of(path)) + upper(kind), moved(schema, path))

    number_of = numbers(parts)

    def reference(path, kind):
        return {"$ref": f"#/components/schemas/{upper(name_of(path))}{kind}"}

    version = parts.files["methods/initialize.json"]["$defs"]["result"]["properties"]["protocolVersion"]["const"]
    document = {
        "openrpc": "1.3.2",
        "info": {"title": "Parley", "version": str(version), "description": DESCRIPTION},
        "methods": [method_object(path, part, parts, number_of) for path, part in parts.below("methods").items()],
        "x-notifications": [
            {
                "name": part["title"],
                "description": part["description"],
                "from": sender(path, part),
                "params": reference(path, "Params"),
            }
            for path, part in parts.below("notifications").items()
        ],
        "x-hostRequests": [
            {
                "name": part["title"],
                "description": part["description"],
                "params": reference(path, "Params"),
                "result": reference(path, "Result"),
            }
            for path, part in parts.below("requests").items()
        ],
        "components": {"schemas": dict(sorted(schemas.items()))},
    }
    for reference in references(document):
        if not leads_somewhere(reference, document):
            raise SystemExit(f"schemas: nothing is at {reference}")
    return document


def references(value):
    """All references of a document; what stands in examples is none."""
    if isinstance(value, list):
        for element in value:
            yield from references(element)
    elif isinstance(value, dict):
        for key, member in value.items():
            if key == "$ref" and isinstance(member, str):
                yield member
            elif key not in ("examples", "const", "enum", "default", "value"):
                yield from references(member)


def leads_somewhere(reference, document):
    place = document
    for step in reference.removeprefix("#/").split("/"):
        if not isinstance(place, dict) or step not in place:
            return False
        place = place[step]
    return reference.startswith("#/")


def main():
    folder = PROJECT / "schemas"
    text = laid_out(assemble(Parts(folder))) + "\n"
    file = folder / "openrpc.json"
    if "--update" in sys.argv[1:]:
        file.write_text(text, encoding="utf-8")
    elif not file.exists() or file.read_text(encoding="utf-8") != text:
        print("schemas/openrpc.json is not what the other files of schemas/ say: write it with Tests/Contract/run --update")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Shows what the program prints of the contract to libraries that others wrote: `openrpc`, and the current `jsonschema`.

Usage: third_party.py PARLEY

Both documents, the whole one and that of a process, must be OpenRPC. Every example in them, and the answer of `rpc.discover` itself, must fit
the schemas that `parley schema --format jsonschema` prints.
"""

import json
import os
import subprocess
import sys

import jsonschema
import openrpc


# No setting, but what tells a sanitizer, where the program is built with one, how to report.
OPTIONS = {name: value for name, value in os.environ.items() if name in ("ASAN_OPTIONS", "TSAN_OPTIONS")}


def run(*command, text=""):
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True, env=OPTIONS).stdout


def main():
    parley = sys.argv[1]
    whole = json.loads(run(parley, "schema", "--format", "openrpc"))
    bundle = json.loads(run(parley, "schema", "--format", "jsonschema"))
    request = {"jsonrpc": "2.0", "id": 1, "method": "rpc.discover"}
    offered = json.loads(run(parley, "serve", "--deterministic", "--log-level", "critical", text=json.dumps(request) + "\n"))["result"]

    for document in (whole, offered):
        model = openrpc.OpenRPC.model_validate(document)
        assert [method.name for method in model.methods] == [method["name"] for method in document["methods"]]
    assert offered == whole, "a deterministic host offers everything"

    jsonschema.Draft202012Validator.check_schema(bundle)

    def check(name, value):
        schema = {**bundle, "$ref": f"#/$defs/{name}"}
        del schema["anyOf"]
        jsonschema.Draft202012Validator(schema).validate(value)

    check("RpcDiscoverResult", offered)
    examples = 0
    for method in whole["methods"]:
        params, result = (place["$ref"].rpartition("/")[2] for place in (method["x-params"], method["result"]["schema"]))
        for example in method["examples"]:
            check(params, {param["name"]: param["value"] for param in example["params"]})
            check(result, example["result"]["value"])
            jsonschema.Draft202012Validator(bundle).validate(
                {"jsonrpc": "2.0", "id": 1, "result": example["result"]["value"]})
            examples += 1
    for name, schema in bundle["$defs"].items():
        for example in schema.get("examples", []):
            check(name, example)
            examples += 1
    print(f"{len(whole['methods'])} methods are OpenRPC, and {examples} examples fit the schemas")


if __name__ == "__main__":
    main()

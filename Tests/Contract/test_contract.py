"""Tests of what keeps the contract: every kind of break is found, and nothing else is."""

import copy
import json
import pathlib
import unittest

import assemble
import compatibility

SCHEMAS = pathlib.Path(__file__).parent.parent.parent / "schemas"

TEXT, NUMBER, NULLABLE = {"type": "string"}, {"type": "integer"}, {"type": ["string", "null"]}


def thing(required=(), closed=True, **properties):
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return {**schema, "additionalProperties": False} if closed else schema


def union(*tags):
    return {"oneOf": [thing(type={"const": tag}) for tag in tags]}


# What was, what is, and what is wrong with that in what comes from the host, and in what goes there; None for nothing.
CHANGES = [
    (thing(a=TEXT), thing(a=TEXT, b=TEXT), None, None),
    (thing(a=TEXT, b=TEXT), thing(a=TEXT), "b is gone", "b is gone"),
    (thing(["a"], a=TEXT), thing(a=TEXT), "a is no longer always there", None),
    (thing(a=TEXT), thing(["a"], a=TEXT), None, "a has become required"),
    (thing(a=TEXT), thing(["b"], a=TEXT, b=TEXT), None, "b has become required"),
    (thing(closed=False, a=TEXT), thing(a=TEXT), None, "other members are refused now"),
    (thing(a=TEXT), thing(a=False), "no longer there", "no longer there"),
    (thing(a=False), thing(a=TEXT), "there although it could not be", None),
    (TEXT, NUMBER, "no longer of the type string", "no longer of the type string"),
    (TEXT, NULLABLE, "may be of the type null now", None),
    (NULLABLE, TEXT, "no longer of the type null", "no longer of the type null"),
    (NUMBER, {"type": "number"}, "no longer of the type integer", None),
    ({}, TEXT, "no longer any value", "no longer any value"),
    (TEXT, {}, "may be of the type any now", None),
    ({"enum": ["a"]}, {"enum": ["a", "b"]}, None, None),
    ({"enum": ["a", "b"]}, {"enum": ["a"]}, 'the word "b" is gone', 'the word "b" is gone'),
    ({"enum": ["a"]}, {"enum": ["a", None]}, "may be null now", None),
    ({"enum": ["a"]}, TEXT, 'the word "a" is gone', None),
    (TEXT, {"enum": ["a"]}, "no longer of the type string", "no longer of the type string"),
    ({"oneOf": [{"const": "a"}, {"const": "b"}]}, {"const": "a"}, 'the word "b" is gone', 'the word "b" is gone'),
    ({"const": True}, {"type": "boolean"}, "may be of the type boolean now", "the word true is gone"),
    (union("a", "b"), union("a"), "no longer an object with {'type': '\"b\"'}", "no longer an object with {'type': '\"b\"'}"),
    (union("a"), union("a", "b"), None, None),
    ({"oneOf": [thing(a=TEXT), TEXT]}, TEXT, "no longer of the type object", "no longer of the type object"),
    ({"type": "integer", "minimum": 1}, NUMBER, None, None),
    (NUMBER, {"type": "integer", "minimum": 1}, "minimum is narrower", "minimum is narrower"),
    ({"type": "string", "maxLength": 9}, {"type": "string", "maxLength": 8}, "maxLength is narrower", "maxLength is narrower"),
    ({"type": "string", "maxLength": 9}, {"type": "string", "maxLength": 10}, None, None),
    (TEXT, {"type": "string", "pattern": "^a"}, "the pattern is another", "the pattern is another"),
    ({"type": "string", "pattern": "^a"}, TEXT, "the pattern is another", None),
    ({"type": "array", "items": TEXT}, {"type": "array", "items": NUMBER}, "[]: no longer of the type string", "[]: no longer of the type string"),
    (thing(a=TEXT), {"$ref": "#/components/schemas/Shared"}, "a is gone", "a is gone"),
    ({"description": "One."}, {"description": "Two."}, None, None),
]


def document(version="1", params=None, result=None, codes=("notFound",), notification=None, host=None):
    return {
        "info": {"version": version},
        "methods": [
            {"name": "do", "x-params": params or thing(), "result": {"schema": result or thing()}, "x-errorCodes": list(codes)},
        ],
        "x-notifications": [{"name": "done", "from": ["host"], "params": notification or thing()}],
        "x-hostRequests": [{"name": "ask", "params": host or thing(), "result": thing()}],
        "components": {"schemas": {"Error": thing(code=NUMBER), "Shared": thing(b=TEXT)}},
    }


class CompatibilityTests(unittest.TestCase):
    def check(self, expected, old, new):
        found = compatibility.faults(old, new)
        if expected is None:
            self.assertEqual(found, [])
        else:
            self.assertTrue(any(fault.endswith(expected) for fault in found), f"{expected!r} is not among {found}")

    def test_every_kind_of_change(self):
        for old, new, output, into in CHANGES:
            with self.subTest(old=old, new=new):
                # As a member, as what a method gives or takes, and in what the host sends.
                self.check(output, document(result=thing(x=old)), document(result=thing(x=new)))
                self.check(output, document(notification=thing(x=old)), document(notification=thing(x=new)))
                self.check(output, document(host=thing(x=old)), document(host=thing(x=new)))
                self.check(into, document(params=thing(x=old)), document(params=thing(x=new)))

    def test_names_stay(self):
        for group, fault in (("methods", "the method is gone"), ("x-notifications", "the notification of the host is gone"),
                             ("x-hostRequests", "the request of the host is gone")):
            self.check(fault, document(), {**document(), group: []})
            self.check(None, {**document(), group: []}, document())
        self.check("the error b is gone", document(codes=["a", "b"]), document(codes=["a"]))
        self.check(None, document(codes=["a"]), document(codes=["a", "b"]))
        changed = document()
        changed["components"]["schemas"] = {"Error": thing(), "Shared": thing(b=TEXT)}
        self.check("code is gone", document(), changed)

    def test_a_later_version_may_be_anything(self):
        self.check(None, document(result=thing(a=TEXT)), document("2"))
        self.check("protocol 2 has been released, and this is 1", document("2"), document())

    def test_the_real_contract(self):
        """Whatever is taken out of the real document is missed, and references that lead in rings do no harm."""
        real = compatibility.without_words(json.loads((SCHEMAS / "openrpc.json").read_text(encoding="utf-8")))
        self.check(None, real, real)
        for schema, member, where in (("Turn", "status", "status is gone"), ("ErrorData", "code", "code is gone"), ("Tool", "title", "title is gone"),
                                      ("TurnStartedParams", "seq", "seq is gone"), ("Caller", "userId", "userId is gone")):
            broken = copy.deepcopy(real)
            del broken["components"]["schemas"][schema]["properties"][member]
            self.check(where, real, broken)

    def test_the_snapshot_is_of_a_document(self):
        reduced = compatibility.without_words({
            "methods": [{"name": "a", "description": "b", "params": [], "x-params": {}}],
            "components": {"schemas": {"A": {"description": "c", "properties": {"description": {"type": "string"}}}}},
        })
        self.assertEqual(reduced, {
            "methods": [{"name": "a", "x-params": {}}],
            "components": {"schemas": {"A": {"properties": {"description": {"type": "string"}}}}},
        })


class AssemblyTests(unittest.TestCase):
    def test_references_are_moved(self):
        moved = assemble.moved({"items": {"$ref": "../values/Tool.json#/$defs/policy"}, "examples": [{"$ref": "x"}], "$id": "y"}, "methods/a.json")
        self.assertEqual(moved, {"items": {"$ref": "#/components/schemas/Tool/$defs/policy"}, "examples": [{"$ref": "x"}]})
        self.assertEqual(assemble.moved({"$ref": "#"}, "values/A.json"), {"$ref": "#/components/schemas/A"})
        self.assertEqual(assemble.moved({"$ref": "#/$defs/option"}, "requests/a.json"), {"$ref": "#/components/schemas/AOption"})
        self.assertEqual(
            assemble.moved({"$ref": "rpc.discover.json#/$defs/params/properties/b"}, "methods/a.json"),
            {"$ref": "#/components/schemas/RpcDiscoverParams/properties/b"})

    def test_parts_that_do_not_go_together(self):
        def changed(change):
            parts = assemble.Parts(SCHEMAS)
            change(parts.files)
            with self.assertRaises(SystemExit) as raised:
                assemble.assemble(parts)
            return str(raised.exception)

        self.assertIn("nothing is at", changed(lambda files: files["values/Bot.json"]["properties"].update(x={"$ref": "Nobody.json"})))
        self.assertIn("two parts", changed(lambda files: files.update({"values/PingParams.json": {}})))
        self.assertIn("must begin", changed(lambda files: files["notifications/messageDelta.json"].update(description="More.")))


if __name__ == "__main__":
    unittest.main()

/// Schemas of every keyword, in the order of the table in ``JSONSchema``.
enum Examples {
    static let all = types + values + numbers + strings + arrays + objects + combinations + references + annotations

    static let types = [
        Example("true", valid: ["null", "1", "{}"]),
        Example("false", invalid: ["null", "1", "{}"]),
        Example("{}", valid: ["null", "1", "{}"]),
        Example(#"{"type": "string"}"#, valid: [#""""#, #""1""#], invalid: ["1", "null", "[]", "{}", "true"]),
        Example(
            #"{"type": "integer"}"#, valid: ["1", "-0", "1.0", "1e3", "12.50e1", "1e400", "123456789012345678901234567890"],
            invalid: ["1.5", "1e-1", #""1""#, "1e-400", "true", "null"]),
        Example(#"{"type": "number"}"#, valid: ["1", "1.5", "1e400"], invalid: [#""1""#, "true", "null"]),
        Example(#"{"type": "boolean"}"#, valid: ["true", "false"], invalid: ["0", "null", #""true""#]),
        Example(#"{"type": "null"}"#, valid: ["null"], invalid: ["0", "false", #""""#, "[]", "{}"]),
        Example(#"{"type": "array"}"#, valid: ["[]", "[1]"], invalid: ["{}", "null", #""[]""#]),
        Example(#"{"type": "object"}"#, valid: ["{}"], invalid: ["[]", "null"]),
        Example(#"{"type": ["integer", "null"]}"#, valid: ["1", "null", "2.0"], invalid: ["1.5", "false"]),
        Example(#"{"type": ["integer", "number"]}"#, valid: ["1.5"], invalid: ["null"]),
        Example(#"{"type": ["string"]}"#, valid: [#""a""#], invalid: ["1"]),
    ]

    static let values = [
        Example(
            #"{"enum": ["a", 1, null, [1, {"b": 2}]]}"#, valid: [#""a""#, "1.0", "10e-1", "null", #"[1, {"b": 2.0}]"#],
            invalid: [#""A""#, "true", "[]", "[1]", "0"]),
        Example(#"{"enum": []}"#, invalid: ["1", "null"]),
        Example(#"{"enum": [0]}"#, valid: ["0", "-0", "0.0", "0e9", "-0.0e-5"], invalid: ["false", "[0]", #""0""#]),
        Example(#"{"enum": [false]}"#, valid: ["false"], invalid: ["0", "[]", "null"]),
        Example(
            #"{"const": {"a": 1, "b": [2]}}"#, valid: [#"{"b": [2], "a": 1}"#],
            invalid: [#"{"a": 1}"#, #"{"a": 1, "b": [2], "c": 3}"#, #"{"a": 1, "b": [2, 2]}"#]),
        Example(
            #"{"const": 18446744073709551616}"#, valid: ["18446744073709551616", "18446744073709551616.0", "1844674407370955161.6e1"],
            invalid: ["18446744073709551617", "18446744073709551615", "1.8446744073709552e19"]),
        Example(#"{"const": 0.1}"#, valid: ["0.10", "1e-1", "100e-3"], invalid: ["0.1000000000000000055", "0.2", "-0.1"]),
        Example(#"{"const": [["a"], "b"]}"#, valid: [#"[["a"], "b"]"#], invalid: [#"[["a", "b"]]"#, #"["a", "b"]"#]),
        // Both are "é" to Swift's ==, with one and with two code points.
        Example(#"{"const": "\u00e9"}"#, valid: [#""\u00e9""#], invalid: [#""e\u0301""#]),
        Example(#"{"const": {"\u00e9": 1}}"#, valid: [#"{"\u00e9": 1}"#], invalid: [#"{"e\u0301": 1}"#]),
        Example(#"{"enum": ["e\u0301"]}"#, valid: [#""e\u0301""#], invalid: [#""\u00e9""#]),
    ]

    static let numbers = [
        Example(#"{"minimum": 1.1}"#, valid: ["1.1", "1.10", "2.6", #""x""#], invalid: ["0.6", "1.0999999999999999999999", "-2"]),
        Example(#"{"minimum": -2}"#, valid: ["-2", "-1.9", "-2.0", "0"], invalid: ["-2.0001", "-3", "-1e400"]),
        Example(#"{"maximum": 300.0}"#, valid: ["300", "300.0", "3e2", "-1e999"], invalid: ["300.5", "3.0001e2", "1e400"]),
        Example(#"{"maximum": -5}"#, valid: ["-5", "-5.1"], invalid: ["-4.9", "0", "5"]),
        Example(#"{"exclusiveMinimum": 0}"#, valid: ["1", "1e-999"], invalid: ["0", "-0.0", "-1"]),
        Example(#"{"exclusiveMaximum": 3}"#, valid: ["2.99999999999999999999999", "-4"], invalid: ["3", "3.0", "30e-1"]),
        Example(#"{"maximum": 9007199254740992}"#, valid: ["9007199254740992"], invalid: ["9007199254740993", "9007199254740992.5"]),
        Example(
            #"{"minimum": 9223372036854775807}"#, valid: ["9223372036854775807", "9223372036854775808"], invalid: ["9223372036854775806"]),
        Example(#"{"minimum": 1e99999999999999999999}"#, invalid: ["5", "1e400", "-1e99999999999999999999"]),
        Example(
            #"{"multipleOf": 2}"#, valid: ["0", "-4", "10", "7e1", "36893488147419103232", #""x""#],
            invalid: ["7", "2.5", "36893488147419103233"]),
        Example(
            #"{"multipleOf": 0.01}"#, valid: ["19.99", "0.29", "4.35", "1.1", "0", "1e300", "-0.07", "1234567890123456789012345.67"],
            invalid: ["0.005", "19.999", "1e-3"]),
        Example(#"{"multipleOf": 1.5}"#, valid: ["4.5", "3", "15e-1"], invalid: ["35", "1", "0.5"]),
        Example(#"{"multipleOf": 3}"#, valid: ["9e400", "111"], invalid: ["1e400", "112"]),
        Example(#"{"multipleOf": 0.0075}"#, valid: ["0.0075", "4.5"], invalid: ["0.00751"]),
        Example(#"{"multipleOf": 64}"#, valid: ["1e6", "128"], invalid: ["1e5"]),
        Example(
            #"{"multipleOf": 999999999999999999}"#, valid: ["999999999999999999e9", "1999999999999999998"], invalid: ["999999999999999998"]),
        Example(#"{"multipleOf": 1e300}"#, valid: ["2e300", "1e301"], invalid: ["1e299"]),
    ]

    static let strings = [
        Example(#"{"minLength": 2}"#, valid: [#""ab""#, "1", #""e\u0301""#], invalid: [#""a""#, #""\ud83d\ude00""#, #""""#]),
        Example(#"{"maxLength": 2.0}"#, valid: [#""ab""#, #""\ud83d\ude00\ud83d\ude00""#, "12345"], invalid: [#""abc""#, #""ae\u0301""#]),
        Example(#"{"maxLength": 1e30}"#, valid: [#""abc""#]),
        Example(#"{"pattern": "^a*$"}"#, valid: [#""aaa""#, #""""#, "1"], invalid: [#""ab""#, #""a\n""#]),
        Example(#"{"pattern": "a+"}"#, valid: [#""xxaayy""#], invalid: [#""xyz""#]),
    ]

    static let arrays = [
        Example(#"{"items": {"type": "integer"}}"#, valid: ["[]", "[1, 2.0]", #""x""#], invalid: [#"[1, "x"]"#, "[null]"]),
        Example(#"{"items": false}"#, valid: ["[]"], invalid: ["[1]"]),
        Example(
            #"{"prefixItems": [{"type": "integer"}, {"type": "string"}]}"#, valid: ["[]", "[1]", #"[1, "a", null]"#],
            invalid: [#"["a"]"#, "[1, 2]"]),
        Example(#"{"prefixItems": [{"type": "integer"}], "items": false}"#, valid: ["[1]", "[]"], invalid: ["[1, 2]", #"["a"]"#]),
        Example(#"{"prefixItems": [true], "items": {"type": "null"}}"#, valid: ["[1, null]"], invalid: ["[null, 1]"]),
        Example(#"{"minItems": 1}"#, valid: ["[1]", "{}"], invalid: ["[]"]),
        Example(#"{"maxItems": 2}"#, valid: ["[1, 2]", #"{"a": 1, "b": 2, "c": 3}"#], invalid: ["[1, 2, 3]"]),
        Example(
            #"{"uniqueItems": true}"#,
            valid: [
                "[]", "[1, 2]", "[1, true, [1], [true]]", #"[{"a": 1}, {"a": 2}]"#, #"["1", 1]"#, "[[1, 2], [2, 1]]",
                #"[["a\"b"], ["a", "b"]]"#,
                #"["\u00e9", "e\u0301"]"#,
            ], invalid: ["[1, 2, 1]", "[1, 1.0]", #"[{"a": 1, "b": 2}, {"b": 2, "a": 1e0}]"#, "[[1], [1]]", "[null, null]", "[0, -0]"]),
        Example(#"{"uniqueItems": false}"#, valid: ["[1, 1]"]),
    ]

    static let objects = [
        Example(
            #"{"properties": {"a": {"type": "integer"}, "b": false}}"#, valid: ["{}", #"{"a": 1, "c": null}"#, "[]"],
            invalid: [#"{"a": "1"}"#, #"{"b": 1}"#]),
        Example(#"{"properties": {"\u00e9": false}}"#, valid: [#"{"e\u0301": 1}"#], invalid: [#"{"\u00e9": 1}"#]),
        Example(
            #"{"patternProperties": {"^x_": {"type": "integer"}, "y$": {"minimum": 5}}}"#,
            valid: [#"{"x_": 1, "ax_": "s"}"#, #"{"x_y": 5}"#], invalid: [#"{"x_1": "s"}"#, #"{"x_y": 1}"#, #"{"x_y": 5.5}"#]),
        Example(
            #"{"properties": {"a": true}, "additionalProperties": false}"#, valid: ["{}", #"{"a": 1}"#, "[]"],
            invalid: [#"{"b": 1}"#, #"{"a": 1, "A": 1}"#]),
        Example(
            #"{"properties": {"\u00e9": true}, "additionalProperties": false}"#, valid: [#"{"\u00e9": 1}"#], invalid: [#"{"e\u0301": 1}"#]),
        Example(
            #"{"properties": {"a": true}, "patternProperties": {"^x": true}, "additionalProperties": {"type": "null"}}"#,
            valid: [#"{"a": 1, "x1": 1, "b": null}"#], invalid: [#"{"b": 1}"#]),
        Example(#"{"additionalProperties": {"type": "boolean"}}"#, valid: [#"{"a": true}"#], invalid: [#"{"a": 1}"#]),
        Example(#"{"propertyNames": {"maxLength": 2}}"#, valid: [#"{"ab": 1}"#, "{}", #""abc""#], invalid: [#"{"abc": 1}"#]),
        Example(#"{"propertyNames": false}"#, valid: ["{}"], invalid: [#"{"a": 1}"#]),
        Example(#"{"required": ["a", "b", "a"]}"#, valid: [#"{"a": null, "b": 1}"#, "[]", #""a""#], invalid: ["{}", #"{"a": 1}"#]),
        Example(#"{"required": ["\u00e9"]}"#, valid: [#"{"\u00e9": 1}"#], invalid: [#"{"e\u0301": 1}"#]),
        Example(#"{"required": []}"#, valid: ["{}"]),
        Example(#"{"minProperties": 1, "maxProperties": 2}"#, valid: [#"{"a": 1}"#, "[]"], invalid: ["{}", #"{"a": 1, "b": 2, "c": 3}"#]),
        Example(
            ##"{"properties": {"__proto__": {"type": "number"}, "toString": {"type": "string"}, "$ref": {"type": "null"}}}"##,
            valid: [#"{"$ref": null}"#], invalid: [#"{"__proto__": "x"}"#, #"{"$ref": "a"}"#]),
    ]

    static let combinations = [
        Example(#"{"allOf": [{"minimum": 2}, {"maximum": 4}]}"#, valid: ["3"], invalid: ["1", "5"]),
        Example(#"{"allOf": [{"type": "integer"}, false]}"#, invalid: ["1", "null"]),
        Example(#"{"anyOf": [{"type": "integer"}, {"minimum": 2}]}"#, valid: ["1", "2.5", #""x""#], invalid: ["1.5"]),
        Example(#"{"oneOf": [{"type": "integer"}, {"minimum": 2}]}"#, valid: ["1", "2.5"], invalid: ["3", "1.5"]),
        Example(#"{"oneOf": [true, true, false]}"#, invalid: ["1"]),
        Example(#"{"oneOf": [false, true, false]}"#, valid: ["1"]),
        Example(#"{"not": {"type": ["integer", "boolean"]}}"#, valid: [#""x""#, "1.5"], invalid: ["1", "true"]),
        Example(
            #"{"not": {"properties": {"a": {"type": "string"}}, "required": ["a"]}}"#, valid: ["{}", #"{"a": 1}"#], invalid: [#"{"a": ""}"#]
        ),
        Example(
            #"{"if": {"exclusiveMaximum": 0}, "then": {"minimum": -10}, "else": {"multipleOf": 2}}"#, valid: ["-1", "4", #""x""#],
            invalid: ["-100", "3"]),
        Example(#"{"if": {"const": 1}, "then": false}"#, valid: ["2"], invalid: ["1"]),
        Example(#"{"if": {"const": 1}, "else": false}"#, valid: ["1"], invalid: ["2"]),
        Example(#"{"if": false, "then": false}"#, valid: ["1"]),
        Example(#"{"then": false, "else": false}"#, valid: ["1"]),
        Example(#"{"minimum": 3, "anyOf": [{"maximum": 5}], "type": "integer"}"#, valid: ["4"], invalid: ["6", "2", #""4""#]),
    ]

    static let references = [
        Example(
            ##"{"properties": {"next": {"$ref": "#"}}, "additionalProperties": false}"##, valid: [#"{"next": {"next": {}}}"#],
            invalid: [#"{"next": {"nex": {}}}"#]),
        Example(##"{"$defs": {"a": {"type": "integer"}}, "items": {"$ref": "#/$defs/a"}}"##, valid: ["[1]"], invalid: [#"["1"]"#]),
        Example(
            ##"{"definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"maximum": 1}}, "$ref": "#/definitions/a"}"##, valid: ["1"],
            invalid: ["2"]),
        Example(
            ##"{"$defs": {"a/b": {"const": 1}, "m~n": {"const": 2}, "p%q": {"const": 3}, "é": {"const": 4}, "": {"const": 5}}, "prefixItems": [{"$ref": "#/$defs/a~1b"}, {"$ref": "#/$defs/m~0n"}, {"$ref": "#/$defs/p%25q"}, {"$ref": "#/$defs/%C3%A9"}, {"$ref": "#/$defs/"}]}"##,
            valid: ["[1, 2, 3, 4, 5]"], invalid: ["[2]", "[1, 1]", "[1, 2, 2]", "[1, 2, 3, 3]", "[1, 2, 3, 4, 4]"]),
        Example(##"{"prefixItems": [{"type": "integer"}, {"$ref": "#/prefixItems/0"}]}"##, valid: ["[1, 2]"], invalid: [#"[1, "2"]"#]),
        Example(##"{"$ref": "#/$defs/a", "maximum": 5, "$defs": {"a": {"minimum": 3}}}"##, valid: ["4"], invalid: ["2", "6"]),
        Example(
            ##"{"$defs": {"a": true, "b": false}, "properties": {"x": {"$ref": "#/$defs/a"}, "y": {"$ref": "#/$defs/b"}}}"##,
            valid: [#"{"x": 1}"#], invalid: [#"{"y": 1}"#]),
        Example(
            ##"{"properties": {"$ref": {"$ref": "#/$defs/s"}}, "$defs": {"s": {"type": "string"}}}"##, valid: [#"{"$ref": "a"}"#],
            invalid: [#"{"$ref": 1}"#]),
        Example(
            ##"{"$defs": {"tree": {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/tree"}}, "v": {"type": "number"}}, "required": ["v"]}}, "$ref": "#/$defs/tree"}"##,
            valid: [#"{"v": 1, "kids": [{"v": 2, "kids": []}]}"#],
            invalid: [#"{"v": 1, "kids": [{"kids": []}]}"#, #"{"v": 1, "kids": [{"v": 2, "kids": [{"v": "3"}]}]}"#]),
        Example(##"{"const": {"$ref": "#/nowhere"}}"##, valid: [##"{"$ref": "#/nowhere"}"##], invalid: ["{}"]),
        Example(##"{"propertyNames": {"$ref": "#"}, "minLength": 2}"##, valid: [#"{"ab": 1}"#], invalid: [#"{"a": 1}"#]),
    ]

    static let annotations = [
        Example(
            #"{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.com/x", "$comment": "c", "title": "t", "description": "d", "default": 1, "examples": [1], "deprecated": true, "readOnly": true, "writeOnly": false, "format": "email", "contentEncoding": "base64", "contentMediaType": "text/plain", "x-order": {"type": 1}}"#,
            valid: ["null", #""not an address""#]),
        Example(
            #"{"properties": {"a": {"$id": "https://example.com/a", "type": "integer"}}}"#, valid: [#"{"a": 1}"#], invalid: [#"{"a": ""}"#]),
        Example(##"{"default": {"$ref": "nowhere", "frobnicate": 1}, "examples": [{"type": 7}]}"##, valid: ["1"]),
    ]
}

import ArgumentParser
import JSON
import ParleyContract

/// `parley schema`: what the protocol is, for programs.
struct Schema: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the protocol: every method, notification and value, with descriptions and examples.")

    /// The languages in which it can be printed.
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case openrpc, jsonschema, typescript
    }

    @Option(help: "openrpc for one OpenRPC document, jsonschema for one JSON Schema 2020-12, typescript for a module of types.")
    var format = Format.openrpc

    func run() {
        switch format {
        case .openrpc: print(String(decoding: Contract.bytes, as: UTF8.self), terminator: "")
        case .jsonschema: print(Self.laidOut(Contract.compiledIn.jsonSchema))
        case .typescript: print(TypeScript.module(.compiledIn), terminator: "")
        }
    }

    /// A JSON value with each member and element on a line of its own.
    private static func laidOut(_ value: JSONValue, indent: String = "") -> String {
        func block(_ lines: [String], _ begin: String, _ end: String) -> String {
            lines.isEmpty ? begin + end : "\(begin)\n" + lines.map { "\(indent)  \($0)" }.joined(separator: ",\n") + "\n\(indent)\(end)"
        }
        switch value {
        case .array(let elements): return block(elements.map { laidOut($0, indent: indent + "  ") }, "[", "]")
        case .object(let members):
            return block(members.map { "\(text(.string($0.key))): \(laidOut($0.value, indent: indent + "  "))" }, "{", "}")
        default: return text(value)
        }
    }

    private static func text(_ value: JSONValue) -> String { String(decoding: JSONWriter.encode(value), as: UTF8.self) }
}

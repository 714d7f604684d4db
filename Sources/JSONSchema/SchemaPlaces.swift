import JSON

/// The places of a schema document that the compiler has come to, as a tree, so that a place's pointer costs nothing until it is told.
struct SchemaPlaces {
    /// A place's index among all; the document's root is 0.
    typealias ID = Int

    private struct Place {
        var parent: ID
        var token: String
        var depth: Int
        var children: [String: ID] = [:]
        var node: SchemaNode.ID?
    }

    private var places = [Place(parent: 0, token: "", depth: 0)]

    /// The place that a member's key or an element's index leads to.
    mutating func child(of parent: ID, _ token: String) -> ID {
        if let child = places[parent].children[token] {
            return child
        }
        let child = places.count
        places.append(Place(parent: parent, token: token, depth: places[parent].depth + 1))
        places[parent].children[token] = child
        return child
    }

    /// The schema that was found at a place.
    subscript(node place: ID) -> SchemaNode.ID? {
        get { places[place].node }
        set { places[place].node = newValue }
    }

    /// How many steps lead from the root to a place.
    func depth(of place: ID) -> Int {
        places[place].depth
    }

    /// A place's JSON pointer (RFC 6901).
    func pointer(to place: ID) -> String {
        var tokens: [String] = []
        var place = place
        while place != 0 {
            var token = ""
            for scalar in places[place].token.unicodeScalars {
                switch scalar {
                case "~": token += "~0"
                case "/": token += "~1"
                default: token.unicodeScalars.append(scalar)
                }
            }
            tokens.append("/" + token)
            place = places[place].parent
        }
        return tokens.reversed().joined()
    }
}

/// A reference within a document: a fragment that is a JSON pointer (RFC 6901, section 6).
struct LocalReference {
    /// The keys and indices on the way from the root.
    let tokens: [String]

    /// Reads a reference.
    ///
    /// - Returns: nil when it does not begin with `#/` and is not `#`, or is malformed.
    init?(_ text: String) {
        guard text.utf8.first == UInt8(ascii: "#") else { return nil }
        var bytes: [UInt8] = []
        var rest = text.utf8.dropFirst()
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard rest.count >= 2, let decoded = UInt8(rest.prefix(2).map { String(Unicode.Scalar($0)) }.joined(), radix: 16) else {
                    return nil
                }
                bytes.append(decoded)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        guard let pointer = String(validating: bytes, as: UTF8.self), pointer.isEmpty || pointer.utf8.first == UInt8(ascii: "/") else {
            return nil
        }
        var tokens: [String] = []
        for token in pointer.unicodeScalars.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            guard let decoded = Self.unescaped(token) else { return nil }
            tokens.append(decoded)
        }
        self.tokens = tokens
    }

    private static func unescaped(_ token: Substring.UnicodeScalarView) -> String? {
        var decoded = String.UnicodeScalarView()
        var rest = token
        while let scalar = rest.popFirst() {
            guard scalar == "~" else {
                decoded.append(scalar)
                continue
            }
            switch rest.popFirst() {
            case "0": decoded.append("~")
            case "1": decoded.append("/")
            default: return nil
            }
        }
        return String(decoded)
    }

    /// Goes one step from a value.
    ///
    /// - Returns: nil when nothing is there.
    static func step(from value: JSONValue, to token: String) -> JSONValue? {
        switch value {
        case .object(let members):
            guard let index = members.index(forKey: token), members.keys[index].isSpelled(as: token) else { return nil }
            return members.values[index]
        case .array(let elements):
            guard let index = Int(token), String(index) == token, elements.indices.contains(index) else { return nil }
            return elements[index]
        default:
            return nil
        }
    }
}

/// The way from a document's root to one place in it, found by scanning the document from its start, once and without recursion.
struct JSONPath {
    /// Where in an array or object the way goes on.
    private enum Step {
        case element(Int)
        case beforeKey
        case member(StringToken)
        case field(String)
    }

    private let bytes: [UInt8]
    private let documentStart: Int

    /// Index of the first byte of what the error is about.
    private var target: Int

    /// The arrays and objects that are open at the target, the outermost first.
    private var containers: [(start: Int, step: Step)] = []

    /// Finds the way to a place where the text breaks the grammar.
    ///
    /// - Parameters:
    ///   - index: the place; everything before it must have been read without an error.
    ///   - bytes: the buffer.
    ///   - start: index where the document begins.
    init(toFaultAt index: Int, in bytes: [UInt8], from start: Int) {
        self.bytes = bytes
        documentStart = start
        target = index
        scan()
    }

    /// Finds the way to a value.
    ///
    /// - Parameters:
    ///   - index: where the value or its key begins, or where the closing bracket of an array or object stands;
    ///     everything before it must have been read without an error.
    ///   - bytes: the buffer.
    ///   - start: index where the document begins.
    init(toValueAt index: Int, in bytes: [UInt8], from start: Int) {
        self.init(toFaultAt: index, in: bytes, from: start)
        guard index < bytes.count else {
            return
        }
        switch bytes[index] {
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            target = containers.popLast()?.start ?? index
        case UInt8(ascii: "\""):
            if let last = containers.last, case .beforeKey = last.step, let key = try? StringToken(at: index, in: bytes.span) {
                containers[containers.count - 1].step = .member(key)
            }
        default:
            break
        }
    }

    /// Goes to a field of the innermost object that is open at the target, whether the field exists or not.
    ///
    /// - Parameter name: the field's name.
    mutating func descend(toField name: String) {
        while let last = containers.last, case .element = last.step {
            containers.removeLast()
        }
        if let object = containers.popLast() {
            target = object.start
        }
        containers.append((target, .field(name)))
    }

    /// The error for the place found.
    ///
    /// - Parameters:
    ///   - kind: whether the text is not JSON or only not what was asked for.
    ///   - reason: what is wrong, for people.
    func error(_ kind: JSONError.Kind, _ reason: String) -> JSONError {
        JSONError(kind: kind, reason: reason, path: text, offset: target - documentStart)
    }

    private mutating func scan() {
        let bytes = bytes
        let text = bytes.span.extracting(..<target)
        var index = documentStart
        while index < target {
            let innermost = containers.count - 1
            switch text[index] {
            case UInt8(ascii: "{"):
                containers.append((index, .beforeKey))
            case UInt8(ascii: "["):
                containers.append((index, .element(0)))
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                _ = containers.popLast()
            case UInt8(ascii: ",") where innermost >= 0:
                if case .element(let number) = containers[innermost].step {
                    containers[innermost].step = .element(number + 1)
                } else {
                    containers[innermost].step = .beforeKey
                }
            case UInt8(ascii: "\""):
                guard let string = try? StringToken(at: index, in: text) else {
                    // The target lies within this very string.
                    return
                }
                if innermost >= 0, case .beforeKey = containers[innermost].step {
                    containers[innermost].step = .member(string)
                }
                index = string.end
                continue
            default:
                break
            }
            index += 1
        }
    }

    private var text: String {
        var text = JSONPathText()
        for container in containers {
            switch container.step {
            case .element(let number): text.append(element: number)
            case .beforeKey: break
            case .member(let key): text.append(member: key.decoded(in: bytes.span))
            case .field(let name): text.append(member: name)
            }
        }
        return text.text
    }
}

import Foundation

/// A regular expression of ECMA-262 that is searched for in a text, and that cannot take longer than it is allowed to.
struct Pattern: Sendable {
    /// What came of a search.
    enum Verdict {
        case found
        case absent
        /// The search took more steps than there were, or more memory than a regular expression may have.
        case undecided
    }

    /// How many bytes of UTF-8 a pattern has at most.
    static let maximumLength = 4096

    /// How many bytes of UTF-8 a text has at most.
    static let maximumTextLength = 65_536

    /// How many steps 10,000 turns of the engine count, after which it reports that it is still searching.
    private static let stepsPerReport = 1000

    /// The pattern as it is written.
    let source: String

    private let expression: NSRegularExpression

    /// Compiles a pattern.
    ///
    /// - Parameter source: the pattern.
    /// - Throws: ``PatternTranslator/Fault`` for a pattern that is no regular expression or not supported.
    init(_ source: String) throws(PatternTranslator.Fault) {
        guard source.utf8.count <= Self.maximumLength else {
            throw PatternTranslator.Fault(reason: "it is longer than \(Self.maximumLength) bytes")
        }
        self.source = source
        let translated = try PatternTranslator.translate(source)
        do {
            // The engine reports each place where it begins anew, which would count like 10,000 turns. So it begins at one place
            // and the pattern itself goes on to the next.
            expression = try NSRegularExpression(pattern: "\\A[\\x{0}-\\x{10FFFF}]*?(?:\(translated))")
        } catch {
            throw PatternTranslator.Fault(reason: "the engine does not support something in it")
        }
    }

    /// Searches for the pattern.
    ///
    /// - Parameters:
    ///   - text: the text, at most ``maximumTextLength``.
    ///   - steps: how many steps there are, less those that the search took on return.
    func search(in text: String, steps: inout Int) -> Verdict {
        steps -= 8 + text.utf8.count / 16
        var left = steps
        var verdict = Verdict.absent
        let range = NSRange(location: 0, length: text.utf16.count)
        expression.enumerateMatches(in: text, options: [.reportProgress, .reportCompletion], range: range) { match, flags, stop in
            if match != nil {
                verdict = .found
                stop.pointee = true
            } else if flags.contains(.internalError) {
                verdict = .undecided
            } else if flags == .progress {
                left -= Self.stepsPerReport
                if left <= 0 {
                    verdict = .undecided
                    stop.pointee = true
                }
            }
        }
        steps = left
        return steps < 0 ? .undecided : verdict
    }
}

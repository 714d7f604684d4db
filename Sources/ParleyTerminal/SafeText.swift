/// Text of others, made harmless for a terminal.
///
/// A terminal obeys control characters wherever they come from, and what a model or a tool says may hold any: sequences that move the cursor,
/// clear the screen, set the title or reach the clipboard, and marks that reverse the order of what is read. All of them become visible signs.
enum SafeText {
    /// A character as it may be shown; nil for one that is left out.
    ///
    /// A line feed stays, a tab becomes a space, and a carriage return goes, so that lines may end in CR LF.
    static func shown(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
        switch scalar.value {
        case 0x0A, 0x20..<0x7F: scalar
        case 0x09: " "
        case 0x0D: nil
        // The pictures of the control characters lie in their order.
        case 0x00..<0x20: Unicode.Scalar(0x2400 + scalar.value)
        case 0x7F: "\u{2421}"
        // The other control characters; separators, which some terminals take for line ends; and what changes the direction of writing, which
        // can show a command as another.
        case 0x80..<0xA0, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069: "\u{FFFD}"
        default: scalar
        }
    }

    /// A text as it may be shown, on as many lines as it has.
    static func shown(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { shown($0) != $0 }) else { return text }
        var safe = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if let shown = shown(scalar) { safe.append(shown) }
        }
        return String(safe)
    }

    /// A text on one line.
    ///
    /// - Parameter width: how many columns it may take; what is beyond goes, for an ellipsis.
    static func line(_ text: String, width: Int = .max) -> String {
        let words = shown(text).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard DisplayWidth.of(words) > width else { return words }
        var line = ""
        var columns = 1
        for character in words {
            columns += DisplayWidth.of(character)
            if columns > width { break }
            line.append(character)
        }
        return line + "…"
    }
}

/// Looks for tags in a text of which the rest is still to come.
enum TagSearch {
    /// Where a tag stands, or may begin.
    struct Find {
        /// The place of its first byte.
        var start: Int
        /// Which tag it is; nil when the text ends before that is certain.
        var tag: Int?
    }

    /// The first tag in a text, or the end of the text that may become one.
    ///
    /// - Parameters:
    ///   - tags: what to look for; all begin with a byte of `marks`.
    ///   - marks: the bytes with which tags begin.
    ///   - text: where to look.
    /// - Returns: nil when all of the text is certain to be none.
    static func first(of tags: [[UInt8]], beginning marks: [UInt8], in text: ArraySlice<UInt8>) -> Find? {
        var start = text.startIndex
        while let mark = text[start...].firstIndex(where: marks.contains) {
            let rest = text[mark...]
            if let tag = tags.firstIndex(where: { rest.starts(with: $0) }) { return Find(start: mark, tag: tag) }
            if tags.contains(where: { $0.starts(with: rest) }) { return Find(start: mark) }
            start = mark + 1
        }
        return nil
    }
}

/// A page of a list.
package struct Page<Element: Sendable>: Sendable {
    /// What stands on the page, in order.
    package var elements: [Element]
    /// Where the next page begins; nil on the last page. Opaque to clients.
    package var nextCursor: String?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(elements: [Element], nextCursor: String?) {
        self.elements = elements
        self.nextCursor = nextCursor
    }
}

/// Which page of a list is wanted.
package struct PageRequest: Sendable {
    /// The default and the greatest number of elements on a page.
    package static let defaultLimit = 50
    /// The greatest number of elements on a page.
    package static let maximumLimit = 200

    /// `nextCursor` of the page before; nil for the first.
    package var cursor: String?
    /// 1 to 200.
    package var limit: Int

    /// Clamps the limit to 1…200; nil means 50.
    package init(cursor: String? = nil, limit: Int? = nil) {
        self.cursor = cursor
        self.limit = min(max(limit ?? Self.defaultLimit, 1), Self.maximumLimit)
    }
}

/// Collects the elements of a page until it is full: bounded by number and by bytes, and never empty while there is something.
struct PageCollector<Element> {
    private(set) var elements: [Element] = []
    /// The first element that found no room: there is another page, and it begins here.
    private(set) var next: Element?

    private let limit: Int
    private let maximumBytes: Int
    private var bytes = 0

    init(limit: Int, maximumBytes: Int) {
        self.limit = limit
        self.maximumBytes = maximumBytes
    }

    /// Whether nothing more is wanted.
    var isFull: Bool { next != nil }

    /// Takes an element.
    ///
    /// - Parameter size: its bytes.
    /// - Returns: whether another is wanted.
    mutating func add(_ element: Element, size: Int) -> Bool {
        guard elements.count < limit, elements.isEmpty || bytes + size <= maximumBytes else {
            next = element
            return false
        }
        elements.append(element)
        bytes += size
        return true
    }
}

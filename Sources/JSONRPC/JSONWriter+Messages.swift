package import JSON

/// Messages of JSON-RPC 2.0 as whole lines, for `Connection.send`.
extension JSONWriter {
    /// Writes a notification, a line of its own.
    /// - Parameters:
    ///   - method: a name that needs no escapes.
    ///   - params: writes one object.
    package mutating func notification(_ method: StaticString, _ params: (inout JSONWriter) -> Void) {
        beginNotification(method)
        params(&self)
        endNotification()
    }

    /// Writes a notification up to its params, of which one object must come next, and then `endNotification()`.
    /// - Parameter method: a name that needs no escapes.
    package mutating func beginNotification(_ method: StaticString) {
        beginMessage()
        member("method", method.description)
        key("params")
    }

    /// Ends the line of a notification.
    package mutating func endNotification() {
        endObject()
        newline()
    }

    /// Writes a request, a line of its own.
    /// - Parameters:
    ///   - method: a name that needs no escapes.
    ///   - id: an id that no other request of ours to this peer has.
    ///   - params: writes one object.
    package mutating func request(_ method: StaticString, id: RequestID, _ params: (inout JSONWriter) -> Void) {
        beginMessage()
        key("id")
        id.write(to: &self)
        member("method", method.description)
        key("params")
        params(&self)
        endObject()
        newline()
    }

    /// Writes an answer without a line end, for it may stand in a batch.
    mutating func answer(_ id: RequestID, _ name: StaticString, _ value: (inout JSONWriter) -> Void) {
        beginMessage()
        key("id")
        id.write(to: &self)
        key(name)
        value(&self)
        endObject()
    }

    private mutating func beginMessage() {
        beginObject()
        key("jsonrpc")
        string("2.0")
    }
}

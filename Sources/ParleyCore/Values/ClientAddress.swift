import Glibc

/// The address that a client comes from, as the parent process saw it: whatever counts as one client counts as one address.
package struct ClientAddress: Hashable, Sendable {
    /// The longest text that is taken, in bytes.
    package static let maximumBytes = 256

    /// The canonical text.
    package let text: String

    /// Reads an address.
    ///
    /// IPv4 in IPv6 (`::ffff:192.0.2.1`, RFC 4291, section 2.5.5.2) counts as IPv4. Of an IPv6 address the first 64 bits count: within them a
    /// client chooses its address itself (RFC 8981), and would be a new one as often as it likes. Anything else is taken as it is.
    ///
    /// - Returns: nil for a text that is empty or too long.
    package init?(_ text: String) {
        guard (1...Self.maximumBytes).contains(text.utf8.count) else { return nil }
        var v4 = in_addr()
        var v6 = in6_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            self.text = Self.dotted(withUnsafeBytes(of: v4) { Array($0) })
        } else if inet_pton(AF_INET6, text, &v6) == 1 {
            let bytes = withUnsafeBytes(of: v6) { Array($0) }
            if bytes.prefix(12).elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) {
                self.text = Self.dotted(bytes.suffix(4))
            } else {
                let groups = stride(from: 0, to: 8, by: 2).map { String(Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]), radix: 16) }
                self.text = groups.joined(separator: ":") + "::/64"
            }
        } else {
            self.text = text
        }
    }

    private static func dotted(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { String($0) }.joined(separator: ".")
    }
}

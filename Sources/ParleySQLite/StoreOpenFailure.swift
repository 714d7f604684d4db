/// Why a database cannot be used, in one sentence for whoever started the program.
package struct StoreOpenFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    package enum Reason: String, Sendable {
        /// Another program's database.
        case foreign
        /// No database at all.
        case notADatabase
        /// Written by a newer version of this program.
        case newer
        /// The file or its folder must not be written to.
        case readOnly
        /// Another process is in the way.
        case locked
        /// The file or its folder cannot be made.
        case cannotCreate
        /// The database is damaged.
        case corrupt
        /// There is no such file where one is needed.
        case missing
        /// There is something already where a file is to be made.
        case exists
        /// Something else that the system or the library says.
        case other
    }

    /// What is wrong.
    package let reason: Reason
    /// One sentence that names the file.
    package let message: String

    /// - Parameters:
    ///   - reason: what is wrong.
    ///   - message: one sentence that names the file.
    package init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    /// The sentence.
    package var description: String { message }
}

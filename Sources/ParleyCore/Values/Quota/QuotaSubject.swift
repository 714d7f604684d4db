/// Whose limits are meant.
package enum QuotaSubject: Hashable, Sendable {
    /// Everybody together.
    case system
    /// A user, by the id that the parent process knows, whether seen before or not.
    case user(id: String)
    /// An anonymous person, by the id that clients know.
    case anonymousUser(id: String)
    /// Whoever asks: a person, with the limits of everybody beside its own, and those of the address that an anonymous person comes from.
    case caller(Caller, ClientAddress?)
    /// All anonymous people behind one client address.
    case address(ClientAddress)
}

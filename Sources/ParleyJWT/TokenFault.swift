import ParleyCore

/// What is wrong with a token, in words that hold nothing of it.
enum TokenFault: String, Error {
    case tooLong = "too long"
    case malformed = "malformed"
    case malformedHeader = "malformed header"
    case criticalHeader = "critical header members"
    case unknownKey = "unknown key"
    case wrongAlgorithm = "wrong algorithm"
    case badSignature = "bad signature"
    case malformedClaims = "malformed claims"
    case wrongIssuer = "wrong issuer"
    case wrongAudience = "wrong audience"
    case notYetValid = "not yet valid"
    case issuedInTheFuture = "issued in the future"
    case expired = "expired"

    /// What is thrown at the caller.
    var failure: Failure {
        Failure(
            .authRequired, self == .expired ? "The user token has expired." : "The user token is not valid.", underlying: rawValue)
    }
}

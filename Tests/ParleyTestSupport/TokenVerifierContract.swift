package import ParleyCore
package import Testing

/// What every `TokenVerifier` owes its callers, whatever kind of token it reads.
package struct TokenVerifierContract: Sendable {
    private let verifier: any TokenVerifier
    private let now: Timestamp

    /// Makes the contract with a verifier.
    ///
    /// - Parameters:
    ///   - verifier: the verifier.
    ///   - now: the moment of every check.
    package init(_ verifier: any TokenVerifier, at now: Timestamp) {
        self.verifier = verifier
        self.now = now
    }

    /// Checks a token that is valid.
    ///
    /// - Parameters:
    ///   - token: the token.
    ///   - userID: whom it speaks for.
    package func accepts(_ token: String, as userID: String, sourceLocation: SourceLocation = #_sourceLocation) {
        do throws(Failure) {
            let verified = try verifier.userID(of: token, at: now)
            #expect(Array(verified.utf8) == Array(userID.utf8), sourceLocation: sourceLocation)
        } catch {
            Issue.record("refused: \(error.underlying ?? error.message)", sourceLocation: sourceLocation)
        }
        #expect((1...256).contains(userID.utf8.count), "an id has 1 to 256 bytes", sourceLocation: sourceLocation)
    }

    /// Checks a token that is not valid.
    ///
    /// - Parameters:
    ///   - token: the token.
    ///   - reason: what the log says; nil for anything.
    ///   - message: what the client is told.
    package func refuses(
        _ token: String, _ reason: String? = nil, message: String = "The user token is not valid.",
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        do throws(Failure) {
            _ = try verifier.userID(of: token, at: now)
            Issue.record("accepted: \(token.prefix(200))", sourceLocation: sourceLocation)
        } catch {
            #expect(error.code == .authRequired, sourceLocation: sourceLocation)
            #expect(error.message == message, sourceLocation: sourceLocation)
            #expect(error.details.isEmpty, sourceLocation: sourceLocation)
            let logged = error.underlying ?? ""
            #expect(!logged.isEmpty, sourceLocation: sourceLocation)
            if let reason { #expect(logged == reason, sourceLocation: sourceLocation) }
            for part in token.split(separator: ".") where part.utf8.count > 3 {
                #expect(!logged.contains(part), "nothing of a token is logged", sourceLocation: sourceLocation)
            }
        }
    }
}

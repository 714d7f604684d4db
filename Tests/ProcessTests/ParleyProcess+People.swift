import Foundation
import JSON
import ParleyTestSupport

/// How a limit stands, as the operator sees it.
struct LimitReading: Equatable, Sendable {
    var limit: Int
    var used: Int
    var held: Int
}

/// Somebody who is not signed in.
struct AnonymousPerson: Sendable {
    /// The id by which the operator knows it.
    let id: String
    /// What it shows to be itself.
    let token: String

    /// The `caller` of its requests.
    var caller: JSONValue { ["anonymousToken": .string(token)] }
    /// The `subject` when the operator asks for its limits.
    var subject: JSONValue { ["anonymousUserId": .string(id)] }
}

/// Why a test cannot go on.
struct Trouble: Error {
    let answer: JSONValue
}

extension JSONValue {
    /// Params with a caller.
    func from(_ caller: JSONValue) -> JSONValue {
        guard case .object(var members) = self else { return self }
        members["caller"] = caller
        return .object(members)
    }

    /// `data.code` of an answer's error.
    var errorCode: String? { self["error"]?["data"]?["code"]?.stringValue }

    /// `SCOPE.UNIT` of an answer's error, when a limit was the reason.
    var exceededLimit: String? {
        guard errorCode == "quotaExceeded", let data = self["error"]?["data"] else { return nil }
        return "\(data["scope"]?.stringValue ?? "").\(data["unit"]?.stringValue ?? "")"
    }

    /// Limits by `SCOPE.UNIT`, of an object that has them; those without numbers are left out.
    var limits: [String: LimitReading] {
        var readings: [String: LimitReading] = [:]
        for limit in self["limits"]?.arrayValue ?? [] {
            guard let scope = limit["scope"]?.stringValue, let unit = limit["unit"]?.stringValue, let bound = limit["limit"]?.intValue,
                let used = limit["used"]?.intValue, let held = limit["held"]?.intValue
            else { continue }
            readings["\(scope).\(unit)"] = LimitReading(limit: bound, used: used, held: held)
        }
        return readings
    }
}

extension ParleyProcess {
    /// Who may do everything.
    static let operatorCaller: JSONValue = ["operator": true]

    /// Sends a request that must succeed.
    ///
    /// - Returns: its result.
    /// - Throws: `Trouble` when it was refused.
    func result(of method: String, _ params: JSONValue = [:]) async throws -> JSONValue {
        let answer = try await call(method, params)
        guard let result = answer["result"] else { throw Trouble(answer: answer) }
        return result
    }

    /// Makes an anonymous person.
    func makeAnonymousPerson() async throws -> AnonymousPerson {
        let result = try await result(of: "createAnonymousUser")
        guard let id = result["anonymousUser"]?["id"]?.stringValue, let token = result["anonymousToken"]?.stringValue else {
            throw Trouble(answer: result)
        }
        return AnonymousPerson(id: id, token: token)
    }

    /// How the limits of somebody stand, by `SCOPE.UNIT`.
    func limits(of subject: JSONValue = ["system": true]) async throws -> [String: LimitReading] {
        try await result(of: "getQuota", ["caller": Self.operatorCaller, "subject": subject]).limits
    }

    /// Closes its stdin and waits for its end.
    ///
    /// - Returns: the exit code.
    func end() async -> Int32 {
        endInput()
        return await exitCode()
    }

    /// Kills it and waits until it is gone.
    ///
    /// - Returns: whether it was the kill that ended it.
    func die() async -> Bool {
        signal(SIGKILL)
        return await exitCode() == -SIGKILL
    }
}

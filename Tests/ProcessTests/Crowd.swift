import Foundation
import JSON
import ParleyTestSupport

/// Several hosts on one database, who are asked everything at the same moment.
struct Crowd: Sendable {
    let hosts: [ParleyProcess]

    /// Starts hosts and waits until all of them answer.
    ///
    /// They wait long for each other's writing: who waits is chosen by chance, and one of a thousand may be unlucky on a busy machine.
    init(of count: Int, _ arguments: [String]) async throws {
        hosts = try (0..<count).map { _ in try ParleyProcess(["serve", "--set", "store.busyTimeoutMilliseconds=60000"] + arguments) }
        for host in hosts { host.send("ping") }
        for host in hosts { _ = try await host.line() }
    }

    /// Lets every host have the same number of requests at once, and waits for all answers.
    ///
    /// - Parameters:
    ///   - count: how many requests each host gets.
    ///   - params: the params of a request, of all of which each has a number of its own.
    /// - Returns: the answers, in no order.
    func ask(_ method: String, each count: Int, _ params: @escaping @Sendable (_ number: Int) -> JSONValue) async throws -> [JSONValue] {
        try await withThrowingTaskGroup { group in
            for (index, host) in hosts.enumerated() {
                group.addTask {
                    var open = Set((0..<count).map { host.send(method, params(index * count + $0)) })
                    var answers: [JSONValue] = []
                    while !open.isEmpty {
                        let answer = try await host.line { line in line["id"]?.intValue.map(open.contains) ?? false }
                        if let id = answer["id"]?.intValue { open.remove(id) }
                        answers.append(answer)
                    }
                    return answers
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    /// Kills all hosts, and waits until they are gone.
    ///
    /// - Returns: whether it was the kill that ended them.
    func die() async -> Bool {
        for host in hosts { host.signal(SIGKILL) }
        var isKilled = true
        for host in hosts where await host.exitCode() != -SIGKILL { isKilled = false }
        return isKilled
    }
}

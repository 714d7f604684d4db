import Foundation
import ParleyCore
import ParleySQLite

/// What there is to say about the database.
struct DatabaseFindings {
    private let examination: DatabaseExamination
    private let now: Timestamp

    /// How long a process that writes is waited for at most, whatever the settings say: somebody sits there and waits too.
    private static let maximumPatience = Duration.seconds(5)
    /// Less than this is soon used up.
    private static let scarceBytes = 256 << 20
    /// A log that grows beyond this is not emptied any more; hosts empty it every 16 MiB.
    private static let largeLogBytes = 128 << 20
    /// A host that is idle or ends erases what is deleted, and what is kept no longer once a day, so that it seldom takes as long, in milliseconds.
    private static let longErasure: Int64 = 172_800_000

    /// Looks at the database of the settings.
    static func findings(_ settings: Settings, now: Timestamp) -> [Finding] {
        let path = settings.text("database") ?? DatabasePath.standard(environment: settings.environment)
        guard path != ":memory:" else {
            return [.warning(.database, "The database is in memory, and gone when the host ends.", "Leave --database out, or name a file.")]
        }
        let patience = min(.milliseconds(settings.integer("store.busyTimeoutMilliseconds")), maximumPatience)
        return DatabaseFindings(examination: DatabaseExamination(path: path, patience: patience), now: now).all
    }

    private var all: [Finding] {
        switch examination.state {
        case .missing: [missing] + surroundings
        case .unusable(let failure): [.problem(.database, failure.message, Self.advice(for: failure.reason, examination.path))]
        case .usable(let version): [tables(version)] + permissions + contents + surroundings
        }
    }

    private var path: String { examination.path }

    private var missing: Finding {
        guard examination.folderIsWritable else {
            return .problem(
                .database, "There is no database at \(path), and none can be made: the folder may not be written to.",
                "Name another with --database or PARLEY_DATABASE, or change the folder's permissions.")
        }
        return .ok(.database, "There is no database at \(path) yet; parley serve makes it.")
    }

    private func tables(_ version: Int) -> Finding {
        let size = Self.shown(examination.databaseBytes)
        guard version < examination.currentVersion else { return .ok(.database, "\(path): \(size), tables of version \(version).") }
        return .warning(
            .database, "\(path): \(size), tables of version \(version); this program writes version \(examination.currentVersion).",
            "The next host migrates them once no other has the database open; parley db migrate does so now, parley db backup copies it before."
        )
    }

    private var permissions: [Finding] {
        var findings: [Finding] = []
        if !examination.isWritable {
            findings.append(.problem(.database, "The file is read-only.", "chmod u+w \(path), or start Parley as its owner."))
        }
        if !examination.folderIsWritable {
            findings.append(
                .problem(
                    .database, "The folder of the file is read-only, and the database needs files beside it.",
                    "Make the folder writable for whoever runs Parley."))
        }
        if examination.isOpenToOthers {
            findings.append(
                .warning(.database, "Others than its owner may read the file, and what people have said.", "chmod go= \(path)"))
        }
        return findings
    }

    private var contents: [Finding] {
        var findings: [Finding] = []
        if let blocker = examination.blocker {
            findings.append(
                .problem(
                    .database, "\(Self.process(blocker)) keeps everybody else from writing: hosts answer storeUnavailable.",
                    "Let it finish, or end it."))
        }
        if let unread = examination.unread {
            findings.append(.warning(.database, "\(unread) So it was not looked into.", "Try again; parley db check says more."))
        } else if examination.damages.isEmpty {
            findings.append(.ok(.database, "Not damaged, as far as a quick look can tell; parley db check looks at everything."))
            findings.append(hosts)
        } else {
            findings.append(
                .problem(
                    .database, "The file is damaged: \(examination.damages[0]).",
                    "Stop all hosts, keep the files, and put a copy made by parley db backup in their place."))
        }
        if let since = examination.erasurePendingSince {
            let message = "Bytes of what was deleted wait to be erased since \(since.rfc3339)."
            findings.append(
                now.milliseconds - since.milliseconds < Self.longErasure
                    ? .ok(.database, message)
                    : .warning(
                        .database, message,
                        "A host erases them when it is idle or ends, if it is the only one; parley db compact does so when none runs."))
        }
        if examination.logBytes > Self.largeLogBytes {
            findings.append(
                .warning(
                    .database, "The log of writes has grown to \(Self.shown(examination.logBytes)).",
                    "Somebody reads without an end, and keeps it from being emptied: look for programs that have \(path) open."))
        }
        return findings
    }

    private var hosts: Finding {
        let processes = examination.hosts.map { "process \($0.process) (since \($0.openedAt.rfc3339))" }
        var told = processes.isEmpty ? "No host has it open" : "Open in \(processes.joined(separator: ", "))"
        if examination.openTurns > 0 {
            told += "; \(examination.openTurns) turn\(examination.openTurns == 1 ? "" : "s") running or waiting"
        }
        if examination.deadHosts > 0 {
            told += "; \(examination.deadHosts) host\(examination.deadHosts == 1 ? "" : "s") died, and the next one clears up"
        }
        return .ok(.database, told + ".")
    }

    private var surroundings: [Finding] {
        var findings: [Finding] = []
        if let system = examination.networkFileSystem {
            findings.append(
                .warning(
                    .database,
                    "The file lies on a network's file system (\(system)), where locks are not reliable and several hosts may damage it.",
                    "Put it on a local disk."))
        }
        if let free = examination.freeBytes {
            // Erasing rewrites the whole file beside the old one.
            if free < Self.scarceBytes + examination.databaseBytes {
                findings.append(
                    .warning(
                        .database, "Only \(Self.shown(free)) are free on its disk; when it is full, sends are refused with storeFull.",
                        "Make room: for new messages, and for the file once more when deleted bytes are erased."))
            } else {
                findings.append(.ok(.database, "\(Self.shown(free)) are free on its disk."))
            }
        }
        return findings
    }

    private static func advice(for reason: StoreOpenFailure.Reason, _ path: String) -> String {
        switch reason {
        case .foreign, .notADatabase: "Name another file with --database or PARLEY_DATABASE; Parley does not touch this one."
        case .newer: "Use that version of Parley, or another file."
        case .corrupt: "Stop all hosts, keep the files, and put a copy made by parley db backup in their place."
        case .locked: "Another program has the file for itself alone: `fuser \(path)` names it."
        case .readOnly, .cannotCreate: "Change the permissions, or start Parley as the file's owner."
        case .missing, .exists, .other: "parley db check may say more."
        }
    }

    private static func process(_ id: Int) -> String {
        // A process that has just ended has no name any more.
        let name = (try? String(contentsOfFile: "/proc/\(id)/comm", encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
        return "Process \(id)\(name.map { " (\($0))" } ?? "")"
    }

    private static func shown(_ bytes: Int) -> String {
        guard bytes >= 1 << 20 else { return "\((bytes + 1023) / 1024) KiB" }
        return bytes < 10 << 30 ? "\(bytes >> 20) MiB" : "\(bytes >> 30) GiB"
    }
}

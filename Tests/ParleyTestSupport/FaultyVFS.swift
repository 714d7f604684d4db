import Foundation
import GRDBSQLite
import ParleyCore

/// The layer between SQLite and the system through which the files of a ``FaultyDisk`` are reached (https://www.sqlite.org/vfs.html).
///
/// It is the default one of this process, so that the code under test opens its databases as it always does; files outside of all such
/// disks are opened by SQLite's own layer, as if this one were not there.
enum FaultyVFS {
    private struct Weak {
        weak var disk: FaultyDisk?
    }

    private static let disks = Locked([String: Weak]())

    /// Registered with the first disk, for good: a layer in use must never go.
    private static let registration: Int32 = register()

    static func add(_ disk: FaultyDisk) {
        precondition(registration == SQLITE_OK, "SQLite takes a layer that is complete")
        disks.withLock { $0[disk.folder] = Weak(disk: disk) }
    }

    static func remove(folder: String) {
        disks.withLock { $0[folder] = nil }
    }

    private static func disk(of path: UnsafePointer<CChar>?) -> FaultyDisk? {
        guard let path else { return nil }
        let folder = (String(cString: path) as NSString).deletingLastPathComponent
        return disks.withLock { $0[folder]?.disk }
    }

    // MARK: The layer

    /// What the calls of the layer need to know beside it; never freed, as the layer itself.
    private struct Beneath {
        let layer: UnsafeMutablePointer<sqlite3_vfs>
        let methods: UnsafeMutablePointer<sqlite3_io_methods>
    }

    private static func beneath(_ layer: UnsafeMutablePointer<sqlite3_vfs>?) -> Beneath? {
        layer?.pointee.pAppData?.assumingMemoryBound(to: Beneath.self).pointee
    }

    private static func register() -> Int32 {
        guard let real = sqlite3_vfs_find(nil) else { return SQLITE_ERROR }
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        methods.initialize(to: FaultyFile.methods())
        let beneath = UnsafeMutablePointer<Beneath>.allocate(capacity: 1)
        beneath.initialize(to: Beneath(layer: real, methods: methods))
        // What is not replaced below (paths, time, chance, sleep) looks at no member of the layer that it is called for.
        let layer = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        layer.initialize(to: real.pointee)
        layer.pointee.pNext = nil
        layer.pointee.zName = UnsafePointer(strdup("parley-faulty"))
        layer.pointee.pAppData = UnsafeMutableRawPointer(beneath)
        layer.pointee.szOsFile = Int32(FaultyFile.headBytes) + real.pointee.szOsFile
        layer.pointee.xOpen = { layer, path, file, flags, outFlags in FaultyVFS.open(layer, path, file, flags, outFlags) }
        layer.pointee.xDelete = { layer, path, syncsFolder in FaultyVFS.delete(layer, path, syncsFolder) }
        layer.pointee.xAccess = { layer, path, flags, found in FaultyVFS.access(layer, path, flags, found) }
        return sqlite3_vfs_register(layer, 1)
    }

    private static func open(
        _ layer: UnsafeMutablePointer<sqlite3_vfs>?, _ path: UnsafePointer<CChar>?, _ file: UnsafeMutablePointer<sqlite3_file>?,
        _ flags: Int32, _ outFlags: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        guard let beneath = beneath(layer), let open = beneath.layer.pointee.xOpen, let file else { return SQLITE_ERROR }
        guard let disk = disk(of: path), let path else { return open(beneath.layer, path, file, flags, outFlags) }
        // So long as there are no methods, SQLite does not close the file.
        file.pointee.pMethods = nil
        let kind: FaultyDisk.File =
            flags & SQLITE_OPEN_MAIN_DB != 0
            ? .database : flags & SQLITE_OPEN_WAL != 0 ? .log : flags & SQLITE_OPEN_MAIN_JOURNAL != 0 ? .journal : .other
        if let code = disk.trouble(.open, kind) { return code }
        let inner = FaultyFile.inner(file)
        inner.pointee.pMethods = nil
        let code = open(beneath.layer, path, inner, flags, outFlags)
        guard code == SQLITE_OK else {
            _ = inner.pointee.pMethods?.pointee.xClose?(inner)
            return code
        }
        FaultyFile.begin(file, on: disk, kind, path: path, methods: beneath.methods)
        return code
    }

    private static func delete(_ layer: UnsafeMutablePointer<sqlite3_vfs>?, _ path: UnsafePointer<CChar>?, _ syncsFolder: Int32) -> Int32 {
        guard let beneath = beneath(layer), let delete = beneath.layer.pointee.xDelete, let path else { return SQLITE_ERROR }
        guard let disk = disk(of: path) else { return delete(beneath.layer, path, syncsFolder) }
        if let code = disk.trouble(.delete, .other) { return code }
        let code = delete(beneath.layer, path, 0)
        if code == SQLITE_OK { disk.didDelete(String(cString: path)) }
        return code
    }

    private static func access(
        _ layer: UnsafeMutablePointer<sqlite3_vfs>?, _ path: UnsafePointer<CChar>?, _ flags: Int32, _ found: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        guard let beneath = beneath(layer), let access = beneath.layer.pointee.xAccess else { return SQLITE_ERROR }
        if let code = disk(of: path)?.trouble(.access, .other) { return code }
        return access(beneath.layer, path, flags, found)
    }
}

import GRDBSQLite
import Glibc

/// The VFS below ``FaultyDisk``: SQLite's own, with a look at each call for the files of such a disk. All other files are opened by SQLite's
/// own VFS directly.
///
/// A file of ours is SQLite's header, then the disk, then what kind of file it is, then the file of SQLite's own VFS.
enum FaultyVFS {
    private static let diskOffset = MemoryLayout<sqlite3_file>.stride
    private static let kindOffset = diskOffset + 8
    private static let innerOffset = kindOffset + 8

    // The pointers below are set once, before anybody uses them, and never freed; SQLite wants them to last as long as the process.

    /// SQLite's own VFS.
    private nonisolated(unsafe) static let inner: UnsafeMutablePointer<sqlite3_vfs> = {
        guard let vfs = sqlite3_vfs_find("unix") else { preconditionFailure("SQLite has a VFS for this system") }
        return vfs
    }()

    private nonisolated(unsafe) static let methods: UnsafeMutablePointer<sqlite3_io_methods> = {
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        methods.initialize(to: makeMethods())
        return methods
    }()

    private static let installed: Void = {
        let vfs = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        vfs.initialize(to: inner.pointee)
        vfs.pointee.zName = UnsafePointer(strdup("faulty"))
        vfs.pointee.pNext = nil
        vfs.pointee.szOsFile = Int32(innerOffset) + inner.pointee.szOsFile
        vfs.pointee.xOpen = { _, path, file, flags, outFlags in FaultyVFS.open(path, file, flags, outFlags) }
        vfs.pointee.xDelete = { _, path, sync in
            if let path, let disk = FaultyDisk.disk(ofFile: String(cString: path)), disk.meet(.delete, isLog: false) != nil {
                return FaultyVFS.ioError(10)
            }
            return FaultyVFS.inner.pointee.xDelete(FaultyVFS.inner, path, sync)
        }
        sqlite3_vfs_register(vfs, 1)
    }()

    /// Makes it the VFS of all databases that are opened from now on in this process.
    static func install() {
        _ = installed
    }

    /// One of the extended codes of `SQLITE_IOERR` (https://www.sqlite.org/rescode.html), which Swift does not import.
    private static func ioError(_ number: Int32) -> Int32 { SQLITE_IOERR | number << 8 }

    private static func open(
        _ path: UnsafePointer<CChar>?, _ file: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32, _ outFlags: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        guard let path, let file, let disk = FaultyDisk.disk(ofFile: String(cString: path)) else {
            return inner.pointee.xOpen(inner, path, file, flags, outFlags)
        }
        file.pointee.pMethods = nil
        guard disk.meet(.open, isLog: flags & SQLITE_OPEN_WAL != 0) == nil else { return SQLITE_CANTOPEN }
        let below = innerFile(file)
        let code = inner.pointee.xOpen(inner, path, below, flags, outFlags)
        guard code == SQLITE_OK else {
            if let methods = below?.pointee.pMethods { _ = methods.pointee.xClose(below) }
            return code
        }
        let raw = UnsafeMutableRawPointer(file)
        raw.storeBytes(of: Unmanaged.passRetained(disk).toOpaque(), toByteOffset: diskOffset, as: UnsafeMutableRawPointer.self)
        raw.storeBytes(of: flags, toByteOffset: kindOffset, as: Int32.self)
        file.pointee.pMethods = UnsafePointer(methods)
        return SQLITE_OK
    }

    /// The file of SQLite's own VFS within one of ours.
    private static func innerFile(_ file: UnsafeMutablePointer<sqlite3_file>?) -> UnsafeMutablePointer<sqlite3_file>? {
        guard let file else { return nil }
        return (UnsafeMutableRawPointer(file) + innerOffset).assumingMemoryBound(to: sqlite3_file.self)
    }

    /// How SQLite's own VFS does things with the file.
    private static func below(
        _ file: UnsafeMutablePointer<sqlite3_file>?
    ) -> (methods: sqlite3_io_methods, file: UnsafeMutablePointer<sqlite3_file>?) {
        let below = innerFile(file)
        guard let methods = below?.pointee.pMethods else { preconditionFailure("an open file has its methods") }
        return (methods.pointee, below)
    }

    private static func meet(_ operation: FaultyDisk.Operation, _ file: UnsafeMutablePointer<sqlite3_file>?) -> FaultyDisk.Fault? {
        guard let raw = UnsafeRawPointer(file) else { return nil }
        let disk = Unmanaged<FaultyDisk>.fromOpaque(raw.load(fromByteOffset: diskOffset, as: UnsafeRawPointer.self))
        let flags = raw.load(fromByteOffset: kindOffset, as: Int32.self)
        return disk.takeUnretainedValue().meet(operation, isLog: flags & SQLITE_OPEN_WAL != 0)
    }

    private static func makeMethods() -> sqlite3_io_methods {
        var methods = sqlite3_io_methods()
        // Version 2: with the memory that connections share, without files that are mapped, which would be read past this.
        methods.iVersion = 2
        methods.xClose = { file in
            let (methods, below) = FaultyVFS.below(file)
            let code = methods.xClose(below)
            if let raw = UnsafeRawPointer(file) {
                Unmanaged<FaultyDisk>.fromOpaque(raw.load(fromByteOffset: FaultyVFS.diskOffset, as: UnsafeRawPointer.self)).release()
            }
            return code
        }
        methods.xRead = { file, bytes, count, offset in
            guard FaultyVFS.meet(.read, file) == nil else { return FaultyVFS.ioError(1) }
            let (methods, below) = FaultyVFS.below(file)
            return methods.xRead(below, bytes, count, offset)
        }
        methods.xWrite = { file, bytes, count, offset in
            let (methods, below) = FaultyVFS.below(file)
            guard let fault = FaultyVFS.meet(.write, file) else { return methods.xWrite(below, bytes, count, offset) }
            // As a disk does that fails in the middle.
            _ = methods.xWrite(below, bytes, count / 2, offset)
            return fault.isFull ? SQLITE_FULL : FaultyVFS.ioError(3)
        }
        methods.xTruncate = { file, size in
            guard FaultyVFS.meet(.truncate, file) == nil else { return FaultyVFS.ioError(6) }
            let (methods, below) = FaultyVFS.below(file)
            return methods.xTruncate(below, size)
        }
        methods.xSync = { file, flags in
            guard FaultyVFS.meet(.sync, file) == nil else { return FaultyVFS.ioError(4) }
            let (methods, below) = FaultyVFS.below(file)
            return methods.xSync(below, flags)
        }
        addPlainMethods(to: &methods)
        return methods
    }

    /// What no disk is asked for.
    private static func addPlainMethods(to methods: inout sqlite3_io_methods) {
        methods.xFileSize = { file, size in
            let (methods, below) = FaultyVFS.below(file)
            return methods.xFileSize(below, size)
        }
        methods.xLock = { file, level in
            let (methods, below) = FaultyVFS.below(file)
            return methods.xLock(below, level)
        }
        methods.xUnlock = { file, level in
            let (methods, below) = FaultyVFS.below(file)
            return methods.xUnlock(below, level)
        }
        methods.xCheckReservedLock = { file, result in
            let (methods, below) = FaultyVFS.below(file)
            return methods.xCheckReservedLock(below, result)
        }
        methods.xFileControl = { file, operation, argument in
            let (methods, below) = FaultyVFS.below(file)
            return methods.xFileControl(below, operation, argument)
        }
        methods.xSectorSize = { file in
            let (methods, below) = FaultyVFS.below(file)
            return methods.xSectorSize(below)
        }
        methods.xDeviceCharacteristics = { file in
            let (methods, below) = FaultyVFS.below(file)
            return methods.xDeviceCharacteristics(below)
        }
        methods.xShmMap = { file, page, size, extends, address in
            let (methods, below) = FaultyVFS.below(file)
            return methods.xShmMap(below, page, size, extends, address)
        }
        methods.xShmLock = { file, offset, count, flags in
            let (methods, below) = FaultyVFS.below(file)
            return methods.xShmLock(below, offset, count, flags)
        }
        methods.xShmBarrier = { file in
            let (methods, below) = FaultyVFS.below(file)
            methods.xShmBarrier(below)
        }
        methods.xShmUnmap = { file, deletes in
            let (methods, below) = FaultyVFS.below(file)
            return methods.xShmUnmap(below, deletes)
        }
    }
}

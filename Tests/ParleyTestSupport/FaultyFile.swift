import GRDBSQLite
import Glibc

/// An open file of a ``FaultyDisk``: in the memory that SQLite gives for it, what belongs to the disk comes first, then the file of SQLite's
/// own layer.
struct FaultyFile {
    private typealias Pointer = UnsafeMutablePointer<sqlite3_file>

    // First, because SQLite looks here for the methods.
    private var base: sqlite3_file
    private var disk: Unmanaged<FaultyDisk>
    private var kind: FaultyDisk.File
    /// SQLite keeps it until the file is closed.
    private var path: UnsafePointer<CChar>

    /// How far the file of SQLite's own layer stands from the beginning.
    static var headBytes: Int { (MemoryLayout<FaultyFile>.stride + 15) / 16 * 16 }

    static func inner(_ file: UnsafeMutablePointer<sqlite3_file>) -> UnsafeMutablePointer<sqlite3_file> {
        UnsafeMutableRawPointer(file).advanced(by: headBytes).assumingMemoryBound(to: sqlite3_file.self)
    }

    /// Makes a file of a disk of the memory in which SQLite's own layer has opened it.
    static func begin(
        _ file: UnsafeMutablePointer<sqlite3_file>, on disk: FaultyDisk, _ kind: FaultyDisk.File, path: UnsafePointer<CChar>,
        methods: UnsafeMutablePointer<sqlite3_io_methods>
    ) {
        UnsafeMutableRawPointer(file).initializeMemory(
            as: FaultyFile.self,
            to: FaultyFile(base: sqlite3_file(pMethods: methods), disk: .passRetained(disk), kind: kind, path: path))
    }

    private static func head(_ file: Pointer) -> UnsafeMutablePointer<FaultyFile> {
        UnsafeMutableRawPointer(file).assumingMemoryBound(to: FaultyFile.self)
    }

    /// Asks the disk first and then SQLite's own layer.
    private static func perform(
        _ operation: FaultyDisk.Operation, _ file: Pointer?, _ body: (Pointer, sqlite3_io_methods) -> Int32?
    ) -> Int32 {
        guard let file else { return SQLITE_ERROR }
        let head = head(file)
        if let code = head.pointee.disk.takeUnretainedValue().trouble(operation, head.pointee.kind) { return code }
        return pass(file, body)
    }

    private static func pass(_ file: Pointer?, _ body: (Pointer, sqlite3_io_methods) -> Int32?) -> Int32 {
        guard let file else { return SQLITE_ERROR }
        let inner = inner(file)
        return inner.pointee.pMethods.flatMap { body(inner, $0.pointee) } ?? SQLITE_ERROR
    }

    /// A full or broken disk takes the beginning of what is written.
    private static func write(_ file: Pointer?, _ bytes: UnsafeRawPointer?, _ count: Int32, _ offset: sqlite3_int64) -> Int32 {
        guard let file else { return SQLITE_ERROR }
        let head = head(file)
        guard let code = head.pointee.disk.takeUnretainedValue().trouble(.write, head.pointee.kind) else {
            return pass(file) { $1.xWrite?($0, bytes, count, offset) }
        }
        let cause = errno
        _ = pass(file) { $1.xWrite?($0, bytes, count / 2, offset) }
        errno = cause
        return code
    }

    private static func sync(_ file: Pointer?) -> Int32 {
        perform(.sync, file) { inner, methods in
            guard let file else { return nil }
            let head = head(file)
            let disk = head.pointee.disk.takeUnretainedValue()
            guard disk.keepsDurable else { return SQLITE_OK }
            var size: sqlite3_int64 = 0
            guard methods.xFileSize?(inner, &size) == SQLITE_OK else { return nil }
            var content = [UInt8](repeating: 0, count: Int(size))
            // Through SQLite's own layer: closing another descriptor of the file would let go of the locks on it (fcntl(2)).
            if size > 0, methods.xRead?(inner, &content, Int32(size), 0) != SQLITE_OK { return nil }
            disk.didSync(String(cString: head.pointee.path), content)
            return SQLITE_OK
        }
    }

    private static func close(_ file: Pointer?) -> Int32 {
        let code = pass(file) { $1.xClose?($0) }
        if let file {
            file.pointee.pMethods = nil
            head(file).pointee.disk.release()
        }
        return code
    }

    /// The methods of all files: those of the second version of the interface, which has shared memory but no files mapped as a whole.
    static func methods() -> sqlite3_io_methods {
        var methods = sqlite3_io_methods()
        methods.iVersion = 2
        methods.xClose = { FaultyFile.close($0) }
        methods.xRead = { file, bytes, count, offset in FaultyFile.perform(.read, file) { $1.xRead?($0, bytes, count, offset) } }
        methods.xWrite = { FaultyFile.write($0, $1, $2, $3) }
        methods.xTruncate = { file, size in FaultyFile.perform(.truncate, file) { $1.xTruncate?($0, size) } }
        methods.xSync = { file, _ in FaultyFile.sync(file) }
        methods.xFileSize = { file, size in FaultyFile.perform(.size, file) { $1.xFileSize?($0, size) } }
        methods.xLock = { file, level in FaultyFile.perform(.lock, file) { $1.xLock?($0, level) } }
        methods.xUnlock = { file, level in FaultyFile.pass(file) { $1.xUnlock?($0, level) } }
        methods.xCheckReservedLock = { file, isHeld in FaultyFile.perform(.lock, file) { $1.xCheckReservedLock?($0, isHeld) } }
        methods.xFileControl = { file, number, argument in FaultyFile.pass(file) { $1.xFileControl?($0, number, argument) } }
        methods.xSectorSize = { file in FaultyFile.pass(file) { $1.xSectorSize?($0) } }
        methods.xDeviceCharacteristics = { file in FaultyFile.pass(file) { $1.xDeviceCharacteristics?($0) } }
        methods.xShmMap = { file, page, bytes, extends, address in
            // What is there already takes no space.
            FaultyFile.perform(extends == 0 ? .map : .extendMap, file) { $1.xShmMap?($0, page, bytes, extends, address) }
        }
        methods.xShmLock = { file, first, count, flags in
            guard flags & SQLITE_SHM_LOCK != 0 else { return FaultyFile.pass(file) { $1.xShmLock?($0, first, count, flags) } }
            return FaultyFile.perform(.mapLock, file) { $1.xShmLock?($0, first, count, flags) }
        }
        methods.xShmBarrier = { file in
            guard let file else { return }
            let inner = FaultyFile.inner(file)
            inner.pointee.pMethods?.pointee.xShmBarrier?(inner)
        }
        methods.xShmUnmap = { file, deletes in FaultyFile.pass(file) { $1.xShmUnmap?($0, deletes) } }
        return methods
    }
}

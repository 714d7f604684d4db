import JSON

/// Reads a whole document as one type.
func read<Value: JSONReadable>(_ type: Value.Type, _ text: String) throws(JSONError) -> Value {
    var reader = JSONReader(Array(text.utf8))
    let value = try Value(from: &reader)
    try reader.end()
    return value
}

/// The error of reading a whole document as one type, nil if it was read.
func readError<Value: JSONReadable>(_ type: Value.Type, _ text: String) -> JSONError? {
    do throws(JSONError) {
        _ = try read(type, text)
        return nil
    } catch {
        return error
    }
}

/// Bytes as text.
func text(_ bytes: [UInt8]) -> String {
    String(decoding: bytes, as: UTF8.self)
}

package import JSON
package import ParleyCore

extension ModelCatalog.Entry: JSONWritable {
    /// Writes the value as the protocol's Model.
    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id)
            writer.member("provider", provider)
            writer.member("model", description.model)
            writer.member("contextWindow", description.contextWindow)
            writer.member("default", isDefault)
            writer.member("demonstration", description.demonstration)
        }
    }
}

package import ParleyCore
package import Testing

/// What every `ToolSource` owes whoever calls its tools.
package struct ToolSourceContract: Sendable {
    private let source: any ToolSource
    private let context: ToolContext

    /// Makes the contract with a source.
    ///
    /// - Parameters:
    ///   - source: the source.
    ///   - context: on whose behalf its tools are called.
    package init(_ source: any ToolSource, in context: ToolContext) {
        self.source = source
        self.context = context
    }

    /// Checks what the source offers: names that differ, and a word about each.
    package func offers(_ names: [String], sourceLocation: SourceLocation = #_sourceLocation) {
        let tools = source.tools()
        #expect(tools.map(\.name) == names, sourceLocation: sourceLocation)
        #expect(Set(names).count == names.count, sourceLocation: sourceLocation)
        #expect(!source.name.isEmpty && tools.allSatisfy { !$0.title.isEmpty && !$0.category.isEmpty }, sourceLocation: sourceLocation)
        #expect(tools.allSatisfy { $0.inputSchema["type"] == "object" }, sourceLocation: sourceLocation)
    }

    /// Checks a call with arguments that the tool's schema allows.
    ///
    /// - Returns: what came of it; nil when it failed.
    @discardableResult
    package func answers(_ call: ToolCall, sourceLocation: SourceLocation = #_sourceLocation) async -> ToolOutput? {
        let tool = source.tools().first { $0.name == call.name }
        #expect(tool?.violations(of: call.arguments) == [], sourceLocation: sourceLocation)
        do throws(Failure) {
            return try await source.call(call, in: context)
        } catch {
            Issue.record("\(call.name): \(error)", sourceLocation: sourceLocation)
            return nil
        }
    }

    /// Checks a call that cannot be done: the reason is for the model, and holds nothing that is only for the log.
    package func fails(_ call: ToolCall, _ code: Failure.Code, sourceLocation: SourceLocation = #_sourceLocation) async {
        do throws(Failure) {
            _ = try await source.call(call, in: context)
            Issue.record("\(call.name) was expected to fail", sourceLocation: sourceLocation)
        } catch {
            #expect(error.code == code && !error.message.isEmpty, sourceLocation: sourceLocation)
        }
    }

    /// Checks that a call whose answer does not come ends with its task.
    ///
    /// - Parameter begun: returns when the call is on its way.
    package func endsWhenCancelled(
        _ call: ToolCall, begun: @escaping @Sendable () async -> Void, sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        let code = await withTaskGroup(of: Failure.Code?.self) { group in
            group.addTask { [source, context] in
                do throws(Failure) {
                    _ = try await source.call(call, in: context)
                    return nil
                } catch {
                    return error.code
                }
            }
            await begun()
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(code == .cancelled, sourceLocation: sourceLocation)
    }
}

import ParleyCore

extension ModelProvider {
    /// Refuses a model that a provider with a closed list does not have.
    ///
    /// - Throws: `modelRejected`.
    func check(_ request: ModelRequest) throws(Failure) {
        guard !models.contains(where: { $0.model == request.model }) else { return }
        throw Failure(.modelRejected, "The provider \"\(name)\" has no model \"\(request.model)\".")
    }
}

extension Failure {
    /// A call that was ended because its task was cancelled.
    static func cancelledCall() -> Failure {
        Failure(.cancelled, "The call of the model was cancelled.")
    }
}

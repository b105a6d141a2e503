import Model

extension AdminError {
    /// What a request names is not there: `code` says of which kind it is, and `command` lists those there are.
    static func notFound(_ code: ConfigError.Code, _ message: String, listedBy command: String) -> AdminError {
        AdminError(code: code.rawValue, message: message, remedy: "See \"apus \(command)\" for those there are.")
    }

    /// There is no target group of this name.
    static func noTargetGroup(_ name: String) -> AdminError {
        notFound(.targetGroupNotFound, "There is no target group \(name).", listedBy: "groups")
    }
}

extension Optional {
    /// What is there. Errors: `missing`, if nothing is.
    func orThrow(_ missing: @autoclosure () -> AdminError) throws(AdminError) -> Wrapped {
        guard let self else { throw missing() }
        return self
    }
}

/// The Apus that runs with a configuration file, as far as another process can tell by its admin socket.
public enum RunningApus: Sendable {
    /// None runs, or what answers at the socket is something else.
    case none
    /// An Apus answers.
    case answering(Server)
    /// Something listens at the socket but cannot be asked: why, and what to do, in sentences.
    case unknown(reason: String, remedy: String)

    /// An Apus that answers.
    public struct Server: Sendable {
        /// The path of its socket.
        public let path: String
        /// The number of its process.
        public let process: Int
        /// What it serves.
        public let document: Document
        /// What a reload would do, as this process answers; or the error with which it answers, with every mistake of
        /// the file as details.
        public let reload: Result<ReloadCheck, AdminError>

        /// A server with all that is known about it.
        public init(path: String, process: Int, document: Document, reload: Result<ReloadCheck, AdminError>) {
            self.path = path
            self.process = process
            self.document = document
            self.reload = reload
        }
    }
}

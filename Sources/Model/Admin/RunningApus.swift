/// The Apus that runs with a configuration file, as far as another process can tell by its admin socket.
public enum RunningApus: Sendable {
    /// None runs, or what answers at the socket is something else.
    case none
    /// One answers.
    case answering(Server)
    /// Something is at the socket that cannot be asked: why, and what to do, in sentences.
    case unknown(reason: String, remedy: String)

    /// An Apus that answers.
    public struct Server: Sendable {
        /// The path of its socket.
        public let path: String
        /// The number of its process.
        public let process: Int
        /// What it serves.
        public let document: Document
        /// What it says that a reload would do; or why it does not say so, with every mistake of the file as details.
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

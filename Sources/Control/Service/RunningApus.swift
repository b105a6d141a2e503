import Core
import Model

/// Whether an Apus serves already, and what it says.
enum RunningApus {
    /// There is none, or what answers is something else.
    case none
    /// It answers.
    case answering(Server)
    /// Something is there that cannot be asked: why, and what to do, in sentences.
    case unknown(reason: String, remedy: String)

    /// An Apus that answers.
    struct Server {
        /// Its socket.
        let path: String
        /// The number of its process.
        let process: Int
        /// The configuration file that it was started with, as it was named.
        let file: String
        /// What it serves.
        let document: Document

        /// Asks what a reload would say. Errors: `AdminClientError`, with every mistake as details.
        func check(
            _ content: [UInt8], file: String, folder: String
        ) throws(AdminClientError) -> ReloadCheck {
            let query = "file=\(escaped(file))&folder=\(escaped(folder))"
            let client = AdminClient(path: path, patience: Limits.runningApusPatience)
            return ReloadCheck(answer: try client.call("POST", "/v1/check?\(query)", bytes: content))
        }
    }

    /// Looks for the one that `file`, which says `document`, belongs to: at its admin socket, else at `socket`, since
    /// the file may be about to name another one.
    static func find(for document: Document, file: String, elsewhere socket: String) -> RunningApus {
        for path in [document.admin.socket, socket] {
            switch find(at: path) {
            case .answering(let server) where server.belongs(to: document, file: file): return .answering(server)
            case .unknown(let reason, let remedy) where path == document.admin.socket:
                return .unknown(reason: reason, remedy: remedy)
            case .answering, .unknown, .none: continue
            }
        }
        return .none
    }

    private static func find(at socket: String) -> RunningApus {
        let client = AdminClient(path: socket, patience: Limits.runningApusPatience)
        do throws(AdminClientError) {
            let status = try client.call("GET", "/v1/status")
            let config = try client.call("GET", "/v1/config")
            guard let process = status["pid"]?.int, let document = try? Document(config) else {
                return .unknown(
                    reason: "It speaks another version's words.", remedy: "Check with the apus that runs there.")
            }
            let file = status["configurationFile"]?.string ?? ""
            return .answering(Server(path: socket, process: process, file: file, document: document))
        } catch {
            switch error {
            case .noServer, .broken: return .none
            case .late, .forbidden, .refused:
                return .unknown(reason: error.refusal.message, remedy: error.refusal.remedy)
            }
        }
    }
}

extension RunningApus.Server {
    /// Whether a file is what it was started with, or what it is to go on with: another Apus must have another state.
    fileprivate func belongs(to document: Document, file: String) -> Bool {
        self.file == file || self.document.runtime.stateDirectory == document.runtime.stateDirectory
    }
}

import Core
import Model

/// Whether an Apus serves already, and what it says.
enum RunningApus {
    /// There is none, or what answers is something else.
    case none
    /// It answers.
    case answering(Server)
    /// Something is there that cannot be asked: why.
    case unknown(reason: String)

    /// An Apus that answers.
    struct Server {
        /// Its socket.
        let path: String
        /// The number of its process.
        let process: Int
        /// What it serves.
        let document: Document

        /// Asks what a reload would say. Errors: `AdminClientError`, with every mistake as details.
        func check(
            _ content: [UInt8], file: String, folder: String
        ) throws(AdminClientError) -> ReloadCheck {
            let query = "file=\(escaped(file))&folder=\(escaped(folder))"
            let client = AdminClient(path: path, patience: Limits.runningApusPatience)
            return ReloadCheck(answer: try client.call("POST", "/v1/check?\(query)", octets: content))
        }
    }

    /// Asks at `socket`.
    static func find(at socket: String) -> RunningApus {
        let client = AdminClient(path: socket, patience: Limits.runningApusPatience)
        do throws(AdminClientError) {
            let status = try client.call("GET", "/v1/status")
            let config = try client.call("GET", "/v1/config")
            guard let process = status["pid"]?.int, let document = try? Document(config) else {
                return .unknown(reason: "it speaks another version's words")
            }
            return .answering(Server(path: socket, process: process, document: document))
        } catch {
            switch error {
            case .noServer, .broken: return .none
            case .late: return .unknown(reason: "it says nothing")
            case .forbidden(_, let reason): return .unknown(reason: reason)
            case .refused(let refusal): return .unknown(reason: refusal.message)
            }
        }
    }
}

import Core
import Model

extension RunningApus {
    /// Looks for the Apus that a configuration belongs to, and asks it what a reload would say. It is looked for at the
    /// admin socket that `document` names, and then at `socket`, since the file may be about to name another one.
    ///
    /// `document` was read from `content`, the bytes of `file`; relative paths in it begin in `folder`.
    public static func find(
        for document: Document, content: [UInt8], file: String, folder: String, elsewhere socket: String
    ) -> RunningApus {
        for path in [document.admin.socket, socket] {
            switch Candidate.find(at: path) {
            case .answering(let found) where found.belongs(to: document, file: file):
                return .answering(found.asked(content, file: file, folder: folder))
            case .unknown(let reason, let remedy) where path == document.admin.socket:
                return .unknown(reason: reason, remedy: remedy)
            case .answering, .unknown, .none: continue
            }
        }
        return .none
    }
}

/// What answers at a socket.
private enum Candidate {
    case none
    case answering(Found)
    case unknown(reason: String, remedy: String)

    /// An Apus that answers, not asked about a reload yet.
    struct Found {
        let client: AdminClient
        let process: Int
        let file: String
        let document: Document

        /// Whether the file is the one that it was started with, or may be its next one: two processes cannot share a
        /// state directory.
        func belongs(to document: Document, file: String) -> Bool {
            self.file == file || self.document.runtime.stateDirectory == document.runtime.stateDirectory
        }

        /// Asks what a reload would say.
        func asked(_ content: [UInt8], file: String, folder: String) -> RunningApus.Server {
            let reload: Result<ReloadCheck, AdminError>
            do throws(AdminClientError) {
                let query = "file=\(escaped(file))&folder=\(escaped(folder))"
                reload = .success(ReloadCheck(answer: try client.call("POST", "/v1/check?\(query)", bytes: content)))
            } catch {
                reload = .failure(error.refusal)
            }
            return RunningApus.Server(path: client.path, process: process, document: document, reload: reload)
        }
    }

    static func find(at socket: String) -> Candidate {
        let client = AdminClient(path: socket, timeout: Limits.runningApusTimeout)
        do throws(AdminClientError) {
            let status = try client.call("GET", "/v1/status")
            let config = try client.call("GET", "/v1/config")
            guard let process = status["pid"]?.int, let document = try? Document(config) else {
                return .unknown(
                    reason: "It speaks another version's words.", remedy: "Check with the apus that runs there.")
            }
            let file = status["configurationFile"]?.string ?? ""
            return .answering(Found(client: client, process: process, file: file, document: document))
        } catch {
            switch error {
            case .noServer, .broken, .unanswered: return .none
            case .late, .forbidden, .refused:
                return .unknown(reason: error.refusal.message, remedy: error.refusal.remedy)
            }
        }
    }
}

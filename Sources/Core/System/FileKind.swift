import CLinux
import Glibc

/// The kind of file at a path. Source: inode(7).
enum FileKind {
    case regular
    case folder
    case fifo
    case socket
    case characterDevice
    case blockDevice

    /// The kind of file that an open descriptor refers to.
    init(of descriptor: Int32) {
        var status = stat()
        _ = unsafe fstat(descriptor, &status)
        self.init(mode: status.st_mode)
    }

    /// What is at `path`, following symbolic links; nil if nothing is there or it is not accessible.
    init?(at path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        self.init(mode: status.st_mode)
    }

    private init(mode: mode_t) {
        self =
            switch mode & S_IFMT {
            case S_IFDIR: .folder
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            case S_IFCHR: .characterDevice
            case S_IFBLK: .blockDevice
            default: .regular
            }
    }

    /// The kind in words, for messages.
    var name: String {
        switch self {
        case .regular: "a regular file"
        case .folder: "a folder"
        case .fifo: "a FIFO"
        case .socket: "a socket"
        case .characterDevice: "a character device"
        case .blockDevice: "a block device"
        }
    }
}

import CNghttp2

/// The nghttp2 library.
public enum HTTP2Library {
    /// The version of the loaded library, such as `1.52.0`, which may differ from the one compiled against.
    public static var version: String {
        guard let info = unsafe nghttp2_version(0) else { return "unknown" }
        return unsafe String(cString: info.pointee.version_str)
    }
}

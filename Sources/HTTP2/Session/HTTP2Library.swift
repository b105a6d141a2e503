import CNghttp2

/// The library below.
public enum HTTP2Library {
    /// Its version, such as `1.52.0`: of what is loaded, not of what was compiled against.
    public static var version: String {
        guard let info = unsafe nghttp2_version(0) else { return "unknown" }
        return unsafe String(cString: info.pointee.version_str)
    }
}

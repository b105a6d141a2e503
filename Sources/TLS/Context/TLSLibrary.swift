import COpenSSL

/// The library in use.
public enum TLSLibrary {
    /// Its version, such as `3.0.22`: of what is loaded, not of what was compiled against.
    public static var version: String {
        guard let text = unsafe OpenSSL_version(OPENSSL_VERSION_STRING) else { return "unknown" }
        return unsafe String(cString: text)
    }
}

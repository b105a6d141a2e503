import COpenSSL

/// The OpenSSL library.
public enum TLSLibrary {
    /// The version of the loaded library, such as `3.0.22`, which may differ from the one compiled against.
    public static var version: String {
        guard let text = unsafe OpenSSL_version(OPENSSL_VERSION_STRING) else { return "unknown" }
        return unsafe String(cString: text)
    }
}

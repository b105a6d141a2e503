import COpenSSL

/// The library in use.
public enum TLSLibrary {
    /// As in `OpenSSL 3.0.22`: the one that was loaded, not the one that was compiled with.
    public static var version: String {
        guard let text = unsafe OpenSSL_version(OPENSSL_VERSION_STRING) else { return "OpenSSL" }
        let version = unsafe String(cString: text)
        return "OpenSSL \(version)"
    }
}

import HTTP2
import TLS

/// The version of Apus, as `apus --version`, the status and the metrics tell it.
public let apusVersion = "0.1.0"

/// The same with the libraries that Apus runs with, whose defects are ours as well.
public var apusVersionAndLibraries: String {
    "apus \(apusVersion) (OpenSSL \(TLSLibrary.version), nghttp2 \(HTTP2Library.version))"
}

import Core

/// The values of those cookies of a request that may say where it goes.
///
/// Shape:  at most `perName` values of each of two names, those of the preferred name first. A client may have several
///         cookies of one name, of different paths and domains; only so many are opened, whatever it sends.
/// Source: RFC 6265 §5.4.
struct CookieCandidates {
    /// Values of one name that are looked at.
    static let perName = 2

    /// Where their values lie in the request; an empty range for a cookie that the request does not have.
    private(set) var values = InlineArray<4, ByteRange>(repeating: .empty)
    private(set) var hasApplicationCookie = false
    private var preferredCount = 0
    private var otherCount = 0

    /// Whether the request has a cookie of either name.
    var isEmpty: Bool { preferredCount + otherCount == 0 }

    /// Looks for cookies of these names in `request`, and for one of the name `application`, of which it only matters
    /// whether it is there.
    init(_ request: Head, preferred: StaticString, other: StaticString, application: Span<UInt8>) {
        var walk = CookieWalk()
        while let cookie = walk.next(in: request) {
            let name = request.bytes(cookie.name)
            if name.equals(preferred) {
                guard preferredCount < Self.perName else { continue }
                values[preferredCount] = cookie.value
                preferredCount += 1
            } else if name.equals(other) {
                guard otherCount < Self.perName else { continue }
                values[Self.perName + otherCount] = cookie.value
                otherCount += 1
            }
            if !application.isEmpty, name.equals(application) { hasApplicationCookie = true }
        }
    }
}

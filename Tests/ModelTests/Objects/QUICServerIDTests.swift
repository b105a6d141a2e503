import Testing

@testable import Model

@Suite struct QUICServerIDTests {
    @Test(
        arguments: [
            ("0x0000000000000000", 0), ("0x00000000000000ff", 255), ("0xffffffffffffffff", .max),
            ("0x0123456789abcdef", 0x0123_4567_89ab_cdef),
        ] as [(String, UInt64)])
    func isReadAndWritten(text: String, value: UInt64) {
        #expect(QUICServerID(text)?.value == value)
        #expect(QUICServerID(value).description == text)
    }

    @Test(arguments: [
        "", "0x", "0x+000000000000001", "0x00000000000000FF", "0x 00000000000000ff", "0x00000000000000ff ",
    ])
    func othersAreNone(text: String) { #expect(QUICServerID(text) == nil) }
}

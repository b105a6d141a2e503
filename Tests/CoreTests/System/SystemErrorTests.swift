import Core
import Glibc
import Testing

@Suite struct SystemErrorTests {
    @Test func describesTheOperationAndTheError() {
        let error = SystemError("bind 127.0.0.1:8080", code: EADDRINUSE)
        #expect(error.description == "bind 127.0.0.1:8080: Address already in use")
        #expect(error.reason == "Address already in use")
        #expect(error == SystemError("bind 127.0.0.1:8080", code: EADDRINUSE))
        #expect(error != SystemError("bind 127.0.0.1:8080", code: EACCES))
        #expect(error != SystemError("bind 127.0.0.1:8081", code: EADDRINUSE))
    }

    @Test func takesTheLastError() {
        errno = ENOENT
        #expect(SystemError("look").code == ENOENT)
    }

    @Test func hasTextForEveryCode() {
        for code in [0, 1, 11, 104, 9999, -1] as [Int32] { #expect(!systemErrorText(code).isEmpty) }
    }
}

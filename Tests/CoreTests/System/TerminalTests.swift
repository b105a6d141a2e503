import Core
import Glibc
import Testing

@Suite struct TerminalTests {
    @Test func aFileIsNotColoured() throws {
        let folder = try TemporaryFolder()
        let file = try FileDescriptor.openForAppending(folder["file"])
        #expect(!Terminal.isColoured(file))
        file.close()
    }

    @Test func writesAllOfALongText() throws {
        let folder = try TemporaryFolder()
        let file = try FileDescriptor.openForAppending(folder["file"])
        let text = String(repeating: "0123456789 grün\n", count: 10_000)
        #expect(Terminal.write(text, to: file))
        #expect(Terminal.write("", to: file))
        file.close()
        #expect(try readFile(folder["file"]) == Array(text.utf8))
        #expect(!Terminal.write("x", to: FileDescriptor(descriptor: -1)))
    }

    @Test func readsTheEnvironment() async {
        await #expect(processExitsWith: .success) {
            _ = unsafe setenv("APUS_TEST", "value", 1)
            #expect(Terminal.environment("APUS_TEST") == "value")
            _ = unsafe setenv("APUS_TEST", "", 1)
            #expect(Terminal.environment("APUS_TEST") == nil)
            _ = unsafe unsetenv("APUS_TEST")
            #expect(Terminal.environment("APUS_TEST") == nil)
        }
    }
}

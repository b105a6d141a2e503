import Core
import Foundation
import Glibc
import Synchronization
import Testing

@Suite struct FileDescriptorTests {
    private static func content(_ path: String) throws -> String { String(decoding: try readFile(path), as: UTF8.self) }

    // MARK: Appending

    @Test func appendsAcrossOpenings() throws {
        let folder = try TemporaryFolder()
        let path = folder["access.log"]
        for line in ["first\n", "second\n"] {
            let file = try FileDescriptor.openForAppending(path)
            let bytes = Array(line.utf8)
            let result = file.write(bytes.span)
            #expect(result == .success(bytes.count))
            file.close()
        }
        #expect(try Self.content(path) == "first\nsecond\n")
        #expect(try folder.mode("access.log") & 0o137 == 0, "other users may not read it, and no one may execute it")
    }

    /// With two open descriptors, as during log rotation, each write goes to the end of the file.
    @Test func appendsAtTheEnd() throws {
        let folder = try TemporaryFolder()
        let one = try FileDescriptor.openForAppending(folder["log"])
        let other = try FileDescriptor.openForAppending(folder["log"])
        for (file, letter) in [(one, "a"), (other, "b"), (one, "c"), (other, "d")] {
            let bytes = Array(letter.utf8)
            _ = file.write(bytes.span)
        }
        one.close()
        other.close()
        #expect(try Self.content(folder["log"]) == "abcd")
    }

    @Test func openingErrorsNameThePath() throws {
        let folder = try TemporaryFolder()
        let nowhere = folder["no/such.log"]
        let missing = #expect(throws: SystemError.self) { try FileDescriptor.openForAppending(nowhere) }
        #expect(missing == SystemError("open \(nowhere)", code: ENOENT))
        let isFolder = #expect(throws: SystemError.self) { try FileDescriptor.openForAppending(folder.path) }
        #expect(isFolder == SystemError("open \(folder.path)", code: EISDIR))
    }

    @Test func doesNotWaitForTheReaderOfAFIFO() throws {
        let folder = try TemporaryFolder()
        let path = folder["log"]
        try #require(mkfifo(path, 0o600) == 0)
        let unread = #expect(throws: SystemError.self) { try FileDescriptor.openForAppending(path) }
        #expect(unread?.isUnreadFIFO == true)
        #expect(unread?.description == "open \(path): no process reads this FIFO")
    }

    @Test func namesTheKindOfFile() throws {
        let folder = try TemporaryFolder()
        let path = folder["socket"]
        let listener = try Socket.listen(onUnixPath: path, mode: 0o600)
        defer { listener.close() }
        let error = #expect(throws: SystemError.self) { try FileDescriptor.openForAppending(path) }
        #expect(error?.isUnreadFIFO == false)
        #expect(error?.description == "open \(path): a socket, not a file, a FIFO or a character device")
        try FileDescriptor.openForAppending("/dev/null").close()
    }

    @Test func aFailedWriteIsAnError() {
        let bytes: [UInt8] = [1]
        #expect(FileDescriptor(descriptor: -1).write(bytes.span) == .failure(SystemError("write", code: EBADF)))
    }

    // MARK: Reading

    @Test(arguments: [0, 1, 100, 65_535, 65_536, 65_537, 200_000]) func readsWhatIsThere(count: Int) throws {
        let folder = try TemporaryFolder()
        let content = randomBytes(count, seed: UInt64(count))
        try replaceFile(folder["file"], with: content)
        #expect(try readFile(folder["file"]) == content)
    }

    /// Files in /proc report no size.
    @Test func readsWhatHasNoSize() throws {
        #expect(try Self.content("/proc/self/comm").hasSuffix("\n"))
    }

    @Test func readingErrorsNameThePath() throws {
        let folder = try TemporaryFolder()
        let path = folder["missing.yaml"]
        let missing = #expect(throws: SystemError.self) { try readFile(path) }
        #expect(missing == SystemError("read \(path)", code: ENOENT))
        let isFolder = #expect(throws: SystemError.self) { try readFile(folder.path) }
        #expect(isFolder == SystemError("read \(folder.path)", code: EISDIR))
    }

    /// Reading these could wait for another process or never end.
    @Test func refusesAnythingButRegularFiles() throws {
        let folder = try TemporaryFolder()
        let fifo = folder["fifo"], link = folder["link"]
        let made = mkfifo(fifo, 0o600) == 0 && symlink(fifo, link) == 0
        try #require(made)
        for path in [fifo, link] {
            for timeout: Nanoseconds? in [nil, 60_000_000_000] {
                let error = #expect(throws: SystemError.self) { try readFile(path, pipeTimeout: timeout) }
                #expect(error?.description == "read \(path): a FIFO, not a regular file")
            }
        }
        for path in ["/dev/zero", "/dev/null"] {
            let error = #expect(throws: SystemError.self) { try readFile(path) }
            #expect(error?.description == "read \(path): a character device, not a regular file")
        }
        let path = folder["socket"]
        let listener = try Socket.listen(onUnixPath: path, mode: 0o600)
        defer { listener.close() }
        let socket = #expect(throws: SystemError.self) { try readFile(path) }
        #expect(socket?.description == "read \(path): a socket, not a regular file")
    }

    /// A pipe that the shell has created, as in `apus check <(generate)`.
    @Test func readsAnInheritedPipeToItsEnd() throws {
        let pipe = Pipe()
        let path = "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)"
        let unfinished = #expect(throws: SystemError.self) { try readFile(path, pipeTimeout: 1) }
        #expect(unfinished?.description == "read \(path): the end of this pipe did not come in time")
        try pipe.fileHandleForWriting.write(contentsOf: Data("whole".utf8))
        try pipe.fileHandleForWriting.close()
        #expect(throws: SystemError.self, "only with a timeout") { try readFile(path) }
        #expect(try readFile(path, pipeTimeout: 60_000_000_000) == Array("whole".utf8))
    }

    // MARK: Replacing

    @Test func replacesAnExistingFile() throws {
        let folder = try TemporaryFolder()
        let path = folder["state.json"]
        for text in ["one", String(repeating: "long ", count: 50_000), "", "two"] {
            try replaceFile(path, with: Array(text.utf8))
            #expect(try Self.content(path) == text)
            #expect(folder.names == ["state.json"], "nothing is left beside it")
        }
        #expect(try folder.mode("state.json") == 0o600)
    }

    /// A temporary file left by a crash does not prevent the next replacement.
    @Test func overwritesALeftTemporaryFile() throws {
        let folder = try TemporaryFolder()
        let left = try FileDescriptor.openForAppending(folder["state.json.new"])
        let half = Array("a longer half of something".utf8)
        _ = left.write(half.span)
        left.close()
        try replaceFile(folder["state.json"], with: Array("whole".utf8))
        #expect(try Self.content(folder["state.json"]) == "whole")
        #expect(folder.names == ["state.json"])
    }

    /// Concurrent readers see either the old or the new content, complete.
    @Test func readersSeeWholeContents() throws {
        let folder = try TemporaryFolder()
        let path = folder["state"]
        let contents = (0..<4).map { [UInt8](repeating: UInt8($0), count: 30_000 + 10_000 * $0) }
        try replaceFile(path, with: contents[0])
        let isDone = Atomic(false), replacedCount = Atomic(0)
        let writer = Core.Thread.start(name: "replacing") {
            while !isDone.load(ordering: .acquiring) {
                let round = replacedCount.wrappingAdd(1, ordering: .relaxed).newValue
                try? replaceFile(path, with: contents[round % 4])
            }
        }
        var readCount = 0
        var torn = 0
        while readCount < 30 || replacedCount.load(ordering: .relaxed) < 30 {
            if !contents.contains(try readFile(path)) { torn += 1 }
            readCount += 1
        }
        isDone.store(true, ordering: .releasing)
        writer.join()
        #expect(torn == 0, "of \(readCount)")
    }

    @Test func failureNamesThePathAndLeavesNoFile() throws {
        let folder = try TemporaryFolder()
        let nowhere = folder["no/state"]
        let missing = #expect(throws: SystemError.self) { try replaceFile(nowhere, with: [1]) }
        #expect(missing == SystemError("write \(nowhere).new", code: ENOENT))
        try folder.makeFolder("taken")
        let taken = folder["taken"]
        let isFolder = #expect(throws: SystemError.self) { try replaceFile(taken, with: [1]) }
        #expect(isFolder == SystemError("rename \(taken).new to \(taken)", code: EISDIR))
        #expect(folder.names == ["taken"], "no temporary file is left")
    }

    /// A full disk, simulated by a limit on the size of files: the old content stays, and the temporary file is
    /// removed, since it would keep the disk full.
    @Test func aFullDiskKeepsTheOldContent() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            let path = folder["state"]
            try replaceFile(path, with: Array("old".utf8))
            try ProcessLimits.setFileSize(1000)
            #expect(Self.failure(toReplace: path) == SystemError("write \(path).new", code: EFBIG))
            #expect(try Self.content(path) == "old")
            #expect(folder.names == ["state"])
        }
    }

    private static func failure(toReplace path: String) -> SystemError? {
        do throws(SystemError) {
            try replaceFile(path, with: [UInt8](repeating: 1, count: 5000))
            return nil
        } catch {
            return error
        }
    }

    @Test func knowsItselfByDeviceAndInode() throws {
        let folder = try TemporaryFolder()
        let file = try FileDescriptor.openForAppending(folder["log"])
        defer { file.close() }
        let attributes = try FileManager.default.attributesOfItem(atPath: folder["log"])
        let inode = try #require(attributes[.systemFileNumber] as? Int)
        let device = try #require(attributes[.systemNumber] as? Int)
        #expect(file.isStream("\(device):\(inode)"))
        for other in ["\(device):\(inode + 1)", "\(device + 1):\(inode)", "\(inode)", "", ":", "a:b"] {
            #expect(!file.isStream(other), "\(other)")
        }
        #expect(!FileDescriptor(descriptor: -1).isStream("\(device):\(inode)"))
    }

    @Test func pathsWithoutAFolderMeanTheWorkingFolder() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            let isThere = unsafe chdir(folder.path) == 0
            try #require(isThere)
            try replaceFile("state", with: [1, 2, 3])
            #expect(try readFile(folder["state"]) == [1, 2, 3])
        }
    }
}

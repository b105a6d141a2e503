import Core
import Testing

@Suite struct HeadTests {
    private func addField(_ head: Head, _ name: String, _ value: String) {
        let nameBytes = Array(name.utf8)
        let nameRange = head.append(nameBytes.span)
        head.addField(name: nameRange, value: head.append(Array(value.utf8).span), id: FieldID(nameBytes.span))
    }

    /// The fields that were not removed, as text.
    private func remaining(_ head: Head) -> [String] {
        (0..<head.fieldCount).map { head.field($0) }.filter { !$0.isRemoved }.map { field in
            "\(head.bytes(field.name).text): \(head.bytes(field.value).text)"
        }
    }

    // MARK: Arena

    @Test func returnsTheRangeOfWhatWasAppended() {
        let head = Head()
        let first = head.append("GET")
        let second = head.append(Array("/path".utf8).span)
        head.append(UInt8.questionMark)
        let number = head.append(decimal: 18_446_744_073_709_551_615)
        let zero = head.append(decimal: 0)
        let hexadecimal = head.append(hexadecimal: 0x09AF_BEEF)
        #expect(head.bytes.text == "GET/path?18446744073709551615009afbeef")
        #expect(first == ByteRange(start: 0, count: 3))
        #expect(head.bytes(second).text == "/path")
        #expect(head.bytes(number).text == "18446744073709551615")
        #expect(head.bytes(zero).text == "0")
        #expect(head.bytes(hexadecimal).text == "09afbeef")
        #expect(head.range(from: first.end) == ByteRange(start: 3, count: head.byteCount - 3))
    }

    @Test func copiesAndFoldsItsOwnBytes() {
        let head = Head()
        let name = head.append("ExAmple.COM[")
        #expect(head.bytes(head.appendCopy(of: name)).text == "ExAmple.COM[")
        #expect(head.bytes(head.appendLowercased(name)).text == "example.com[")
        #expect(head.bytes(name).text == "ExAmple.COM[", "the original stays")
        #expect(head.appendCopy(of: .empty).isEmpty)
    }

    @Test func truncates() {
        let head = Head()
        head.append("keep")
        let mark = head.byteCount
        head.append("drop")
        head.truncate(to: mark)
        #expect(head.bytes.text == "keep")
        head.append("!")
        #expect(head.bytes.text == "keep!")
    }

    /// Ranges stay valid when the arena grows and moves.
    @Test func growsAndKeepsEverything() {
        let head = Head()
        var random = FastRandom(seed: 5)
        var pieces: [(range: ByteRange, content: [UInt8])] = []
        while head.byteCount < Head.bytesMax - 2000 {
            switch pieces.isEmpty ? 0 : random.next(below: 3) {
            case 0:
                let content = (0..<random.next(below: 2000)).map { _ in UInt8(random.next(below: 256)) }
                pieces.append((head.append(content.span), content))
            case 1:
                let piece = pieces[random.next(below: pieces.count)]
                pieces.append((head.appendCopy(of: piece.range), piece.content))
            default:
                let piece = pieces[random.next(below: pieces.count)]
                pieces.append((head.appendLowercased(piece.range), piece.content.map(\.lowercased)))
            }
        }
        #expect(pieces.count > 50)
        for piece in pieces { #expect(copyBytes(head.bytes(piece.range)) == piece.content) }
        #expect(head.heldByteCount >= head.byteCount)
    }

    /// Appends bytes of the arena itself while it has to grow: the old arena must live until they are copied.
    @Test func appendsItsOwnBytesWhileItGrows() {
        let head = Head()
        let content = (0..<1500).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let range = head.append(content.span)
        for _ in 0..<7 {
            let copy = head.append(head.bytes(range))
            #expect(copyBytes(head.bytes(copy)) == content)
        }
        #expect(copyBytes(head.bytes) == Array(repeatElement(content, count: 8).joined()))
    }

    @Test func fillsToTheLastByte() {
        let head = Head()
        let half = [UInt8](repeating: 1, count: Head.bytesMax / 2)
        head.append(half.span)
        head.append(half.span)
        #expect(head.byteCount == Head.bytesMax)
        #expect(head.heldByteCount < Head.bytesMax * 2)
    }

    @Test func growingBeyondTheLimitTraps() async {
        await #expect(processExitsWith: .failure) {
            let head = Head()
            head.append([UInt8](repeating: 1, count: Head.bytesMax).span)
            head.append(1 as UInt8)
        }
        await #expect(processExitsWith: .failure) {
            let head = Head()
            for _ in 0...Head.fieldsMax { head.addField(name: .empty, value: .empty, id: .other) }
        }
    }

    @Test func readingOutsideTraps() async {
        await #expect(processExitsWith: .failure) {
            let head = Head()
            head.append("abc")
            _ = head.bytes(ByteRange(start: 1, count: 3))
        }
        await #expect(processExitsWith: .failure) { _ = Head().field(0) }
        await #expect(processExitsWith: .failure) { Head().removeField(0) }
        await #expect(processExitsWith: .failure) { Head().appendCopy(of: ByteRange(start: 0, count: 1)) }
        await #expect(processExitsWith: .failure) { Head().truncate(to: 1) }
    }

    // MARK: Fields

    @Test func keepsFieldsInOrder() {
        let head = Head()
        addField(head, "Host", "a.example")
        addField(head, "X-Custom", "1")
        addField(head, "host", "b.example")
        #expect(head.fieldCount == 3)
        #expect(remaining(head) == ["Host: a.example", "X-Custom: 1", "host: b.example"])
        #expect(head.field(0).id == .host && head.field(1).id == .other && head.field(2).id == .host)
        #expect(head.mayContain(.host) && !head.mayContain(.date))
        #expect(head.firstField(.host) == 0)
        #expect(head.firstField(.host, from: 1) == 2)
        #expect(head.firstField(.host, from: 3) == nil)
        #expect(head.firstField(.date) == nil)
    }

    @Test func removedFieldsStayInTheTable() {
        let head = Head()
        for value in ["1", "2", "3"] {
            addField(head, "Expect", value)
            addField(head, "Other", value)
        }
        head.removeField(2)
        #expect(remaining(head) == ["Expect: 1", "Other: 1", "Other: 2", "Expect: 3", "Other: 3"])
        #expect(head.fieldCount == 6 && head.field(2).isRemoved)
        #expect(head.bytes(head.field(2).value).text == "2", "logs can still tell what came in")
        #expect(head.firstField(.expect, from: 1) == 4)
        head.removeFields(.expect)
        #expect(remaining(head) == ["Other: 1", "Other: 2", "Other: 3"])
        #expect(head.firstField(.expect) == nil && head.mayContain(.expect))
        head.removeFields(.date)
        head.removeField(2)
        #expect(remaining(head).count == 3)
        addField(head, "Expect", "4")
        #expect(head.firstField(.expect) == 6)
    }

    /// Every kind has its own bit, so that finding one does not depend on another.
    @Test(arguments: FieldID.allCases) func findsEachKind(id: FieldID) {
        let head = Head()
        let others = FieldID.allCases.filter { $0 != id }
        for other in others { head.addField(name: .empty, value: .empty, id: other) }
        #expect(head.firstField(id) == nil && !head.mayContain(id))
        head.addField(name: .empty, value: .empty, id: id)
        #expect(head.firstField(id) == others.count && head.mayContain(id))
        for (index, other) in others.enumerated() { #expect(head.firstField(other) == index) }
    }

    @Test func holdsAsManyFieldsAsAllowed() {
        let head = Head()
        for index in 0..<Head.fieldsMax { addField(head, "Name-\(index)", "value \(index)") }
        #expect(head.fieldCount == Head.fieldsMax)
        #expect(remaining(head) == (0..<Head.fieldsMax).map { "Name-\($0): value \($0)" })
    }

    // MARK: Reuse

    @Test func resetEmptiesTheHeadAndKeepsItsMemory() {
        let head = Head()
        addField(head, "Host", String(repeating: "a", count: 10_000))
        head.appendMethod("GET")
        head.target = head.method
        head.authority = head.method
        head.path = head.method
        head.query = head.method
        head.reason = head.method
        head.status = 200
        head.minorVersion = 0
        head.body = .exactly(5)
        head.hasInvalidNames = true
        let held = head.heldByteCount
        head.reset()
        #expect(head.byteCount == 0 && head.fieldCount == 0 && head.bytes.text == "")
        #expect(head.heldByteCount == held)
        for range in [head.method, head.target, head.authority, head.path, head.query, head.reason] {
            #expect(range == .empty)
        }
        #expect(head.status == 0 && head.minorVersion == 1 && head.body == .none && !head.hasInvalidNames)
        #expect(!head.mayContain(.host) && head.firstField(.host) == nil)
        addField(head, "Date", "today")
        #expect(remaining(head) == ["Date: today"])
        #expect(!head.field(0).isRemoved)
    }

    @Test func rangesKnowTheirEnds() {
        let range = ByteRange(start: 3, count: 4)
        #expect(range.start == 3 && range.count == 4 && range.end == 7 && !range.isEmpty)
        #expect(ByteRange.empty.isEmpty && ByteRange.empty.end == 0)
        #expect(ByteRange(start: 9, count: 0).isEmpty)
    }
}

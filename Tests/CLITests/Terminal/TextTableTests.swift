import Testing

@testable import CLI

@Suite struct TextTableTests {
    private var table: TextTable {
        var table = TextTable(("name", .left), ("size", .right), ("why", .left))
        table.add("a", "5", "")
        table.add(TextTable.Cell("längste", .good), "10000", "because")
        return table
    }

    @Test func columnsAreAligned() {
        #expect(
            table.text(coloured: false, otherwise: "")
                == """
                NAME      SIZE  WHY
                a            5
                längste  10000  because

                """)
    }

    @Test func coloursDoNotMoveColumns() {
        let text = table.text(coloured: true, otherwise: "")
        #expect(text.contains("\u{1B}[32mlängste\u{1B}[0m  10000  because\n"))
        let plain = text.replacing(#/\u{1B}\[[0-9]+m/#, with: "")
        #expect(plain == table.text(coloured: false, otherwise: ""))
    }

    @Test func noLineEndsInSpaces() {
        var table = TextTable(("a", .left), ("b", .right), ("c", .left))
        table.add("x", "", "")
        table.add("", "", "z")
        table.add("", "yyy", "")
        #expect(table.text(coloured: false, otherwise: "") == "A    B  C\nx\n        z\n   yyy\n")
    }

    @Test func withoutRowsItSaysSo() {
        let table = TextTable(("a", .left))
        #expect(table.isEmpty && table.text(coloured: true, otherwise: "There is nothing.") == "There is nothing.\n")
    }

    @Test func aRowStaysOneRow() {
        var table = TextTable(("a", .left))
        table.add(TextTable.Cell("x\ny\u{1B}[0m\u{7F}."))
        #expect(table.text(coloured: false, otherwise: "") == "A\nx y [0m .\n")
    }
}

/// Rows and columns for a person to read: columns aligned by spaces, headings in capitals.
///
/// Shape:  numbers stand right, everything else left. No line ends in a space. A table without rows says so.
/// Limits: a cell's width is counted in characters, which is what terminals show for all that names may hold.
public struct TextTable: Sendable {
    /// On which side of its column a cell stands.
    public enum Side: Sendable { case left, right }

    /// A colour, by what it means.
    public enum Tone: String, Sendable {
        /// As it should be.
        case good = "32"
        /// On its way, or not sure.
        case pending = "33"
        /// Wrong.
        case bad = "31"
        /// Of less interest.
        case faint = "2"
    }

    /// A text and, if it has one, its tone.
    public struct Cell: Sendable, ExpressibleByStringInterpolation {
        let text: String
        let tone: Tone?

        /// A cell. Control characters become spaces, so that a row stays a row.
        public init(_ text: String, _ tone: Tone? = nil) {
            self.text = String(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) })
            self.tone = tone
        }

        /// A cell without a tone.
        public init(stringLiteral text: String) { self.init(text) }
    }

    private let columns: [(heading: String, side: Side)]
    private var rows: [[Cell]] = []

    /// A table with these columns and no rows.
    public init(_ columns: (String, Side)...) {
        self.columns = columns.map { (heading: $0.0, side: $0.1) }
    }

    /// Whether there is no row.
    public var isEmpty: Bool { rows.isEmpty }

    /// Adds a row, which has a cell for each column.
    public mutating func add(_ cells: Cell...) {
        precondition(cells.count == columns.count, "table: \(cells.count) cells in \(columns.count) columns")
        rows.append(cells)
    }

    /// The table as text, each line with its end; `otherwise` when there are no rows.
    public func text(coloured: Bool, otherwise: String) -> String {
        guard !rows.isEmpty else { return otherwise + "\n" }
        let headings = columns.map { Cell($0.heading.uppercased(), .faint) }
        var widths = columns.map { $0.heading.count }
        for row in rows {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.text.count) }
        }
        return ([headings] + rows).map { line($0, widths, coloured) + "\n" }.joined()
    }

    private func line(_ cells: [Cell], _ widths: [Int], _ coloured: Bool) -> String {
        var line = ""
        var gap = 0  // written only before something, so that no line ends in spaces
        for (index, cell) in cells.enumerated() {
            let room = widths[index] - cell.text.count
            if columns[index].side == .right { gap += room }
            if !cell.text.isEmpty {
                line += String(repeating: " ", count: gap) + Self.painted(cell, coloured)
                gap = 0
            }
            gap += 2 + (columns[index].side == .left ? room : 0)
        }
        return line
    }

    private static func painted(_ cell: Cell, _ coloured: Bool) -> String {
        guard coloured, let tone = cell.tone else { return cell.text }
        return "\u{1B}[\(tone.rawValue)m\(cell.text)\u{1B}[0m"
    }
}

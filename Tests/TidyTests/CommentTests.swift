import Foundation
import Testing

/// A declaration of a type at any indentation, unless it is private.
private let typeDeclaration =
    #"^\s*((public|package|internal|open|final|indirect)\s+)*(struct|class|enum|protocol|actor)\s+\w+"#

/// A declaration that another target can see.
private let publicDeclaration =
    #"^\s*((final|static|mutating|nonmutating|borrowing|consuming|override|convenience|required|prefix)\s+)*"#
    + #"(public|package|open)\b(\(set\))?.*"#
    + #"\b(func|var|let|init|subscript|typealias|case|struct|class|enum|protocol|actor)\b"#

/// What a name says in full: no sentence could add to it.
private let selfEvident =
    #"\b(var (description|isEmpty|rawValue|hashValue)\b|static func (==|<)|func hash\(into|init\()"#

private func commentFindings(_ file: RepositoryFile) -> [Finding] {
    file.text.code.enumerated().compactMap { index, line in
        // What follows an attribute is what is declared.
        let declaration = line.replacing(#"@\w+(\([^)]*\))?\s+"#)
        let isDeclared = [typeDeclaration, publicDeclaration].contains { !declaration.matches($0).isEmpty }
        guard isDeclared, declaration.matches(selfEvident).isEmpty, !isDocumented(file.text, index) else { return nil }
        let name = declaration.split(separator: " ").joined(separator: " ").prefix(60)
        return Finding(path: file.path, line: index + 1, message: "say in a /// comment what this is: \(name)")
    }
}

/// Whether the lines above `index` are a documentation comment, attributes between them aside.
private func isDocumented(_ text: SwiftText, _ index: Int) -> Bool {
    var above = index - 1
    while above >= 0, !text.code[above].matches(#"^\s*@[^{]*$"#).isEmpty { above -= 1 }
    guard above >= 0 else { return false }
    return !text.comments[above].matches(#"^\s*///|\*/\s*$"#).isEmpty
}

extension String {
    /// This text without what the regular expression matches.
    fileprivate func replacing(_ pattern: String) -> String {
        replacingOccurrences(of: pattern, with: "", options: .regularExpression)
    }
}

@Suite struct CommentTests {
    @Test func everyTypeAndPublicDeclarationIsExplained() {
        expectTidy(Repository.swiftFiles("Sources"), commentFindings)
    }

    @Test(arguments: [
        "public func a() {}", "struct A {}", "    final class A {}", "public static let a = 1", "package enum A {}",
        "@inlinable public var a: Int { 1 }", "// not a documentation comment\npublic var a = 1",
        "/// Of another.\nlet b = 1\npublic private(set) var a = 1", "@frozen public struct A {}",
        "    indirect enum A {}", "public typealias A = Int", "@safe\npublic final class A {}",
    ])
    func isCaught(snippet: String) {
        #expect(commentFindings(RepositoryFile(path: "Sources/Core/File.swift", snippet)).count == 1)
    }

    @Test(arguments: [
        "/// What it is.\npublic func a() {}", "/// What it is.\n@inlinable\npublic func a() {}", "private struct A {}",
        "fileprivate enum A {}", "func a() {}", "public init(a: Int) {}", "public var isEmpty: Bool { true }",
        "// public func a()", "let text = \"public func a()\"", "/** What it is. */\npublic var a = 1",
        "public static func == (a: A, b: A) -> Bool { true }", "public extension A {}", "let a = type.class",
    ])
    func isFine(snippet: String) {
        #expect(commentFindings(RepositoryFile(path: "Sources/Core/File.swift", snippet)).isEmpty)
    }
}

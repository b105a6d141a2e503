import Foundation
import Testing

/// The declaration of a type that is not private, at any indentation.
private let typeDeclaration =
    #"^ *((public|package|internal|open|final|indirect) +)*(struct|class|enum|protocol|actor) +\w+"#

/// A declaration that is visible to other targets.
private let publicDeclaration =
    #"^ *((final|static|mutating|nonmutating|borrowing|consuming|override|convenience|required|prefix) +)*"#
    + #"(public|package|open)\b(\(set\))?.*"#
    + #"\b(func|var|let|init|subscript|typealias|case|struct|class|enum|protocol|actor)\b"#

/// Declarations whose name says everything: they need no comment.
private let selfEvident =
    #"\b(var (description|isEmpty|rawValue|hashValue)\b|static func (==|<)|func hash\(into|init\()"#

/// Files whose declarations need no comments, each with the reason.
private let exemptions: [String: String] = ["Core/Head/ASCII.swift": "bytes by their names in the standard"]

private func commentFindings(_ file: RepositoryFile) -> [Finding] {
    // Attributes are removed, so that a line begins with its declaration.
    let code = file.text.code.map { $0.contains("@") ? $0.replacing(#"@\w+(\([^)]*\))? +"#) : $0 }
    let evident = Set(code.matches(selfEvident).map(\.line))
    let declared = Set((code.matches(typeDeclaration) + code.matches(publicDeclaration)).map(\.line))
    return declared.subtracting(evident).sorted().filter { !isDocumented(file.text, $0 - 1) }.map { line in
        let name = code[line - 1].split(separator: " ").joined(separator: " ").prefix(60)
        return Finding(path: file.path, line: line, message: "add a /// comment that says what this is: \(name)")
    }
}

/// Whether a documentation comment stands above `index`; attributes may stand between the two.
private func isDocumented(_ text: SwiftText, _ index: Int) -> Bool {
    var above = index - 1
    while above >= 0, text.code[above].drop(while: { $0 == " " }).first == "@", !text.code[above].contains("{") {
        above -= 1
    }
    guard above >= 0 else { return false }
    let comment = text.comments[above].trimmingCharacters(in: .whitespaces)
    return comment.hasPrefix("///") || comment.hasSuffix("*/")
}

extension String {
    /// This text without what the regular expression matches.
    fileprivate func replacing(_ pattern: String) -> String {
        replacingOccurrences(of: pattern, with: "", options: .regularExpression)
    }
}

@Suite struct CommentTests {
    @Test func everyTypeAndPublicDeclarationIsExplained() {
        expectTidy(Repository.swiftFiles("Sources").filter { exemptions[$0.pathInFolder] == nil }, commentFindings)
    }

    @Test func exemptionsAreStillNeeded() {
        let files = Repository.swiftFiles("Sources")
        for name in exemptions.keys {
            let file = files.first { $0.pathInFolder == name }
            #expect(file.map { !commentFindings($0).isEmpty } == true, "\(name) needs no exemption: remove it here")
        }
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

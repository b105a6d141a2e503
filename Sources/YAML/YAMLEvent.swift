/// A place in a text.
public struct YAMLPlace: Equatable, Sendable {
    /// How many characters stand before it.
    public let index: Int
    /// From 1 on.
    public let line: Int
    /// In characters, from 1 on.
    public let column: Int
}

/// One step through a text: a value, or the beginning or end of something that has values in it.
public struct YAMLEvent: Equatable, Sendable {
    /// What kinds there are.
    public enum Kind: Equatable, Sendable {
        /// A document begins, with one value in it.
        case document
        /// The text has ended.
        case endOfText
        /// A value without parts; plain if it has neither quotes nor a block's indicator, so that it may be a number.
        case scalar(String, isPlain: Bool)
        /// A list begins.
        case sequence
        /// An object begins: keys and values by turns.
        case mapping
        /// The innermost list or object ends.
        case end
        /// What the anchor of this name stands for.
        case alias(String)
    }

    /// What it is.
    public let kind: Kind
    /// The name by which aliases refer to it.
    public let anchor: String?
    /// Its tag, written out, as in `tag:yaml.org,2002:str`; nil without one.
    public let tag: String?
    /// Where it begins.
    public let start: YAMLPlace
    /// Where it ends.
    public let end: YAMLPlace
}

/// Why a text is no YAML.
public struct YAMLError: Error, Equatable, Sendable {
    /// What libyaml says, as in "did not find expected key".
    public let problem: String
    /// Where it saw that; nil when a character is not allowed at all.
    public let place: YAMLPlace?
    /// Where what it was reading begins.
    public let contextPlace: YAMLPlace?
}

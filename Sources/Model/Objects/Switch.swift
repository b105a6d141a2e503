/// Yes or no, in ELBv2's words.
public enum Switch: String, Hashable, Sendable, CaseIterable {
    case off, on
}

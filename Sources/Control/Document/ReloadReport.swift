import Model

/// What a reload did.
struct ReloadReport: Equatable, Sendable {
    /// The generation that is now in force.
    let generation: UInt64
    /// What is different, in sentences.
    let changes: [String]
    /// Changes made at run time that do not fit the new file; they are kept, and tried again at the next reload.
    let changesNotApplied: [String]
    /// Objects of the file that are not in force as it says.
    var overrides: [Override] = []
    /// Keys of the file that differ and take effect at the next start only.
    let needsRestart: [String]
    /// Where the changes made at run time were put that it discarded; nil when it discarded none.
    var putAside: String?
}

/// What answers the admin socket: services of control, each by what routes need of it. Tests record instead.
///
/// Shape: used on the control thread only; completions come on it too, at the end of the pass at the earliest.
protocol AdminServices: AnyObject {
    /// Who may do what.
    var access: AdminAccess { get }
    /// What can be seen.
    var status: any StatusSource { get }
    /// Changes of the document.
    var changes: any ChangeActions { get }
    /// Readings of the file.
    var reloads: any ReloadActions { get }
    /// Processes that take over from this one.
    var upgrades: any UpgradeActions { get }
    /// Rollouts.
    var rollouts: any RolloutActions { get }
    /// Swaps.
    var swaps: any SwapActions { get }
    /// Explanations.
    var explanations: any ExplainActions { get }
    /// Targets that join and leave their groups.
    var targets: any TargetActions { get }
}

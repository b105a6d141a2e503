import Telemetry

/// One immutable compiled configuration, made by control for one worker.
///
/// Shape:  each worker gets plans of its own, so that no reference count is shared between threads while requests run.
///         A plan whose part of the configuration did not change is the same object as in the last snapshot, and the
///         worker keeps all state that belongs to it.
public struct Snapshot: Sendable {
    /// Grows by one with every change that control publishes.
    public let generation: UInt64
    /// The listeners, in no particular order.
    public let listeners: [ListenerPlan]
    /// The target groups; `ForwardPlan` names them by `GroupPlan.id`.
    public let groups: [GroupPlan]
    /// The format of the access log's records; nil if exchanges are not logged.
    public let accessLog: AccessLog.Format?
    /// The format of the connection log's records; nil if connections and flows are not logged.
    public let connectionLog: AccessLog.Format?

    public init(
        generation: UInt64, listeners: [ListenerPlan], groups: [GroupPlan], accessLog: AccessLog.Format?,
        connectionLog: AccessLog.Format? = nil
    ) {
        self.generation = generation
        self.accessLog = accessLog
        self.connectionLog = connectionLog
        self.listeners = listeners
        self.groups = groups
    }
}

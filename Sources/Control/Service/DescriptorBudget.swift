import Core
import Model

/// How the descriptors that the system grants are divided.
struct DescriptorBudget: Equatable {
    /// What there is to divide.
    let descriptors: Int
    /// Data-plane threads.
    let workerCount: Int
    /// Client connections of all workers. Each may need a second descriptor for its target.
    let connectionsMax: Int
    /// What is left for connections of clients and to targets.
    let connectionDescriptors: Int
    /// Health checks at once.
    let runningChecksMax: Int
    /// Whether it is the descriptors that leave so few connections.
    let isTight: Bool

    /// What `document` asks for, within what `descriptors` allow. `workers` is how many have sockets already.
    init(_ document: Document, descriptors: Int, workers: Int? = nil) {
        self.descriptors = descriptors
        workerCount = workers ?? document.runtime.workers ?? SystemProcess.processorCount
        runningChecksMax = min(Limits.runningChecksMax, max(16, descriptors / 16))
        let listeners = document.listenerKeys.count * workerCount
        let own = min(Limits.ownDescriptors, descriptors / 4)
        connectionDescriptors = max(2 * workerCount, descriptors - own - runningChecksMax - listeners)
        let most = connectionDescriptors / 2
        connectionsMax = min(document.runtime.connections ?? most, most)
        isTight = most < Limits.connectionsFew && connectionsMax == most
    }
}

// Proxy: the data plane. A `Worker` is one thread with its own poller, connections, buffers and copy of the
// configuration. Read it in the order of a request:
//
//   Worker              the loop: wait, dispatch, timers
//   Worker+Accept       a connection comes in
//   Worker+Client       a request head is read
//   Worker+Decide       the rule is found; forward, fixed response or redirect
//   Worker+Target       a connection to the target is found or opened
//   RequestFields       what Apus changes in the head
//   Worker+Exchange     both directions are driven; the response head
//   Worker+Relay        bodies, in either direction
//   Worker+Answer       answers that are made here
//   Worker+Finish       the record is written, both connections go on or end
//   Worker+Timers       what happens when nothing happens
//   Worker+Adopt        the configuration changes
//
// `ExchangeState` is the state machine of one request and its response. `Snapshot`, `WorkerMail` and `TargetCell` are
// what control and workers share; nothing else is shared.

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
//   Side+Relay          bodies, in either direction
//   Worker+Answer       answers that are made here
//   Worker+Finish       the record is written, both connections go on or end
//   Worker+Timers       what happens when nothing happens
//   Worker+Adopt        the configuration changes
//
// Transports, sides, HTTP/2 connections and tunnels know no worker: they take `Resources`, return what has to be done
// beyond themselves, or note it in a list there which the worker drains. `Side` is one side of an exchange; what a
// protocol does the same for clients and targets is in `Side+HTTP1` and `Side+HTTP2`.
//
// `ExchangeState` is the state machine of one request and its response. `Snapshot`, `WorkerMail` and `TargetCell` are
// what control and workers share; nothing else is shared.

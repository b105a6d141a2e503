// Routing: who gets a request, and what is known about those who could. Pure algorithms: no socket, no thread,
// no clock (time is handed in), no lock. The proxy asks it once or twice per request, so what it asks neither
// allocates nor costs more with more rules or targets than a logarithm.
//
// Read it in the order of a request:
//   `RuleTable`          the first rule whose conditions a request, or a connection that is passed on, meets.
//                        `RuleFacts` are what conditions look at. Each kind of condition has a file in `Conditions`,
//                        and `CompiledCondition` is the enum over them. `RuleCompiler` sorts hosts and paths by kind
//                        (`Glob`) when a snapshot is made; `LiteralTable` is the search behind it.
//   `RedirectTemplate`   what the Location of a redirect says, where the rule's action is one.
//   `SmoothWeights`      which of the weighted groups of a forward action is next.
//   `Balancer`           which target of that group: an enum over the algorithms, `RoundRobin` and `FlowHashing`,
//                        which pick among `BalancedTarget`s.
//   `RetryPolicy`        whether a request may be sent again, by the `AttemptOutcome` of its last attempt.
// and then of a target's life, which the control thread follows:
//   `HealthState`        what checks and registration made of it, with ELBv2's states and reasons (`HealthReason`).
//   `CheckSchedule`      when it is checked, so that thousands of targets do not come at once.
//
// Ownership: a `RuleTable` and a `RedirectTemplate` never change and belong to a worker's snapshot. A `SmoothWeights`
// and a `Balancer` remember whose turn it is, belong to one worker, and outlive snapshots: they are told of changes
// (`adopt`, `rebuild`) instead of being replaced, so that no change favours anybody. A `HealthState` belongs to
// control. Only `TargetCell` and `GroupCell`, which are atomics, are shared between threads.

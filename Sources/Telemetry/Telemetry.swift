// Telemetry: what is seen from outside. Three kinds of evidence, and one rule for all of them: writing it
// costs a worker a few nanoseconds, no lock, no allocation and no system call.
//
// Counts. A worker owns one `WorkerCounters`, and one `TargetGroupCounters` for each target group. They are
// made of `Counter`, `Gauge` and `LatencyHistogram`: words that one thread writes and any thread reads. Control
// sums them over workers when somebody asks. `PrometheusText` is the writer of the exposition format, and
// `PrometheusText+Metrics` the one table that says which metrics there are, what they are called and what they mean.
//
// Access log. The worker fills an `AccessRecord` while an exchange goes on. At its end `AccessLog` formats one
// line from it and the request's `Head`, in ALB's 34 fields (`AccessLog+ALB`) or as JSON (`AccessLog+JSON`), and puts
// it in the worker's `LogRing`. What a stranger wrote goes through `Buffer+Escaping`, so that no header can
// forge a field or a line.
//
// Log writing. `LogWriter` is a thread of its own that moves the rings' bytes into the log file. A disk that
// cannot keep up costs log lines, which are counted, and never a request.
//
// Read `Counter`, `WorkerCounters`, `AccessRecord`, `AccessLog`, `LogRing`, `LogWriter`, in this order.
// `Limits` lists every cap. The target imports Core alone.

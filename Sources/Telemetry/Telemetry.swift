// Telemetry: metrics and logs. Both cost a worker a few nanoseconds, no lock, no allocation and no system call.
//
// Metrics. A worker owns one `WorkerCounters`, and one `TargetGroupCounters` for each target group. They are made of
// `Counter`, `Gauge` and `LatencyHistogram`: words that one thread writes and any thread reads. Control sums them over
// workers when they are requested. `PrometheusText` writes the exposition format, and `PrometheusText+Metrics` is the
// list of all metrics with their names and help texts.
//
// Access log. The worker fills an `AccessRecord` during an exchange. At its end `AccessLog` formats one line from it
// and the request's `Head`, in ALB's 34 fields (`AccessLog+ALB`) or as JSON (`AccessLog+JSON`), and appends it to the
// worker's `LogRing`. Texts of clients are escaped (`Buffer+Escaping`), so that no header can forge a field or a line
// (log injection).
//
// Log writing. `LogWriter` is a thread that moves the rings' bytes into the log file. If the disk cannot keep up, log
// lines are dropped and counted; requests are never delayed.
//
// Read `Counter`, `WorkerCounters`, `AccessRecord`, `AccessLog`, `LogRing`, `LogWriter`, in this order.
// `Limits` lists every cap. The target imports Core alone.

extension RateLimit {
    /// The keys of `apus.rateLimit`.
    static let description = Description(
        "RateLimit", "the rate limit of a rule", blank: RateLimit(requestsPerSecond: 1),
        keys: [
            Key(
                "key", \.key, .hashKey,
                "What is counted: requests of the same address (of IPv6 the first 64 bits), path, field or cookie; one "
                    + "that lacks the field or the cookie counts for its client's address."),
            Key(
                "requestsPerSecond", \.requestsPerSecond, .number(0.001...1_000_000, unit: "requests"), required: true,
                "Requests a second for each value of the key; one more is answered with 429."),
            Key(
                optional: "burst", \.burst, .integer(1...1_000_000, unit: "requests"),
                "Requests that may come at once; those of one second if it is not given."),
        ])
}

/// The caps on what a name server may make us hold or do.
enum Limits {
    /// Milliseconds until a question is asked again for the first time: 1,000; the next time it is twice that.
    /// Reason: a resolver that has to ask others answers within one second nearly always.
    static let questionMilliseconds: Int32 = 1000
    /// How often a question is sent to one server: twice, so that one that is silent is given up after 3 s.
    static let questionTries: Int32 = 2
    /// Bytes of a message, as many as TCP has room for. c-ares refuses longer ones.
    static let messageBytesMax = 65_535
    /// Bytes of a name as it is sent. Source: RFC 1035 §3.1. A longer one makes the message unreadable.
    static let nameBytesMax = 255
    /// Pointers that one name may follow. Reason: names are read for each record, and a name of 255 bytes needs no
    /// more than 127 labels. Beyond it the message is unreadable.
    static let namePointersMax = 127
    /// Records of an answer that are read: 4,096, nearly as many addresses as a message has room for. Beyond it the
    /// message is unreadable.
    static let recordsMax = 4096
    /// Aliases that lead from one name to another: 16, twice as many as resolvers follow. Beyond it there is no answer.
    static let aliasesMax = 16
    /// Servers that are taken from resolv.conf(5): three, as the C library takes.
    static let serversOfFileMax = 3
    /// Longest time to live that is believed: a week, which is far beyond what anybody waits for. Source: RFC 8767 §4.
    static let secondsToLiveMax: UInt32 = 604_800
}

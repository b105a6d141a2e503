/// The caps on what a configuration may hold. Each is wide enough for any reasonable configuration and keeps a wrong
/// one, such as a generated file that doubled, from exhausting the process: the running configuration stays, and the
/// answer says why.
public enum Limits {
    /// Bytes of a file or of a body on the socket. 16 MiB is 100,000 targets. Beyond it the text is refused unread.
    public static let documentBytesMax = 16 << 20

    /// Levels of lists and objects in a text. The vocabulary needs 12; reading is recursive, so the stack bounds it.
    /// Beyond it the text is refused.
    public static let documentDepthMax = 64

    /// Bytes of what the aliases of a text stand for, written out: as much as a text may have without them. Aliases in
    /// what other aliases stand for double with each level, so that a few lines could stand for billions of values.
    /// Beyond it the text is refused.
    public static let aliasBytesMax = documentBytesMax

    /// Targets named in one sentence; the others are counted.
    public static let targetsNamedMax = 8

    /// Bytes of each part of a mistake: where, what was expected, what was found, what to do. Our own texts have at
    /// most half of that, but a value that somebody sent may have megabytes. A longer text is cut, and its length is
    /// noted.
    public static let errorTextBytesMax = 2048

    /// Mistakes shown at once. More than a screen of them is mostly one mistake repeated; the rest are counted.
    public static let errorsShownMax = 20

    /// Bytes of the message of a refusal, and of its remedy: 8 KiB, room for a mistake whose every part is as long as
    /// it may be (`errorTextBytesMax`). A longer text is cut, and its length is noted: it may show a value of megabytes
    /// that a client sent.
    public static let adminErrorBytesMax = 8192

    /// Load balancers. Each costs every worker its listening sockets. Beyond it: TooManyLoadBalancers.
    public static let loadBalancersMax = 1_000

    /// Listeners of all load balancers. Each costs every worker one socket per address, and descriptors are scarce.
    /// Beyond it: TooManyListeners.
    public static let listenersMax = 1_000

    /// Addresses of one load balancer, for the same reason. Beyond it: ValidationError.
    public static let addressesMax = 64

    /// Rules of one listener, each in every worker's snapshot. ELBv2 allows 100. Beyond it: TooManyRules.
    public static let rulesPerListenerMax = 10_000

    /// Rules with `apus.rateLimit`, of all listeners. Each has 256 KiB of buckets, which strangers fill by bringing new
    /// keys: 250 MiB in all, a quarter of what buffers may have by default. Beyond it: TooManyRules.
    public static let rateLimitsMax = 1_000

    /// Conditions of one rule. ELBv2 allows 5 values in all of them. Beyond it: ValidationError.
    public static let conditionsPerRuleMax = 100

    /// Values of one condition. ELBv2 allows 5. Beyond it: ValidationError.
    public static let conditionValuesMax = 100

    /// Characters of one condition value, as ELBv2. Beyond it: ValidationError.
    public static let conditionValueCharactersMax = 128

    /// Characters of a method, as ELBv2. Beyond it: ValidationError.
    public static let methodCharactersMax = 40

    /// Characters of the name of a header field, as ELBv2. Beyond it: ValidationError.
    public static let headerNameCharactersMax = 40

    /// Characters of the regular expression of a transform, and of its replacement, as ELBv2. Beyond it:
    /// ValidationError.
    public static let rewriteCharactersMax = 1_024

    /// Actions of one list: more than ELBv2 lets stand together, so that the reason is told and not the number. Beyond
    /// it: TooManyActions.
    public static let actionsMax = 5

    /// Changes of header fields that a rule makes, in requests and responses together. A head has room for 320 fields,
    /// of which 256 may come in. Beyond it: ValidationError.
    public static let fieldChangesMax = 32

    /// Characters of the name of a field that a rule changes. The longest names in use have 40. Beyond it:
    /// ValidationError.
    public static let changedFieldNameCharactersMax = 64

    /// Regular expressions that `apus check` tries with hostile texts; each may take some hundred milliseconds.
    static let expressionsTriedMax = 1_000

    /// Certificates of one listener. ELBv2 allows 25 beside the default. Beyond it: ValidationError.
    public static let certificatesMax = 10_000

    /// Networks that may send PROXY headers; each is compared with every new connection. Beyond it: ValidationError.
    public static let trustedNetworksMax = 100

    /// Revocation lists of one trust store, as ELBv2. Beyond it: ValidationError.
    public static let revocationListsMax = 30

    /// Identity filters of one listener, as ELBv2. Beyond it: ValidationError.
    public static let identityFiltersMax = 100

    /// Target groups of one forward action. ELBv2 allows 5. Beyond it: ValidationError.
    public static let forwardTargetGroupsMax = 100

    /// Bytes of a fixed response's body, as ELBv2. Beyond it: ValidationError.
    public static let fixedResponseBytesMax = 1_024

    /// Characters of the value of a response field that a listener sets, as ELBv2. Beyond it: ValidationError.
    public static let responseFieldValueCharactersMax = 1_024

    /// Target groups, as ELBv2 allows in a region. Beyond it: TooManyTargetGroups.
    public static let targetGroupsMax = 3_000

    /// Targets of one group; ELBv2 allows 1,000. Each is checked on its own, so this also bounds health checks.
    /// Beyond it: TooManyTargets.
    public static let targetsPerGroupMax = 10_000

    /// Target groups with discovery. Each follows its source over a connection or a watch of its own. Beyond it:
    /// TooManyTargetGroups.
    public static let discoveringGroupsMax = 100

    /// Name servers of one group: they are asked one after the other, each for seconds if it is silent. Beyond it:
    /// ValidationError.
    public static let resolversMax = 8

    /// Labels by which containers are chosen: all are part of each question to the daemon. Beyond it: ValidationError.
    public static let dockerLabelsMax = 16

    /// Patterns of hosts, and listeners, that labels of containers may name: each claim is compared with all. Beyond
    /// it: ValidationError.
    public static let allowedNamesMax = 100

    /// Labels of one container that begin with `apus.`: all that there are of health checks and a few dozen attributes.
    /// A container with more is refused.
    public static let containerLabelsMax = 64

    /// Bytes of the value of such a label: 16 patterns of 128. A container with a longer one is refused.
    public static let containerLabelBytesMax = 2_048

    /// Listeners, hosts and paths that a label may name: each pair of a host and a path is compared with those of
    /// others. A container with more is refused.
    public static let labelNamesMax = 16

    /// Mistakes of one container's labels that are told.
    public static let labelMistakesMax = 8

    /// Where the rules of containers begin that say no priority: 10,000 numbers, as many as a listener may have rules.
    public static let labelPriorities = 40_001...50_000

    /// The largest weight of a target, as HAProxy has it.
    public static let targetWeightMax = 256

    /// Bytes of a request's body that may be kept so that it can be sent again. Reason: they stand in one buffer of a
    /// worker, twice while they are sent again.
    public static let retryBodyBytesMax = 65_536

    /// Entries of the instance registry. Beyond it: ValidationError.
    public static let instancesMax = 100_000

    /// Prefix lists. Beyond it: ValidationError.
    public static let prefixListsMax = 1_000

    /// Entries of one prefix list; ELBv2's have 1,000. Beyond it: ValidationError.
    public static let prefixListEntriesMax = 10_000

    /// Entries of all prefix lists together: 40 bytes each for every listener that names their list. Beyond it:
    /// ValidationError.
    public static let prefixListEntriesOfAllMax = 50_000

    /// Entries of `apus.allow`, and of `apus.deny`, of a listener; what is longer belongs into a prefix list. Beyond
    /// it: ValidationError.
    public static let accessEntriesMax = 1_000

    /// Characters of the name of a load balancer or target group, as ELBv2. Beyond it: ValidationError.
    public static let nameCharactersMax = 32

    /// Characters of a path in the file system. Linux allows 4,095. Beyond it: ValidationError.
    public static let filePathCharactersMax = 4_095

    /// Bytes of a Unix socket's path: the kernel's 108 with the closing zero. Beyond it: ValidationError.
    public static let socketPathBytesMax = 107

    /// Steps of a rollout. Reason: each divides what a guard may need to prove. Beyond it: ValidationError.
    public static let rolloutStepsMax = 20

    /// Values that the cohorts of an action pin. Reason: a user list belongs to the program that is rolled out; each
    /// worker keeps 16 bytes of each. Beyond it: ValidationError.
    public static let cohortPinsMax = 1_000

    /// Users and groups with one role of the admin socket: all are compared with each client. Beyond it:
    /// ValidationError.
    public static let adminPrincipalsMax = 256

    /// Header fields with secrets that a URL of targets is asked with. Beyond it: ValidationError.
    public static let discoveryFieldsMax = 16
}

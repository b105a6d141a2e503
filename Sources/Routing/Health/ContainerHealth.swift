/// What is said of the container that a target runs in, by who runs containers: the first of two levels, of which our
/// own checks are the second.
///
/// Source: Docker documentation, "Dockerfile reference", HEALTHCHECK.
public enum ContainerHealth: Equatable, Sendable {
    /// It passes its health check, or has none: our own checks decide.
    case passing
    /// Its health check has not passed yet: it gets no requests, and failures of our checks do not count.
    case starting
    /// It fails its health check: it is unhealthy, whatever our checks say.
    case unhealthy
}

/// What waits, first in, first out.
///
/// Shape:  an array with a place where it begins; appending and taking cost O(1) on average.
/// Limits: none of its own: whoever appends knows how many there may be.
public struct Queue<Element> {
    private var elements: [Element] = []
    /// The first that was not taken.
    private var head = 0

    public init() {}

    /// How many wait.
    public var count: Int { elements.count - head }
    public var isEmpty: Bool { head == elements.count }

    /// Puts `element` behind all others.
    public mutating func append(_ element: Element) { elements.append(element) }

    /// Takes out the one that waits longest; nil if none does.
    public mutating func takeFirst() -> Element? {
        guard head < elements.count else { return nil }
        let element = elements[head]
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: head <= 256)
            head = 0
        } else if head > 64, head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }

    /// Forgets all but those that `isKept` says.
    public mutating func keep(where isKept: (Element) -> Bool) {
        elements = elements[head...].filter(isKept)
        head = 0
    }
}

/// A first-in, first-out queue.
///
/// Shape:  an array and the index of its first element; appending and taking cost O(1) on average.
/// Limits: none; the caller that appends has to bound it.
public struct Queue<Element> {
    private var elements: [Element] = []
    /// Index of the oldest element.
    private var head = 0

    public init() {}

    /// How many elements are queued.
    public var count: Int { elements.count - head }
    public var isEmpty: Bool { head == elements.count }

    /// Appends `element` at the end.
    public mutating func append(_ element: Element) { elements.append(element) }

    /// Removes and returns the oldest element; nil if the queue is empty.
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

    /// Removes the elements for which `isKept` returns false.
    public mutating func keep(where isKept: (Element) -> Bool) {
        elements = elements[head...].filter(isKept)
        head = 0
    }
}

import Testing

@testable import Core

@Suite struct SlabTests {
    @Test func findsWhatWasInserted() {
        var slab = Slab<String>()
        let first = slab.insert("first")
        let second = slab.insert("second")
        #expect(slab.resolve(first) == "first")
        #expect(slab.resolve(second) == "second")
        #expect(slab.count == 2 && slab.slotCount == 2)
        #expect(slab.occupant(at: first.index) == "first")
    }

    @Test func staleTokenResolvesToNothing() {
        var slab = Slab<String>()
        let gone = slab.insert("gone")
        slab.remove(gone)
        #expect(slab.resolve(gone) == nil)
        #expect(slab.occupant(at: gone.index) == nil)
        let successor = slab.insert("successor")
        #expect(successor.index == gone.index, "the slot is used again")
        #expect(successor != gone)
        #expect(slab.resolve(gone) == nil, "the old token does not resolve to the new occupant")
        #expect(slab.resolve(successor) == "successor")
    }

    @Test func foreignTokensDoNotResolve() {
        var slab = Slab<Int>()
        #expect(slab.resolve(.none) == nil)
        let token = slab.insert(7)
        #expect(slab.resolve(.none) == nil)
        #expect(slab.resolve(Token(index: token.index, generation: token.generation + 1)) == nil)
        #expect(slab.resolve(Token(index: token.index + 1, generation: 1)) == nil)
        #expect(slab.resolve(Token(index: Int(UInt32.max), generation: 1)) == nil)
    }

    @Test func nextTokenIsTheOneInserted() {
        var slab = Slab<Int>()
        var random = FastRandom(seed: 11)
        var live: [Token] = []
        for number in 0..<1000 {
            if !live.isEmpty && random.next(below: 2) == 0 {
                slab.remove(live.remove(at: random.next(below: live.count)))
            }
            let predicted = slab.nextToken
            let token = slab.insert(number)
            #expect(token == predicted)
            live.append(token)
        }
    }

    /// A mark belongs to the occupant: the next one in its slot has its own.
    @Test func marksOccupants() {
        var slab = Slab<Int>()
        let marked = slab.insert(1, isMarked: true), plain = slab.insert(2)
        #expect(slab.isMarked(marked) && !slab.isMarked(plain) && !slab.isMarked(Token(index: 7, generation: 1)))
        slab.remove(marked)
        let next = slab.insert(3)
        #expect(next.index == marked.index && !slab.isMarked(next))
    }

    /// After 2^32 occupants the generation of a slot wraps, but never to zero, which is the generation of `none`.
    @Test func generationWrapsPastZero() {
        var slab = Slab<Int>()
        slab.remove(slab.insert(0))
        slab.slots[0].generation = .max
        let last = slab.insert(1)
        #expect(last.generation == .max)
        slab.remove(last)
        let next = slab.insert(2)
        #expect(next.generation == 1)
        #expect(slab.resolve(last) == nil)
        #expect(slab.resolve(next) == 2)
        #expect(slab.resolve(.none) == nil)
    }

    /// Random insertions and removals against a dictionary; at the end, every token that was ever returned is resolved.
    @Test(arguments: [1, 2, 3] as [UInt64]) func agreesWithADictionary(seed: UInt64) {
        var random = FastRandom(seed: seed)
        var slab = Slab<Int>()
        var model: [Token: Int] = [:]
        var all: Set<Token> = []
        var most = 0
        for number in 0..<5000 {
            // Grows to some hundreds, then shrinks, in waves.
            let isGrowing = (number / 500).isMultiple(of: 2)
            if random.next(below: 10) < (isGrowing ? 7 : 3) {
                let token = slab.insert(number)
                #expect(all.insert(token).inserted, "a token is returned once")
                model[token] = number
            } else if let token = model.keys.randomElement(using: &random) {
                slab.remove(token)
                model[token] = nil
            }
            most = max(most, model.count)
            #expect(slab.count == model.count)
        }
        #expect(slab.slotCount == most, "no more slots than occupants at one time")
        for token in all { #expect(slab.resolve(token) == model[token]) }
        let occupants = (0..<slab.slotCount).compactMap { slab.occupant(at: $0) }
        #expect(occupants.sorted() == model.values.sorted())
    }

    @Test func removalFreesTheOccupant() {
        final class Thing {}
        var slab = Slab<Thing>()
        weak var seen: Thing?
        let token: Token
        do {
            let thing = Thing()
            seen = thing
            token = slab.insert(thing)
        }
        #expect(seen != nil)
        slab.remove(token)
        #expect(seen == nil)
    }

    @Test func removingTwiceTraps() async {
        await #expect(processExitsWith: .failure) {
            var slab = Slab<Int>()
            let token = slab.insert(1)
            slab.remove(token)
            slab.remove(token)
        }
        await #expect(processExitsWith: .failure) {
            var slab = Slab<Int>()
            let token = slab.insert(1)
            slab.remove(token)
            _ = slab.insert(2)
            slab.remove(token)
        }
    }
}

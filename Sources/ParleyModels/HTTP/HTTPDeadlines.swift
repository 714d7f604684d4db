/// Moments, one for each key, of which the earliest is found at once: a binary heap that knows where each key stands.
///
/// Setting, moving and removing cost O(log n), so that a thousand transfers with a bound of time each are never walked through.
struct HTTPDeadlines<Key: Hashable> {
    private var heap: [(time: UInt64, key: Key)] = []
    private var places: [Key: Int] = [:]

    /// The earliest moment, or nil if there is none.
    var earliest: UInt64? { heap.first?.time }

    /// Sets a key's moment, whether or not it has one.
    ///
    /// - Parameters:
    ///   - key: Whose moment it is.
    ///   - time: The moment in nanoseconds.
    mutating func set(_ key: Key, to time: UInt64) {
        if let place = places[key] {
            heap[place].time = time
            settle(place)
        } else {
            heap.append((time, key))
            places[key] = heap.count - 1
            rise(heap.count - 1)
        }
    }

    /// Forgets a key's moment, if it has one.
    ///
    /// - Parameter key: Whose moment it is.
    mutating func remove(_ key: Key) {
        guard let place = places.removeValue(forKey: key) else { return }
        let last = heap.removeLast()
        guard place < heap.count else { return }
        heap[place] = last
        places[last.key] = place
        settle(place)
    }

    /// Takes out the key with the earliest moment if that has come.
    ///
    /// - Parameter now: The present in nanoseconds.
    /// - Returns: The key, or nil if every moment is still to come.
    mutating func popDue(_ now: UInt64) -> Key? {
        guard let first = heap.first, first.time <= now else { return nil }
        remove(first.key)
        return first.key
    }

    private mutating func settle(_ place: Int) {
        rise(place)
        sink(place)
    }

    private mutating func rise(_ place: Int) {
        var place = place
        while place > 0, heap[place].time < heap[(place - 1) / 2].time {
            exchange(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func sink(_ place: Int) {
        var place = place
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < heap.count && heap[child].time < heap[least].time { least = child }
            guard least != place else { return }
            exchange(place, least)
            place = least
        }
    }

    private mutating func exchange(_ one: Int, _ other: Int) {
        heap.swapAt(one, other)
        places[heap[one].key] = one
        places[heap[other].key] = other
    }
}
